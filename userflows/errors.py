"""Refusals: what a person on the hosted pages is told when they cannot go on. One middleware shows them as a page."""

import uuid

from django.utils.translation import gettext as _


class UserFlowError(Exception):
    """A dead end with words to act on. Subclasses fill in the texts when they are made, in the person's language.

    `code` is for logs and tests, `status` the HTTP status, `advice` what the person can do, `action_*` the main button;
    `go_on_to` names the step of the journey to which the button leads instead. `retry_after` is in seconds. A refusal
    with an `activity` is written to the audit log by the middleware that shows it: here the transaction is still to be
    rolled back. The same goes for the sign-in log, by `journey_id`.
    """

    code = "refused"
    status = 403
    retry_after: int | None = None
    activity = ""
    reason = ""
    mail = ""
    go_on_to = ""
    journey_id: uuid.UUID | None = None

    def __init__(
        self,
        *,
        title: str,
        explanation: str,
        advice: tuple[str, ...] = (),
        action_label: str = "",
        action_url: str = "",
    ) -> None:
        super().__init__(self.code)
        self.title = title
        self.explanation = explanation
        self.advice = advice
        self.action_label = action_label
        self.action_url = action_url


class JourneyUnknown(UserFlowError):
    """No such journey, or it was begun in another browser: the answer doesn't tell which."""

    code = "journey_unknown"
    status = 404

    def __init__(self) -> None:
        super().__init__(
            title=_("This page belongs to another browser"),
            explanation=_("Sign-up continues only in the browser in which it was started."),
            advice=(
                _("Go back to the browser window where you started."),
                _("Or open the application again and start from there."),
            ),
        )


class JourneyExpired(UserFlowError):
    code = "journey_expired"
    status = 410

    def __init__(self, start_again_url: str) -> None:
        super().__init__(
            title=_("This page has expired"),
            explanation=_("For your safety a sign-up ends after about 30 minutes. Nothing that you entered was kept."),
            advice=(_("Start again. It takes about a minute."),),
            action_label=_("Start again"),
            action_url=start_again_url,
        )


class JourneyFinished(UserFlowError):
    """A finished journey signs in once; its page can't be used again after signing out."""

    code = "journey_finished"
    status = 410

    def __init__(self, start_again_url: str) -> None:
        super().__init__(
            title=_("You have finished here already"),
            explanation=_("This sign-up was completed and can't be used a second time."),
            advice=(_("Sign in again to go on."),),
            action_label=_("Sign in"),
            action_url=start_again_url,
        )


class SignInsEnded(UserFlowError):
    """The person's sign-ins were ended (by them, with a new password, or by an administrator) since this one began."""

    code = "sign_ins_ended"
    status = 410

    def __init__(self, start_again_url: str) -> None:
        super().__init__(
            title=_("Please sign in again"),
            explanation=_("All sign-ins to this account were ended while you were signing in here."),
            advice=(_("Start again. If the password was changed, use the new one."),),
            action_label=_("Sign in"),
            action_url=start_again_url,
        )


class SignUpNotAllowed(UserFlowError):
    """A stranger at a door that is open only to those who have an account. `reason` is for the audit log."""

    code = "sign_up_not_allowed"
    activity = "sign_up.refused"

    def __init__(
        self, *, reason: str, mail: str, tenant_name: str, start_again_url: str, provider_name: str = ""
    ) -> None:
        """`provider_name` is that of the provider by which the person came, whose word for the address counts."""
        self.reason = reason
        self.mail = mail
        explanation = _("%(tenant)s does not accept new accounts here at the moment.") % {"tenant": tenant_name}
        if provider_name and reason == "provider_signs_in_only":
            words = _("You can sign in with %(provider)s here, but not create an account with it.")
            explanation = words % {"provider": provider_name}
        if provider_name:
            words = _("You signed in with %(provider)s as %(mail)s.")
            explanation = f"{words % {'provider': provider_name, 'mail': mail}} {explanation}"
        super().__init__(
            title=_("There is no account with this email address"),
            explanation=explanation,
            advice=(
                _("Check that you used the address that %(tenant)s knows you by.") % {"tenant": tenant_name},
                _("Ask your contact at %(tenant)s for access.") % {"tenant": tenant_name},
            ),
            action_label=_("Use a different email address"),
            action_url=start_again_url,
        )


class DomainNotAllowed(UserFlowError):
    """A stranger whose e-mail domain the flow doesn't let in. Said only to who has proven the address."""

    code = "email_domain_not_allowed"
    activity = "sign_up.refused"
    reason = "email_domain_not_allowed"

    def __init__(self, *, mail: str, admission: str, tenant_name: str, start_again_url: str) -> None:
        self.mail = mail
        if admission == "allowedDomains":
            explanation = _("%(tenant)s accepts new accounts with certain company addresses only.")
        else:
            explanation = _("%(tenant)s does not accept new accounts with addresses of this kind.")
        super().__init__(
            title=_("You can't sign up with this email address"),
            explanation=explanation % {"tenant": tenant_name},
            advice=(
                _("Use your work email address."),
                _("Ask your contact at %(tenant)s for access.") % {"tenant": tenant_name},
            ),
            action_label=_("Use a different email address"),
            action_url=start_again_url,
        )


