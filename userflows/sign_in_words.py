"""The sign-in log in words: what happened, and why somebody could not go on."""

from collections.abc import Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from userflows.federation.errors import ANSWER_PROBLEMS

STEPS: dict[str, str | Promise] = {
    "started": _("Came from the application and opened the first page."),
    "choose": _("Gave an email address. A code was sent there."),
    "email": _("Gave an email address, since the identity provider's word for it isn't enough. A code was sent there."),
    "email_code": _("Typed the code: the address is proven."),
    "federation": _("Signed in at an identity provider."),
    "led": _("Was led there by the address or by the application."),
    "joined": _("Said yes to joining it to the account that was there."),
    "link": _("Was told that there is an account with this address, and chose to prove it in an old way."),
    "new_password": _("Chose a new password."),
    "other_address": _("Wanted another email address."),
    "passkey": _("Used a passkey."),
    "password": _("Typed the password."),
    "password_code": _("Asked for a code instead of typing the password."),
    "password_new": _("Asked for a code, to choose a new password."),
    "attributes": _("Answered the questions."),
    "signedUp": _("The account was created, and the person went back to the application."),
    "signedIn": _("Signed in with an account that was there, and went back to the application."),
    "cancelled": _("Cancelled, and went back to the application."),
    "refused": _("Could not go on."),
}
REASONS: dict[str, str | Promise] = {
    "account_deleted": _("The account was deleted."),
    "account_disabled": _("The account is switched off."),
    "another_person": _("Proved to be somebody else than what was proven first."),
    "answer_expired": _("Coming back from the identity provider took longer than 15 minutes."),
    "answer_outdated": _("Came back from an identity provider after going on in another window."),
    "answer_used": _("The identity provider's answer came a second time. Nothing was changed."),
    "answers_refused": _("Some answers were missing or not valid."),
    "code_expired": _("The code had expired, or was tried too often."),
    "code_wrong": _("The code was wrong."),
    "email_domain_not_allowed": _("The tenant or the user flow doesn't let this email domain in."),
    "first_party_application": _("Nobody signs up through the portal's own applications."),
    "identity_in_doubt": _("The same identity came by another identity provider before, which calls itself the same."),
    "journey_expired": _("It took too long."),
    "journey_finished": _("It was finished already; its page was opened once more."),
    "journey_unknown": _("It was begun in another browser."),
    "mail_in_use": _("The address had just become an account's."),
    "no_user_flow": _("There is no account, and the application has no user flow to sign up by."),
    "no_way_to_sign_in": _("Every way to sign in was switched off."),
    "organisation_not_allowed": _("The account belongs to an organisation that isn't let in."),
    "passkey_refused": _("The passkey is not one of this tenant's people, or its answer was not right."),
    "password_tries": _("There were too many wrong passwords; it was not looked at."),
    "password_weak": _("The new password was too weak."),
    "password_wrong": _("The password didn't go with the address, or there is no such account."),
    "provider_signs_in_only": _("There is no account, and nobody signs up with this identity provider."),
    "provider_answer_invalid": _("The identity provider's answer didn't stand the checks."),
    "provider_cancelled": _("Cancelled at the identity provider."),
    "provider_down": _("The identity provider could not be reached."),
    "provider_misconfigured": _("The identity provider isn't set up right."),
    "provider_refused": _("The identity provider answered with an error."),
    "provider_switched_off": _("The identity provider was switched off meanwhile."),
    "refused": _("It was refused."),
    "run_needs_stranger": _("A test run was given the address of an existing account."),
    "sign_ins_ended": _("The person's sign-ins were ended in between."),
    "sign_up_not_allowed": _("Sign-up is not allowed here."),
    "tenant_sign_up_off": _("There is no account, and self-service sign-up is off for the whole tenant."),
    "too_many_requests": _("There were too many tries in a short time."),
    "user_flow_not_published": _("There is no account, and the user flow was never published."),
    "user_flow_sign_up_off": _("There is no account, and sign-up is off in the user flow."),
    "way_switched_off": _("What the person signed in with was switched off meanwhile."),
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
        return _with_provider(step, sentence)
    sentence = str(STEPS.get(step.get("step", ""), step.get("step", "")))
    if step.get("step") == "choose" and step.get("provider"):
        sentence = _now("Chosen to sign in with.")
    if step.get("page"):
        return _now("%(sentence)s Page %(page)d.") % {"sentence": sentence, "page": step["page"]}
    return _with_provider(step, sentence)


def _with_provider(step: Mapping[str, Any], sentence: str) -> str:
    """Say which identity provider it was, what was wrong with its answer, and its own words."""
    problem = step.get("problem", "")
    words = [sentence, str(ANSWER_PROBLEMS.get(problem, problem))]
    if step.get("said"):
        words.append(_now("It said: “%(words)s”.") % {"words": step["said"]})
    told = " ".join(word for word in words if word)
    return f"{step['provider']}: {told}" if step.get("provider") else told
