"""Setting a password by a one-time link, and asking for such a link."""

import json

from django import forms
from django.contrib.auth.forms import SetPasswordForm
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django_tasks import task

from directory import audit
from directory.admin.pages import PlainLabels
from directory.encryption import seal, unseal
from directory.members import may_administer, set_password
from directory.models import Tenant, User
from directory.one_time_link import find_person, make_link
from directory.tenant_scope import tenant_scope
from identity_portal.admin_sign_in import Site, admin_page, begin_sign_in, by_sender_and_mailbox, tenant_or_none
from identity_portal.security_notice import Change, tell
from userflows.mail import send_mail_in_background
from userflows.rate_limit import Limit, count_attempt

NETWORK_LIMIT = Limit("forgot_password.network", count=20, seconds=3600)
MAILBOX_LIMIT = Limit("forgot_password.mailbox", count=3, seconds=3600)
LINK = "one_time_link"
TASK_CONTEXT = "identity_portal.set_password"


class NewPasswordForm(PlainLabels, SetPasswordForm):  # type: ignore[type-arg]
    """Django's, labelled like the other forms."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.fields["new_password1"].widget.attrs |= {"class": "vTextField", "autofocus": True}
        self.fields["new_password2"].widget.attrs |= {"class": "vTextField"}


class ForgotPasswordForm(PlainLabels, forms.Form):
    mail = forms.EmailField(
        label=_("Email address"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "username", "autofocus": True, "class": "vTextField"}),
    )


def open_link(request: HttpRequest, uid: str, token: str, *, site: Site) -> HttpResponse:
    """Keep the link in the session and go on without it: so it is in no address bar, no log and no Referer."""
    request.session.pop(LINK, None)
    # For a link that is none, no session is made: anybody could fill the table.
    if find_person(tenant_or_none(request), uid, token) is not None:
        # Sealed: the session's table would keep it readable.
        request.session[LINK] = seal(json.dumps([uid, token]), context=LINK)
        # Whoever had a session in this browser before, and knows its key, must not find the link in it.
        request.session.cycle_key()
    response = redirect(f"{site.name}:set_password")
    response["Referrer-Policy"] = "no-referrer"
    response["Cache-Control"] = "no-store"
    return response


def choose_password(request: HttpRequest, *, site: Site) -> HttpResponse:
    """Set the password; what is missing then is the second factor."""
    user = _person_of_link(request, site)
    if user is None:
        return admin_page(request, site, "set_password_refused", title=_now("This link works no more"))
    form = NewPasswordForm(user)
    if request.method == "POST":
        form = NewPasswordForm(user, request.POST)
        if form.is_valid():
            return _set(request, site, form.cleaned_data["new_password1"])
    return admin_page(request, site, "set_password", title=_now("Choose your password"), form=form, person=user)


def _person_of_link(request: HttpRequest, site: Site, *, lock: bool = False) -> User | None:
    kept = request.session.get(LINK)
    uid, token = json.loads(unseal(kept, context=LINK)) if kept else ("", "")
    user = find_person(tenant_or_none(request), uid, token, lock=lock)
    return user if user is not None and site.may_enter(request, user) else None


@transaction.atomic
def _set(request: HttpRequest, site: Site, password: str) -> HttpResponse:
    # Of two who use the link at once, the second waits here and finds it used.
    user = _person_of_link(request, site, lock=True)
    if user is None:
        return redirect(f"{site.name}:set_password")
    # All sessions of the person end, and this browser may have one of them.
    request.session.flush()
    set_password(user, password=password)
    tell(user, Change.PASSWORD_CHANGED, recorded=True)
    begin_sign_in(request, user, next_url=reverse(f"{site.name}:index"))
    return redirect(f"{site.name}:second_factor")


def forgot_password(request: HttpRequest, *, site: Site) -> HttpResponse:
    """Mail a link to whoever has a role here. The answer is the same for every address."""
    form = ForgotPasswordForm()
    if request.method == "POST":
        form = ForgotPasswordForm(request.POST)
        if form.is_valid():
            mail = form.cleaned_data["mail"]
            count_attempt(*by_sender_and_mailbox(request, NETWORK_LIMIT, MAILBOX_LIMIT, mail=mail))
            tenant = tenant_or_none(request)
            asked = json.dumps({"tenant": str(tenant.pk) if tenant else None, "mail": mail})
            # Whether there is such a person is asked in the background: the time of this answer tells nothing.
            mail_link_if_known.enqueue(sealed=seal(asked, context=TASK_CONTEXT))
            return admin_page(request, site, "forgot_password_sent", title=_now("Check your email"), mail=mail)
    return admin_page(request, site, "forgot_password", title=_now("Forgot your password?"), form=form)


@task()
def mail_link_if_known(sealed: str) -> None:
    asked = json.loads(unseal(sealed, context=TASK_CONTEXT))
    tenant = Tenant.objects.filter(pk=asked["tenant"]).first() if asked["tenant"] else None
    with tenant_scope(tenant):
        _mail_link_if_known(tenant, asked["mail"])


def _mail_link_if_known(tenant: Tenant | None, mail: str) -> None:
    user = User.objects.with_mail(tenant, mail).first()
    if user is None or not may_administer(user):
        audit.record("password.forgotten", tenant=tenant, reason="unknown_person", details={"mail": mail})
        return
    audit.record("password.forgotten", tenant=tenant, target=user)
    mail_link(user, make_link(user, ends_earlier=False))


def mail_link(user: User, link: str) -> None:
    """Mail a one-time link to the person that it is for."""
    name = user.tenant.name if user.tenant else _now("Identity Portal")
    send_mail_in_background(
        "one_time_link",
        to=user.mail,
        tenant=user.tenant,
        subject_values={"tenant": name},
        context={"link": link, "tenant_name": name, "person": user},
    )