class NoWayToSignIn(UserFlowError):
    """Every identity provider of the flow is switched off."""

    code = "no_way_to_sign_in"
    status = 503

    def __init__(self, *, tenant_name: str) -> None:
        super().__init__(
            title=_("Nobody can sign in here at the moment"),
            explanation=_("%(tenant)s has switched off every way to sign in.") % {"tenant": tenant_name},
            advice=(_("Try again later, or ask your contact at %(tenant)s.") % {"tenant": tenant_name},),
        )


class RunNeedsStranger(UserFlowError):
    """“Run user flow” tries a sign-up; it never touches the account of somebody who is there."""

    code = "run_needs_stranger"
    status = 409

    def __init__(self, *, start_again_url: str) -> None:
        super().__init__(
            title=_("This address has an account already"),
            explanation=_("A test run signs a new test user up, and never touches an account that is in use."),
            advice=(_("Take another address of yours, such as name+test@example.com."),),
            action_label=_("Use a different email address"),
            action_url=start_again_url,
        )


class AccountDeleted(UserFlowError):
    """A deleted person within the 30 days in which the account can be restored. Said only to who has proven it."""

    code = "account_deleted"
    activity = "sign_in.refused"
    reason = "account_deleted"

    def __init__(self, *, mail: str, tenant_name: str) -> None:
        self.mail = mail
        super().__init__(
            title=_("Your account was deleted"),
            explanation=_("An administrator of %(tenant)s has deleted this account.") % {"tenant": tenant_name},
            advice=(_("Ask your contact at %(tenant)s to restore it.") % {"tenant": tenant_name},),
        )


class AccountDisabled(UserFlowError):
    code = "account_disabled"
    activity = "sign_in.refused"

    def __init__(self, *, mail: str, tenant_name: str) -> None:
        self.mail = mail
        super().__init__(
            title=_("Your account is switched off"),
            explanation=_("An administrator of %(tenant)s has switched off this account.") % {"tenant": tenant_name},
            advice=(_("Ask your contact at %(tenant)s to switch it on again.") % {"tenant": tenant_name},),
        )


class MailInUse(UserFlowError):
    """The address belongs to an account since a moment ago. Never linked silently: the next page asks."""

    code = "mail_in_use"
    status = 409
    go_on_to = "link"
    activity = "sign_up.refused"

    def __init__(self, *, mail: str, tenant_name: str) -> None:
        self.mail = mail
        super().__init__(
            title=_("You already have an account"),
            explanation=_("There is an account with this email address that signs in another way."),
            advice=(
                _("Sign in the way you did before."),
                _("Ask your contact at %(tenant)s if you don't remember how.") % {"tenant": tenant_name},
            ),
            action_label=_("Continue"),
        )


class AnotherPerson(UserFlowError):
    """Two proofs of one journey name two people, or the old way that was proven isn't the expected person's."""

    code = "another_person"
    status = 409
    go_on_to = "link"
    activity = "sign_in.refused"
    reason = "another_person"

    def __init__(self, *, tenant_name: str) -> None:
        super().__init__(
            title=_("These belong to two different accounts"),
            explanation=_("What you signed in with last belongs to another account than what you began with."),
            advice=(
                _("Go back, and sign in with the account that you used here before."),
                _("Ask your contact at %(tenant)s if both accounts are yours.") % {"tenant": tenant_name},
            ),
            action_label=_("Go back"),
        )


class IdentityInDoubt(UserFlowError):
    """An identity that came by one provider is claimed by another one, which calls itself the same."""

    code = "identity_in_doubt"
    status = 409
    activity = "sign_in.refused"
    reason = "identity_in_doubt"

    def __init__(self, *, tenant_name: str) -> None:
        super().__init__(
            title=_("This account can't be used here"),
            explanation=_("Somebody signs in here with an account of the same name, by another provider."),
            advice=(_("Ask your contact at %(tenant)s, and tell them the reference below.") % {"tenant": tenant_name},),
        )


class WaySwitchedOff(UserFlowError):
    """What the person proved themselves with was switched off before they were done."""

    code = "way_switched_off"
    status = 403

    def __init__(self, *, tenant_name: str, start_again_url: str) -> None:
        super().__init__(
            title=_("This way to sign in was switched off"),
            explanation=_("%(tenant)s has just switched off the way in which you signed in.") % {"tenant": tenant_name},
            advice=(_("Start again, and sign in another way."),),
            action_label=_("Start again"),
            action_url=start_again_url,
        )


class TooManyRequests(UserFlowError):
    code = "too_many_requests"
    status = 429

    def __init__(self, *, retry_after: int) -> None:
        self.retry_after = retry_after
        minutes = max(1, -(-retry_after // 60))
        super().__init__(
            title=_("Please wait a little"),
            explanation=_("There were too many tries. This protects you and others from misuse."),
            advice=(_("Try again in about %(minutes)d minutes.") % {"minutes": minutes},),
        )
