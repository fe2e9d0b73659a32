"""When a person who is signed in is asked again, and that nothing in the address gets them round it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from freezegun import freeze_time

from directory.models import Tenant
from tests.oidc.browsing import ANSWERS, answer_for, code_for, tokens_for
from tests.relying_party import RelyingParty
from tests.stranger import Stranger
from userflows.models import Journey, UserFlow


def later(seconds: int) -> Any:
    return freeze_time(timezone.now() + timedelta(seconds=seconds), tick=True)


def is_asked(person: Stranger, url: str) -> bool:
    """Answer whether the person is stopped at the first page, instead of being sent back with a code."""
    person.open(url)
    return not person.left_to and person.step == "choose"


def journey_of(person: Stranger, url: str) -> str:
    """Begin a journey with a request; return the id that will come back as portal_journey."""
    person.open(url)
    return person.path.split("/")[3]


@pytest.mark.parametrize("prompt", ["login", "create", "select_account", "login create", "consent login"])
def test_asks_again_who_is_signed_in_and_only_once(
    relying_party: RelyingParty, stranger: Stranger, prompt: str
) -> None:
    code_for(relying_party, stranger)
    assert is_asked(stranger, relying_party.request_url(prompt=prompt))
    stranger.give_email().give_code()
    assert relying_party.redeem(relying_party.answer(stranger.left_to)["code"]).status_code == 200


@pytest.mark.parametrize("prompt", [None, "", "consent", "anything"])
def test_asks_nobody_again_without_a_reason(
    relying_party: RelyingParty, stranger: Stranger, prompt: str | None
) -> None:
    code_for(relying_party, stranger)
    assert not is_asked(stranger, relying_party.request_url(prompt=prompt))


def test_asks_again_when_the_sign_in_is_older_than_max_age(relying_party: RelyingParty, stranger: Stranger) -> None:
    first = relying_party.verified(tokens_for(relying_party, stranger)["id_token"])
    with later(100):
        assert not is_asked(stranger, relying_party.request_url(max_age="3600"))
        assert is_asked(stranger, relying_party.request_url(max_age="60"))
        stranger.give_email().give_code()
        tokens = relying_party.redeem(relying_party.answer(stranger.left_to)["code"]).json()
        claims = relying_party.verified(tokens["id_token"])
    assert claims["auth_time"] >= first["auth_time"] + 100
    assert claims["sub"] == first["sub"]
    assert claims["sid"] != first["sid"]


def test_asks_again_with_max_age_zero_and_comes_to_an_end(relying_party: RelyingParty, stranger: Stranger) -> None:
    code_for(relying_party, stranger)
    with later(2):
        assert is_asked(stranger, relying_party.request_url(max_age="0"))
        stranger.give_email().give_code()
        assert relying_party.answer(stranger.left_to)["code"]


def test_answers_prompt_none_with_an_error_when_the_sign_in_is_too_old(
    relying_party: RelyingParty, stranger: Stranger
) -> None:
    code_for(relying_party, stranger)
    with later(100):
        assert answer_for(relying_party, stranger, prompt="none", max_age="60")["error"] == "login_required"
        assert answer_for(relying_party, stranger, prompt="none", max_age="3600")["code"]


def test_tells_when_the_person_signed_in_not_when_the_code_was_given(
    relying_party: RelyingParty, stranger: Stranger
) -> None:
    first = relying_party.verified(tokens_for(relying_party, stranger)["id_token"])
    with later(100):
        claims = relying_party.verified(tokens_for(relying_party, stranger)["id_token"])
    assert (claims["auth_time"], claims["sid"], claims["amr"]) == (first["auth_time"], first["sid"], ["otp"])


def test_cannot_be_talked_out_of_asking_by_a_journey_of_earlier(
    relying_party: RelyingParty, stranger: Stranger
) -> None:
    """The address of an earlier sign-in stands in the browser's history: whoever sits there now may know it."""
    url = relying_party.request_url(prompt="login")
    earlier = journey_of(stranger, url)
    stranger.give_email().give_code().submit(**ANSWERS)
    assert stranger.left_to
    with later(120):
        assert is_asked(stranger, f"{url}&portal_journey={earlier}")
        assert is_asked(stranger, f"{relying_party.request_url(max_age='60')}&portal_journey={earlier}")


