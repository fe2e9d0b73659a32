"""The sign-in log in words: what happened, and why somebody could not go on."""

from collections.abc import Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

STEPS: dict[str, str | Promise] = {
    "started": _("Came from the application and opened the first page."),
    "choose": _("Gave an email address. A code was sent there."),
    "email_code": _("Typed the code: the address is proven."),
    "attributes": _("Answered the questions."),
    "signedUp": _("The account was created, and the person went back to the application."),
    "signedIn": _("Signed in with an account that was there, and went back to the application."),
    "cancelled": _("Cancelled, and went back to the application."),
    "refused": _("Could not go on."),
}
REASONS: dict[str, str | Promise] = {
    "account_deleted": _("The account was deleted."),
    "account_disabled": _("The account is switched off."),
    "answers_refused": _("Some answers were missing or not valid."),
    "code_expired": _("The code had expired, or was tried too often."),
    "code_wrong": _("The code was wrong."),
    "email_domain_not_allowed": _("The user flow doesn't let this email domain in."),
    "first_party_application": _("Nobody signs up through the portal's own applications."),
    "journey_expired": _("It took longer than 30 minutes."),
    "journey_finished": _("It was finished already; its page was opened once more."),
    "journey_unknown": _("It was begun in another browser."),
    "mail_in_use": _("The address belongs to an account that signs in another way."),
    "no_user_flow": _("There is no account, and the application has no user flow to sign up by."),
    "no_way_to_sign_in": _("Every way to sign in was switched off."),
    "refused": _("It was refused."),
    "run_needs_stranger": _("A test run was given the address of an existing account."),
    "sign_up_not_allowed": _("Sign-up is not allowed here."),
    "tenant_sign_up_off": _("There is no account, and self-service sign-up is off for the whole tenant."),
    "too_many_requests": _("There were too many tries in a short time."),
    "user_flow_not_published": _("There is no account, and the user flow was never published."),
    "user_flow_sign_up_off": _("There is no account, and sign-up is off in the user flow."),
}


def reason_in_words(code: str) -> str:
    return str(REASONS.get(code, code))


def step_in_words(step: Mapping[str, Any]) -> str:
    """Return the sentence of a step of the log, with what is known of it."""
    if step.get("outcome") == "refused":
        sentence = reason_in_words(step.get("reason", ""))
        if step.get("fields"):
            return _now("%(sentence)s Asked again: %(fields)s.") % {
                "sentence": sentence,
                "fields": ", ".join(step["fields"]),
            }
        return sentence
    sentence = str(STEPS.get(step.get("step", ""), step.get("step", "")))
    if step.get("page"):
        return _now("%(sentence)s Page %(page)d.") % {"sentence": sentence, "page": step["page"]}
    return sentence
