"""Why a trip to a provider led nowhere: in words for the person, and in the provider's own for administrators."""

from typing import ClassVar

from django.utils.functional import Promise
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from userflows.errors import UserFlowError
from userflows.federation.saml_problems import SAML_PROBLEMS

OWN_WORDS_MAX_LENGTH = 300
CHOOSE_ANOTHER = gettext_lazy("You can try again, or sign in another way.")
START_AGAIN = gettext_lazy("Go back to the application and start again from there.")
ANSWER_PROBLEMS: dict[str, str | Promise] = {
    "algorithm": gettext_lazy("The ID token is signed in a way that isn't accepted."),
    "at_hash": gettext_lazy("The access token doesn't belong to the ID token."),
    "audience": gettext_lazy("The ID token is for another application."),
    "authorized_party": gettext_lazy("The ID token was made for another application."),
    "claim_missing": gettext_lazy("The ID token lacks a claim that it must have."),
    "expired": gettext_lazy("The ID token has expired. Compare the clocks of both servers."),
    "identity": gettext_lazy("The provider spoke for somebody whom it can't vouch for."),
    "issuer": gettext_lazy("The ID token comes from another issuer."),
    "key_unknown": gettext_lazy("The ID token is signed with a key that the provider doesn't publish."),
    "malformed": gettext_lazy("The answer is not of the form that it must have."),
    "no_code": gettext_lazy("The answer has neither a code nor an error in it."),
    "no_id_token": gettext_lazy("There is no ID token in the answer."),
    "no_subject": gettext_lazy("The answer doesn't say who the person is."),
    "nonce": gettext_lazy("The ID token answers another request than ours."),
    "not_yet_valid": gettext_lazy("The ID token is of the future. Compare the clocks of both servers."),
    "response_issuer": gettext_lazy("The answer doesn't say that it is this provider's."),
    "signature": gettext_lazy("The signature of the ID token is wrong."),
    "userinfo_subject": gettext_lazy("The profile is of another person than the ID token."),
    **SAML_PROBLEMS,
}


class FederationError(UserFlowError):
    """A refusal that names the provider. `words` fills the texts in once it is known.

    `stage` is how far the trip came: discovery, authorize, token, keys, claims or callback. `provider_error` and
    `provider_description` are what the provider itself said: for administrators, never for the person.
    """

    status = 400
    stage = "callback"
    # The administrator has to set something right, here or at the provider.
    is_set_up_problem = False
    # The browser shows a page of a journey that goes on elsewhere: nothing is to be noted against the provider.
    blames_provider = True
    TITLE: ClassVar[str | Promise] = ""
    EXPLANATION: ClassVar[str | Promise] = ""
    ADVICE: ClassVar[tuple[str | Promise, ...]] = (CHOOSE_ANOTHER,)

    def __init__(self, error: str = "", description: str = "", *, stage: str = "") -> None:
        super().__init__(title="", explanation="")
        self.provider_error = shortened(error)
        self.provider_description = shortened(description)
        self.stage = stage or self.stage
        self.name_provider(_("the provider"))

    def name_provider(self, name: str) -> None:
        self.title = str(self.TITLE) % {"provider": name}
        self.explanation = str(self.EXPLANATION) % {"provider": name}
        self.advice = tuple(str(advice) % {"provider": name} for advice in self.ADVICE)


class ProviderCancelled(FederationError):
    code = "provider_cancelled"
    stage = "authorize"
    TITLE = gettext_lazy("You didn't sign in at %(provider)s")
    EXPLANATION = gettext_lazy("You cancelled there, or didn't allow it to tell us who you are. Nothing was kept.")


class ProviderRefused(FederationError):
    """The provider answered with an error of its own."""

    code = "provider_refused"
    TITLE = gettext_lazy("Signing in with %(provider)s didn't work")
    EXPLANATION = gettext_lazy("%(provider)s sent you back with an error. It isn't anything that you did.")
    ADVICE = (CHOOSE_ANOTHER, gettext_lazy("If it happens again, tell support the reference below."))