def test_cannot_be_talked_out_of_asking_by_a_journey_of_another_request(
    relying_party: RelyingParty, stranger: Stranger
) -> None:
    journey = journey_of(stranger, relying_party.request_url())
    stranger.give_email().give_code().submit(**ANSWERS)
    assert stranger.left_to
    assert is_asked(stranger, f"{relying_party.request_url(prompt='login')}&portal_journey={journey}")
    assert is_asked(stranger, f"{relying_party.request_url(prompt='login', state='x')}&portal_journey={journey}")


def test_cannot_be_talked_out_of_asking_by_an_unfinished_journey(
    relying_party: RelyingParty, stranger: Stranger
) -> None:
    code_for(relying_party, stranger)
    url = relying_party.request_url(prompt="login")
    journey = journey_of(stranger, url)
    for replayed in (journey, journey.upper(), "x" * 36, "0" * 36, "-" * 36, "", f"{journey}x"):
        assert is_asked(stranger, f"{url}&portal_journey={replayed}")
    stranger.open(f"{url}&portal_journey={journey}&portal_journey={journey}")
    assert relying_party.answer(stranger.left_to)["error"] == "invalid_request"


def test_cannot_be_talked_out_of_asking_by_somebody_elses_journey(
    relying_party: RelyingParty, stranger: Stranger
) -> None:
    code_for(relying_party, stranger)
    other = Stranger(email="other@fabrikam.example")
    url = relying_party.request_url(prompt="login")
    journey = journey_of(other, url)
    other.give_email().give_code().submit(**ANSWERS)
    assert other.left_to
    assert is_asked(stranger, f"{url}&portal_journey={journey}")


def test_cannot_be_talked_out_of_asking_by_a_journey_in_another_browser(
    relying_party: RelyingParty, stranger: Stranger
) -> None:
    code_for(relying_party, stranger)
    with later(5):
        elsewhere = Stranger(email=stranger.email)
        url = relying_party.request_url(prompt="login")
        journey = journey_of(elsewhere, url)
        elsewhere.give_email().give_code()
        assert elsewhere.left_to
        assert is_asked(stranger, f"{url}&portal_journey={journey}")


def test_cannot_be_talked_out_of_asking_by_a_journey_in_another_tenant(
    relying_party: RelyingParty,
    stranger: Stranger,
    make_tenant: Callable[..., Tenant],
    make_user_flow: Callable[..., UserFlow],
    make_relying_party: Callable[..., RelyingParty],
) -> None:
    code_for(relying_party, stranger)
    globex = make_tenant("globex")
    foreign = make_relying_party(globex, make_user_flow(globex))
    elsewhere = Stranger(email=stranger.email)
    url = foreign.request_url(prompt="login")
    journey = journey_of(elsewhere, url)
    elsewhere.give_email().give_code().submit(**ANSWERS)
    assert elsewhere.left_to
    assert is_asked(stranger, f"{relying_party.request_url(prompt='login')}&portal_journey={journey}")


def test_fills_in_the_login_hint(relying_party: RelyingParty, stranger: Stranger) -> None:
    stranger.open(relying_party.request_url(login_hint="amina@fabrikam.example"))
    assert 'value="amina@fabrikam.example"' in stranger.html
    stranger.open(relying_party.request_url(login_hint='"><script>alert(1)</script>'))
    assert "<script>alert" not in stranger.html


@pytest.mark.parametrize("ui_locales", ["en", "xx-YY en", "pt-BR", "", "☃ en", "x" * 3000])
def test_takes_any_ui_locales(relying_party: RelyingParty, stranger: Stranger, ui_locales: str) -> None:
    assert code_for(relying_party, stranger, ui_locales=ui_locales)


def test_signs_in_again_as_somebody_else(relying_party: RelyingParty, stranger: Stranger) -> None:
    first = relying_party.verified(tokens_for(relying_party, stranger)["id_token"])
    stranger.open(relying_party.request_url(prompt="login"))
    stranger.email = "colleague@fabrikam.example"
    stranger.give_email().give_code().submit(**ANSWERS)
    tokens = relying_party.redeem(relying_party.answer(stranger.left_to)["code"]).json()
    assert relying_party.verified(tokens["id_token"])["sub"] != first["sub"]


def test_keeps_no_journey_when_the_application_only_asks(relying_party: RelyingParty, stranger: Stranger) -> None:
    answer_for(relying_party, stranger, prompt="none")
    assert Journey.objects.count() == 0
