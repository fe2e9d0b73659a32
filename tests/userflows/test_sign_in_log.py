"""The sign-in log: one entry for each journey, whatever became of it."""

from typing import Any

import pytest

from directory.models import Tenant, User
from tests.relying_party import RelyingParty
from tests.stranger import Stranger
from userflows import sign_in_log
from userflows.models import Journey, Outcome, Reached, SignIn, SignUp, UserFlow

ANSWERS = {"GivenName": "Amina", "Surname": "Haddad"}


def steps(entry: SignIn) -> list[tuple[str, str]]:
    return [(step["step"], step.get("reason", step["outcome"])) for step in entry.steps]


def test_tells_a_sign_up_step_by_step(user_flow: UserFlow, relying_party: RelyingParty, stranger: Stranger) -> None:
    stranger.open(relying_party.request_url()).give_email()
    stranger.submit(code="00000000")
    stranger.give_code().submit(GivenName="")
    stranger.submit(**ANSWERS)
    entry = SignIn.objects.get()
    journey = Journey.objects.get()
    assert steps(entry) == [
        ("started", "done"),
        ("choose", "done"),
        ("email_code", "code_wrong"),
        ("email_code", "done"),
        ("attributes", "answers_refused"),
        ("attributes", "done"),
        ("signedUp", "done"),
    ]
    assert entry.steps[4]["fields"] == ["GivenName", "Surname"]
    assert (entry.pk, entry.correlation_id) == (journey.pk, journey.correlation_id)
    assert (entry.outcome, entry.reached) == (Outcome.SIGNED_UP, Reached.COMPLETED)
    assert (entry.user_flow, entry.flow_version) == (user_flow, user_flow.live_version)
    assert (entry.user, entry.mail) == (User.objects.get(), stranger.email)
    assert entry.application == relying_party.application


def test_remembers_why_a_guest_exists(user_flow: UserFlow, relying_party: RelyingParty, stranger: Stranger) -> None:
    stranger.sign_up(relying_party.request_url(), **ANSWERS)
    sign_up, journey = SignUp.objects.get(), Journey.objects.get()
    assert sign_up.user == User.objects.get()
    assert (sign_up.journey_id, sign_up.correlation_id) == (journey.pk, journey.correlation_id)
    assert (sign_up.user_flow_name, sign_up.version_number) == ("B2X_1_Suppliers", 1)
    assert (sign_up.application_name, sign_up.identity_provider) == ("Supplier Portal", "mail")


def test_tells_a_sign_in_from_a_sign_up(relying_party: RelyingParty, stranger: Stranger) -> None:
    stranger.sign_up(relying_party.request_url(), **ANSWERS)
    Stranger(email=stranger.email).open(relying_party.request_url()).give_email().give_code()
    outcomes = SignIn.objects.order_by("started_at").values_list("outcome", flat=True)
    assert list(outcomes) == [Outcome.SIGNED_UP, Outcome.SIGNED_IN]
    assert SignUp.objects.count() == 1


def test_keeps_no_address_that_was_not_proven(relying_party: RelyingParty, stranger: Stranger) -> None:
    stranger.open(relying_party.request_url()).give_email()
    entry = SignIn.objects.get()
    assert (entry.mail, entry.reached, entry.outcome) == ("", Reached.ADDRESS_GIVEN, Outcome.IN_PROGRESS)
    assert stranger.email not in str(entry.steps)


def test_tells_a_refusal_with_its_reason(relying_party: RelyingParty, stranger: Stranger) -> None:
    Tenant.objects.update(sign_up_enabled=False)
    stranger.open(relying_party.request_url()).give_email().give_code()
    entry = SignIn.objects.get()
    assert (entry.outcome, entry.reason) == (Outcome.REFUSED, "tenant_sign_up_off")
    assert entry.mail == stranger.email
    assert str(entry.correlation_id) == stranger.page["X-Correlation-ID"]


def test_tells_who_cancelled(relying_party: RelyingParty, stranger: Stranger) -> None:
    stranger.open(relying_party.request_url())
    cancel = f"/woodgrove/journey/{Journey.objects.get().pk}/cancel/"
    stranger.http.post(cancel, stranger.hidden_fields())
    assert SignIn.objects.get().outcome == Outcome.CANCELLED
    assert Journey.objects.count() == 0


def test_lets_no_other_browser_write_into_it(relying_party: RelyingParty, stranger: Stranger) -> None:
    stranger.open(relying_party.request_url())
    Stranger().open(f"/woodgrove/journey/{Journey.objects.get().pk}/choose/")
    assert SignIn.objects.get().outcome == Outcome.IN_PROGRESS


def test_does_not_grow_without_end(relying_party: RelyingParty, stranger: Stranger) -> None:
    stranger.open(relying_party.request_url())
    for _ in range(sign_in_log.MAX_STEPS + 5):
        sign_in_log.note(Journey.objects.get(), "email_code", reason="code_wrong")
    assert len(SignIn.objects.get().steps) == sign_in_log.MAX_STEPS


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"deleted_at": "2026-11-20T00:00:00Z"}, "Your account was deleted"),
        ({"account_enabled": False}, "Your account is switched off"),
    ],
)
def test_lets_nobody_back_in_whom_an_administrator_sent_away(
    relying_party: RelyingParty, stranger: Stranger, change: dict[str, Any], words: str
) -> None:
    stranger.sign_up(relying_party.request_url(), **ANSWERS)
    User.objects.update(**change)
    later = Stranger(email=stranger.email).open(relying_party.request_url()).give_email().give_code()
    assert later.page.status_code == 403
    assert words in later.html
    assert SignIn.objects.latest("started_at").outcome == Outcome.REFUSED
    assert User.objects.count() == 1
    # The first browser's session is over as well.
    stranger.open(relying_party.request_url(prompt="none"))
    assert relying_party.answer(stranger.left_to)["error"] == "login_required"
