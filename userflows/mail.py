"""Mail to people: rendered at once, delivered by a background task, sealed in between since it carries codes."""

import json
from email.utils import formataddr, parseaddr
from typing import Any

import css_inline
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django_tasks import task

from directory.encryption import seal, unseal
from directory.models import Tenant

CONTEXT = "userflows.mail"


def send_mail_in_background(
    kind: str,
    *,
    to: str,
    tenant: Tenant | None,
    subject_values: dict[str, str],
    context: dict[str, Any],
    sender: str = "",
) -> None:
    """Queue a mail of a `kind` (the name of its templates) in the transaction that causes it.

    No tenant: the mail is for a platform operator. `sender` is the name that it bears, before the portal's address.
    """
    html = render_to_string(f"mail/{kind}.html", context)
    message = {
        "subject": _SUBJECTS[kind]() % subject_values,
        "to": to,
        "sender": sender,
        "text": render_to_string(f"mail/{kind}.txt", context),
        # The rules for dark mode can't be inlined and stay in <style>.
        "html": css_inline.inline(html, keep_at_rules=True, load_remote_stylesheets=False),
    }
    deliver.enqueue(tenant_id=str(tenant.pk) if tenant else "", sealed=seal(json.dumps(message), context=CONTEXT))


@task()
def deliver(tenant_id: str, sealed: str) -> None:
    """Hand one sealed message to the mail server."""
    message = json.loads(unseal(sealed, context=CONTEXT))
    mail = EmailMultiAlternatives(
        subject=message["subject"],
        body=message["text"],
        from_email=_from(message.get("sender", "")),
        to=[message["to"]],
    )
    mail.attach_alternative(message["html"], "text/html")
    mail.extra_headers["Auto-Submitted"] = "auto-generated"
    mail.send()


def _from(sender: str) -> str:
    """Return the From header's value: nothing in a name can end it, or be taken for an address."""
    address = parseaddr(settings.DEFAULT_FROM_EMAIL)[1]
    name = " ".join(sender.split())
    return formataddr((name, address)) if name else settings.DEFAULT_FROM_EMAIL


def _email_code_subject() -> str:
    return _("%(code)s is your %(tenant)s code")


def _one_time_link_subject() -> str:
    return _("Set your password for %(tenant)s")


def _security_notice_subject() -> str:
    return _("About your sign-in to %(tenant)s")


def _identity_added_subject() -> str:
    return _("Another way to sign in to %(tenant)s was added")


def _password_set_subject() -> str:
    return _("You have set a password for %(tenant)s")


def _password_changed_subject() -> str:
    return _("Your password for %(tenant)s was changed")


def _mail_changed_subject() -> str:
    return _("Your email address at %(tenant)s was changed")


_SUBJECTS = {
    "change_address": _email_code_subject,
    "email_code": _email_code_subject,
    "identity_added": _identity_added_subject,
    "mail_changed": _mail_changed_subject,
    "one_time_link": _one_time_link_subject,
    "password_changed": _password_changed_subject,
    "password_set": _password_set_subject,
    "security_notice": _security_notice_subject,
}