class ProviderMisconfigured(ProviderRefused):
    """What an administrator entered here, or at the provider, doesn't fit."""

    code = "provider_misconfigured"
    status = 502
    is_set_up_problem = True
    EXPLANATION = gettext_lazy("Signing in with %(provider)s isn't set up right here. It isn't anything that you did.")
    ADVICE = (
        gettext_lazy("Sign in another way, if there is one."),
        gettext_lazy("Tell support the reference below, so that it is put right."),
    )


class ProviderDown(FederationError):
    """Nobody answers there, or too slowly, or the provider says that it is out of order. `error` says why."""

    code = "provider_down"
    status = 502
    TITLE = gettext_lazy("%(provider)s can't be reached")
    EXPLANATION = gettext_lazy("%(provider)s doesn't answer at the moment. It isn't anything that you did.")
    ADVICE = (
        gettext_lazy("Try again in a minute, or sign in another way."),
        gettext_lazy("If it happens again, tell support the reference below."),
    )


class ProviderAnswerInvalid(FederationError):
    """The answer isn't one to be believed. `problem` is a key of ANSWER_PROBLEMS."""

    code = "provider_answer_invalid"
    stage = "claims"
    TITLE = gettext_lazy("The answer of %(provider)s could not be checked")
    EXPLANATION = gettext_lazy("What came back from %(provider)s is not what was asked for, so you weren't signed in.")
    ADVICE = (CHOOSE_ANOTHER, gettext_lazy("If it happens again, tell support the reference below."))

    def __init__(self, problem: str, description: str = "", *, stage: str = "") -> None:
        super().__init__(str(ANSWER_PROBLEMS.get(problem, problem)), description, stage=stage)
        self.problem = problem


class ProviderSwitchedOff(FederationError):
    code = "provider_switched_off"
    TITLE = gettext_lazy("Signing in with %(provider)s was switched off")
    EXPLANATION = gettext_lazy("An administrator has just switched off this way to sign in.")
    ADVICE = (gettext_lazy("Sign in another way, if there is one."),)


class PersonNotAdmitted(FederationError):
    """The provider vouches for the person, but not every account of it may come in: another organisation's."""

    code = "organisation_not_allowed"
    status = 403
    TITLE = gettext_lazy("This account can't be used here")
    EXPLANATION = gettext_lazy("Only accounts of certain organisations can sign in with %(provider)s here.")
    ADVICE = (
        gettext_lazy("Sign in at %(provider)s with the account of your organisation."),
        gettext_lazy("Or sign in another way, if there is one."),
    )


class AnswerUnknown(FederationError):
    """No such handshake, or another browser's, another provider's, another tenant's: the page doesn't tell which."""

    code = "answer_unknown"
    status = 404
    blames_provider = False
    TITLE = gettext_lazy("This page belongs to another browser")
    EXPLANATION = gettext_lazy("You can come back from a provider only in the browser in which you left for it.")
    ADVICE = (gettext_lazy("Go back to the browser window where you started."), START_AGAIN)


class AnswerExpired(FederationError):
    code = "answer_expired"
    status = 410
    blames_provider = False
    TITLE = gettext_lazy("That took too long")
    EXPLANATION = gettext_lazy("For your safety, signing in at a provider must end within 15 minutes.")


class AnswerUsed(FederationError):
    """A reload, the back button, a double click, or a replay."""

    code = "answer_used"
    status = 409
    blames_provider = False
    TITLE = gettext_lazy("This page was used already")
    EXPLANATION = gettext_lazy("The answer of %(provider)s counts once. This is a second time, which changes nothing.")
    ADVICE = (gettext_lazy("Go on where you were."),)


class AnswerOutdated(FederationError):
    """The person went on in a second tab: with another provider, or in another way."""

    code = "answer_outdated"
    status = 409
    blames_provider = False
    TITLE = gettext_lazy("You went on in another window")
    EXPLANATION = gettext_lazy("Since you left for %(provider)s you have chosen something else. That is what counts.")
    ADVICE = (gettext_lazy("Go on where you were."),)


def shortened(words: object) -> str:
    """Return a provider's words, of which nothing is sure, as they can stand in a log."""
    printable = "".join(letter if letter.isprintable() else " " for letter in str(words or ""))
    return Truncator(" ".join(printable.split())).chars(OWN_WORDS_MAX_LENGTH)
