"""Guessing passwords: slowed for each address and each network, in all processes, and the owner still gets in."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.core import mail
from django.db import connection
from django.test import Client

from directory import people
from directory.models import IdentityProvider, User
from tests.conftest import PASSWORD
from tests.oidc.browsing import at_once
from tests.relying_party import RelyingParty
from tests.stranger import Stranger
from userflows import password as passwords
from userflows.errors import TooManyRequests
from userflows.known_browser import COOKIE_NAME
from userflows.models import Journey, RateCounter
from userflows.rate_limit import Limit, count_attempt, give_back

ANSWERS = {"GivenName": "Amina", "Surname": "Haddad"}
OWNER = "amina@fabrikam.example"


@pytest.fixture(autouse=True)
def _small_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, count in (("NETWORK", 6), ("ACCOUNT_NETWORK", 2), ("ACCOUNT", 4), ("KNOWN_BROWSER", 3)):
        limit = getattr(passwords, f"{name}_LIMIT")
        monkeypatch.setattr(passwords, f"{name}_LIMIT", Limit(limit.name, count, 10**8))


@pytest.fixture
def owner(relying_party: RelyingParty, make_provider: Callable[..., IdentityProvider]) -> Stranger:
    """Somebody with a password, and the browser in which they signed up."""
    make_provider(relying_party.application.tenant, "EmailPassword", client_id="", secret="")
    stranger = Stranger(email=OWNER).open(relying_party.request_url()).give_email()
    stranger.submit(action="new_password").give_code().submit(password=PASSWORD).submit(**ANSWERS)
    mail.outbox.clear()
    return stranger


def from_network(address: str, email: str = OWNER) -> Stranger:
    return Stranger(email=email, http=Client(enforce_csrf_checks=True, REMOTE_ADDR=address))


def guess(relying_party: RelyingParty, person: Stranger, password: str = "not the password", **changes: str) -> int:
    person.open(relying_party.request_url(**changes)).give_email()
    return int(person.submit(password=password).page.status_code)


def use_up_the_strangers_allowance(relying_party: RelyingParty, email: str = OWNER) -> None:
    for network in ("192.0.2.1", "192.0.2.2"):
        for _ in range(2):
            assert guess(relying_party, from_network(network, email)) == 200


def test_slows_guessing_one_address_from_one_network(relying_party: RelyingParty, owner: Stranger) -> None:
    for _ in range(2):
        assert guess(relying_party, from_network("192.0.2.1")) == 200
    thief = from_network("192.0.2.1")
    assert guess(relying_party, thief, PASSWORD) == 429
    assert "too many wrong passwords" in thief.html
    assert int(thief.page["Retry-After"]) > 0
    assert not thief.left_to
    # From elsewhere it goes on, for a while.
    assert guess(relying_party, from_network("192.0.2.2")) == 200


def test_slows_guessing_one_address_from_many_networks(relying_party: RelyingParty, owner: Stranger) -> None:
    use_up_the_strangers_allowance(relying_party)
    assert guess(relying_party, from_network("192.0.2.3"), PASSWORD) == 429


def test_slows_guessing_many_addresses_from_one_network(relying_party: RelyingParty, owner: Stranger) -> None:
    for number in range(6):
        assert guess(relying_party, from_network("2001:db8::1", f"p{number}@fabrikam.example")) == 200
    assert guess(relying_party, from_network("2001:db8::2"), PASSWORD) == 429
    # Who has used up the network's takes nothing more from the owner of an address.
    assert guess(relying_party, from_network("192.0.2.9")) == 200


def test_says_the_same_of_an_unknown_address_and_makes_no_hash(relying_party: RelyingParty, owner: Stranger) -> None:
    pages = []
    for email in (OWNER, "nobody@fabrikam.example"):
        use_up_the_strangers_allowance(relying_party, email)
        RateCounter.objects.filter(count=6).delete()
        person = from_network("192.0.2.3", email)
        assert guess(relying_party, person) == 429
        pages.append([line for line in person.html.split("\n") if "csrf" not in line and "journey/" not in line])
        pages[-1] = [line.replace(email, "") for line in pages[-1] if "<code" not in line]
    assert pages[0] == pages[1]


def test_lets_the_owner_in_where_they_have_been_before(relying_party: RelyingParty, owner: Stranger) -> None:
    use_up_the_strangers_allowance(relying_party)
    assert guess(relying_party, owner, PASSWORD, prompt="login") == 302
    assert owner.left_to
    # With an allowance of their own.
    for _ in range(3):
        assert guess(relying_party, owner, prompt="login") == 200
    assert guess(relying_party, owner, PASSWORD, prompt="login") == 429


def test_lets_the_owner_in_with_a_code_anywhere(relying_party: RelyingParty, owner: Stranger) -> None:
    use_up_the_strangers_allowance(relying_party)
    elsewhere = from_network("192.0.2.3")
    assert guess(relying_party, elsewhere, PASSWORD) == 429
    assert elsewhere.submit(action="code").give_code().left_to
    # From now on they have been here before.
    assert guess(relying_party, elsewhere, PASSWORD, prompt="login") == 302
    assert elsewhere.left_to


def test_gives_a_known_browser_nothing_for_another_person(relying_party: RelyingParty, owner: Stranger) -> None:
    """The thief has an account of their own, and has signed in to it."""
    thief = from_network("192.0.2.3", "thief@fabrikam.example")
    thief.open(relying_party.request_url()).give_email()
    thief.submit(action="new_password").give_code().submit(password=PASSWORD).submit(**ANSWERS)
    assert COOKIE_NAME in thief.http.cookies
    use_up_the_strangers_allowance(relying_party)
    thief.email = OWNER
    assert guess(relying_party, thief, PASSWORD, prompt="login") == 429


def test_gives_a_browser_nothing_once_all_sign_ins_were_ended(relying_party: RelyingParty, owner: Stranger) -> None:
    user = User.objects.get()
    people.revoke_sign_in_sessions(user)
    User.objects.update(sign_in_sessions_valid_from=user.sign_in_sessions_valid_from + people.REVOKED_AHEAD)
    use_up_the_strangers_allowance(relying_party)
    assert guess(relying_party, owner, PASSWORD) == 429


def test_believes_no_cookie_that_it_did_not_sign(relying_party: RelyingParty, owner: Stranger) -> None:
    use_up_the_strangers_allowance(relying_party)
    for value in ("", "x", "eyJhIjoxfQ:1:x"):
        forger = from_network("192.0.2.3")
        forger.http.cookies[COOKIE_NAME] = value
        assert guess(relying_party, forger, PASSWORD) == 429


def test_keeps_the_cookie_from_scripts_and_other_tenants(owner: Stranger) -> None:
    cookie = owner.http.cookies[COOKIE_NAME]
    assert (cookie["path"], cookie["httponly"], cookie["samesite"]) == ("/woodgrove/", True, "Lax")
    assert cookie["max-age"] == 90 * 24 * 3600
    assert str(User.objects.get().pk) not in cookie.value


def test_counts_only_what_was_wrong(relying_party: RelyingParty, owner: Stranger) -> None:
    for _ in range(5):
        person = from_network("192.0.2.1")
        assert guess(relying_party, person, PASSWORD) == 302
        assert person.left_to


def test_what_is_right_takes_back_nobody_elses_tries(relying_party: RelyingParty, owner: Stranger) -> None:
    for _ in range(2):
        guess(relying_party, from_network("192.0.2.1"))
        guess(relying_party, from_network("192.0.2.2"), PASSWORD)
    assert guess(relying_party, from_network("192.0.2.1")) == 429


def test_judges_no_endless_password(relying_party: RelyingParty, owner: Stranger, monkeypatch: Any) -> None:
    monkeypatch.setattr(User, "set_password", None)
    monkeypatch.setattr(User, "check_password", None)
    assert guess(relying_party, from_network("192.0.2.1"), "x" * 1025) == 200


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_counts_before_it_judges() -> None:
    """Twenty tries at the same moment are no more than the limit, and giving back takes none twice."""
    limit = Limit("test.password", count=5, seconds=10**8)

    def attempt(_number: int) -> bool:
        try:
            count_attempt((limit, "amina"))
        except TooManyRequests:
            return False
        return True

    assert sum(at_once(20, attempt)) == 5
    at_once(8, lambda _number: give_back((limit, "amina")))
    assert RateCounter.objects.get().count == 0
    assert sum(at_once(20, attempt)) == 5
    assert connection.vendor == "postgresql"


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_slows_whoever_guesses_many_times_at_once(relying_party: RelyingParty, owner: Stranger) -> None:
    thieves = [from_network("192.0.2.1").open(relying_party.request_url()).give_email() for _ in range(6)]

    def try_one(number: int) -> int:
        return int(thieves[number].submit(password="not the password").page.status_code)

    assert sorted(at_once(6, try_one)) == [200] * 2 + [429] * 4


@pytest.mark.parametrize("ahead", [0, 1])
def test_judges_a_password_for_the_address_that_it_was_typed_for(
    relying_party: RelyingParty, owner: Stranger, monkeypatch: pytest.MonkeyPatch, ahead: int
) -> None:
    """Somebody types their own password, and has a second tab give another's address while it is being hashed."""
    intruder = from_network("192.0.2.7", "intruder@evil.example")
    intruder.open(relying_party.request_url()).give_email()
    intruder.submit(action="new_password").give_code().submit(password=PASSWORD).submit(**ANSWERS)
    intruder.http.cookies.pop("portal_session")
    intruder.open(relying_party.request_url()).give_email()
    version = str(int(intruder.hidden_fields()["version"]) + ahead)
    verify = Argon2PasswordHasher.verify

    def verify_slowly(self: Argon2PasswordHasher, password: str, encoded: str) -> bool:
        journey = Journey.objects.get(completed_at=None)
        journey.learn(mail=OWNER)
        journey.version += 1
        journey.save()
        return verify(self, password, encoded)

    monkeypatch.setattr(Argon2PasswordHasher, "verify", verify_slowly)
    intruder.submit(password=PASSWORD, version=version)
    assert not intruder.left_to
    assert intruder.step == "password"
    # Nothing is judged at all for a version that isn't there yet.
    assert (OWNER in intruder.html) is (ahead == 0)
