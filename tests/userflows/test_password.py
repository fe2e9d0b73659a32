"""E-mail address and password: signing up, signing in, a new one, and what nobody may learn from any of it."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext

from directory import people
from directory.models import AuditEvent, Identity, IdentityProvider, Tenant, User
from directory.roles import Role
from identity_portal.oidc.models import RefreshToken
from tests.admin.signing_in import SECRET, give_app, give_password
from tests.conftest import PASSWORD
from tests.oidc.browsing import error_of
from tests.relying_party import RelyingParty
from tests.stranger import Stranger
from tests.totp import code_of
from tests.userflows.test_email_code import count_hashes
from userflows.models import Journey, SignIn
from userflows.password import MAX_BYTES
from userflows.steps import new_password

ANSWERS = {"GivenName": "Amina", "Surname": "Haddad"}
ANOTHER = "staple battery horse correct"
Make = Callable[..., Any]


@pytest.fixture
def password_way(relying_party: RelyingParty, make_provider: Callable[..., IdentityProvider]) -> IdentityProvider:
    """The flow offers passwords, beside codes."""
    return make_provider(relying_party.application.tenant, "EmailPassword", client_id="", secret="")


def at_password(relying_party: RelyingParty, email: str = "amina@fabrikam.example", **changes: str) -> Stranger:
    return Stranger(email=email).open(relying_party.request_url(**changes)).give_email()


def choose_password(stranger: Stranger, password: str = PASSWORD) -> Stranger:
    return stranger.submit(action="new_password").give_code().submit(password=password)


@pytest.fixture
def amina(relying_party: RelyingParty, password_way: IdentityProvider) -> User:
    """Somebody who has signed up with a password, in a browser that is not ours."""
    choose_password(at_password(relying_party)).submit(**ANSWERS)
    mail.outbox.clear()
    user: User = User.objects.get()
    return user


def sign_in(relying_party: RelyingParty, password: str, **changes: str) -> Stranger:
    return at_password(relying_party, **changes).submit(password=password)


def claims_of(relying_party: RelyingParty, stranger: Stranger) -> dict[str, Any]:
    tokens = relying_party.redeem(relying_party.answer(stranger.left_to)["code"]).json()
    return relying_party.verified(tokens["id_token"])


def test_signs_a_stranger_up_who_chooses_a_password(
    relying_party: RelyingParty, password_way: IdentityProvider
) -> None:
    stranger = at_password(relying_party)
    assert stranger.step == "password"
    assert not mail.outbox
    stranger.submit(action="new_password")
    assert stranger.step == "email_code"
    stranger.give_code()
    assert stranger.step == "new_password"
    stranger.submit(password=PASSWORD)
    assert stranger.step == "attributes"
    assert not User.objects.exists()
    stranger.submit(**ANSWERS)
    user = User.objects.get()
    assert user.check_password(PASSWORD)
    assert Identity.objects.get().issuer == "mail"
    assert claims_of(relying_party, stranger)["idp"] == "mail"
    assert [letter.to for letter in mail.outbox] == [[stranger.email]]


def test_signs_in_with_the_password_whatever_the_case_of_the_address(relying_party: RelyingParty, amina: User) -> None:
    stranger = sign_in(relying_party, PASSWORD, email="AMINA@Fabrikam.example")
    claims = claims_of(relying_party, stranger)
    assert (claims["sub"], claims["amr"], claims["idp"]) == (str(amina.pk), ["pwd"], "mail")
    assert not mail.outbox
    assert SignIn.objects.order_by("-started_at")[0].steps[-2]["step"] == "password"


def test_signs_in_with_a_code_instead(relying_party: RelyingParty, amina: User) -> None:
    stranger = at_password(relying_party).submit(action="code")
    assert stranger.step == "email_code"
    stranger.give_code()
    assert claims_of(relying_party, stranger)["amr"] == ["otp"]
    assert User.objects.get().check_password(PASSWORD)


def test_takes_a_letter_however_the_keyboard_composes_it(
    relying_party: RelyingParty, password_way: IdentityProvider
) -> None:
    choose_password(at_password(relying_party), "caf\u00e9 correct horse battery").submit(**ANSWERS)
    assert sign_in(relying_party, "cafe\u0301 correct horse battery").left_to


def test_keeps_no_password_readable_and_its_hash_sealed_until_the_end(
    relying_party: RelyingParty, password_way: IdentityProvider
) -> None:
    choose_password(at_password(relying_party))
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM userflows_journey")
        stored = str(cursor.fetchall())
    assert PASSWORD not in stored
    assert "argon2" not in stored
    assert Journey.objects.get().facts["password_hash"].startswith("argon2")


def test_a_new_password_ends_the_old_one_and_everything_begun_with_it(relying_party: RelyingParty, amina: User) -> None:
    old = sign_in(relying_party, PASSWORD, scope="openid offline_access")
    tokens = relying_party.redeem(relying_party.answer(old.left_to)["code"]).json()
    stranger = choose_password(at_password(relying_party), ANOTHER)
    assert claims_of(relying_party, stranger)["sub"] == str(amina.pk)
    assert error_of(relying_party.refresh(tokens["refresh_token"])) == "invalid_grant"
    assert RefreshToken.objects.filter(user=amina).exists()
    old.open(relying_party.request_url(prompt="none"))
    assert relying_party.answer(old.left_to)["error"] == "login_required"
    stranger.open(relying_party.request_url(prompt="none"))
    assert "code" in relying_party.answer(stranger.left_to)
    assert sign_in(relying_party, PASSWORD).step == "password"
    assert sign_in(relying_party, ANOTHER).left_to
    letter = mail.outbox[-1]
    assert (letter.to, letter.subject) == ([amina.mail], "Your password for Woodgrove was changed")
    assert "http" not in str(letter.body)
    assert AuditEvent.objects.filter(activity="user.password_changed", target_id=str(amina.pk)).count() == 1


def test_tells_of_a_first_password(
    relying_party: RelyingParty, password_way: IdentityProvider, stranger: Stranger
) -> None:
    at_password(relying_party).submit(action="code").give_code().submit(**ANSWERS)
    choose_password(at_password(relying_party))
    assert mail.outbox[-1].subject == "You have set a password for Woodgrove"
    assert AuditEvent.objects.filter(activity="user.password_set").count() == 1
    assert sign_in(relying_party, PASSWORD).left_to


def test_a_journey_that_was_open_when_the_password_changed_signs_nobody_in(
    relying_party: RelyingParty, amina: User
) -> None:
    """Whoever knew the old password may have typed it already, and wait on a page behind it."""
    thief = at_password(relying_party)
    journey = Journey.objects.order_by("-created_at")[0]
    people.exchange_password(User.objects.get(), encoded=User.objects.get().password)
    Journey.objects.filter(pk=journey.pk).update(created_at=User.objects.get().sign_in_sessions_valid_from)
    assert thief.submit(password=PASSWORD).left_to
    thief = at_password(relying_party)
    journey = Journey.objects.order_by("-created_at")[0]
    valid_from = journey.created_at + people.REVOKED_AHEAD * 2
    User.objects.update(sign_in_sessions_valid_from=valid_from)
    thief.submit(password=PASSWORD)
    assert thief.page.status_code == 410
    assert "Please sign in again" in thief.html


@pytest.mark.parametrize(
    ("password", "words"),
    [
        ("", "Choose a password of at least 12 characters"),
        ("elevenchars", "Use at least 12 characters"),
        ("password1234", "Many people use this password"),
        ("amina@fabrikam.example", "too much like your name or your email address"),
        ("é" * (MAX_BYTES // 2) + "x", "at most 1,000 characters"),
    ],
)
def test_says_how_to_mend_a_weak_password(
    relying_party: RelyingParty, password_way: IdentityProvider, password: str, words: str
) -> None:
    stranger = choose_password(at_password(relying_party), password)
    assert stranger.step == "new_password"
    assert words in stranger.html
    assert "password_hash" not in Journey.objects.get().facts
    assert stranger.submit(password=" a long passphrase " * 50).step == "attributes"


def test_an_old_page_has_nothing_hashed(relying_party: RelyingParty, password_way: IdentityProvider) -> None:
    """Hashing takes its time: by a page that leads nowhere anybody could have it done without end."""
    stranger = at_password(relying_party).submit(action="new_password").give_code()
    assert stranger.step == "new_password"
    with count_hashes() as counted:
        stranger.submit(password=PASSWORD, version="0")
    assert stranger.step == "new_password"
    assert not [name for name in counted if "argon2" in name], counted


def test_compares_with_the_name_of_who_has_an_account(relying_party: RelyingParty, amina: User) -> None:
    User.objects.update(display_name="Wilhelmina Oberhausen")
    assert "too much like your name" in choose_password(at_password(relying_party), "wilhelmina.oberhausen").html


def test_lets_nobody_choose_a_password_without_the_code(relying_party: RelyingParty, amina: User) -> None:
    stranger = at_password(relying_party).submit(action="new_password")
    journey = Journey.objects.order_by("-created_at")[0]
    for name in ("new_password", "attributes"):
        stranger.open(f"/woodgrove/journey/{journey.pk}/{name}/")
        assert stranger.step == "email_code"
    # Back to the first page, and in by the password: whoever knows it still has proven no mailbox.
    stranger.open(f"/woodgrove/journey/{journey.pk}/choose/").give_email()
    assert stranger.submit(password=PASSWORD).left_to
    assert not AuditEvent.objects.filter(activity__startswith="user.password").exists()


def test_a_wish_for_a_password_sets_none_after_another_way_was_taken(relying_party: RelyingParty, amina: User) -> None:
    journey = Journey(tenant=amina.tenant, application=relying_party.application)
    proof = {"way": "", "kind": "Google", "issuer": "google.com", "subject": "1", "methods": ["fed"], "user": ""}
    journey.learn(wants_password=True, proofs=[proof])
    assert new_password.is_done(journey)


@pytest.mark.parametrize("why", ["disabled", "deleted", "test", "without a password", "unknown"])
def test_refuses_in_the_same_words_who_may_not_sign_in(relying_party: RelyingParty, amina: User, why: str) -> None:
    expected = _comparable(sign_in(relying_party, "not the password"))
    if why == "disabled":
        people.disable(amina)
    if why == "deleted":
        people.delete_user(amina)
    if why == "test":
        User.objects.update(is_test=True)
    if why == "without a password":
        amina.set_unusable_password()
        amina.save()
    email = "nobody@fabrikam.example" if why == "unknown" else amina.mail
    stranger = sign_in(relying_party, PASSWORD, email=email)
    assert stranger.step == "password"
    assert _comparable(stranger) == expected


def _comparable(stranger: Stranger) -> str:
    journey = Journey.objects.order_by("-created_at")[0]
    page = stranger.html.replace(stranger.email, "ADDRESS").replace(str(journey.pk), "JOURNEY")
    page = page.replace(str(journey.correlation_id), "CORRELATION")
    return re.sub(r'name="csrfmiddlewaretoken" value="[^"]*"', "TOKEN", page)


VALUES = re.compile(r" (?:WHERE|VALUES|SET|SELECT \* FROM UNNEST)|SAVEPOINT")


@pytest.mark.parametrize(
    "fields", [{"password": "not the password"}, {"action": "new_password"}, {"action": "code"}], ids=str
)
def test_does_the_same_work_for_known_and_unknown_addresses(
    relying_party: RelyingParty, amina: User, fields: dict[str, str]
) -> None:
    """Byte for byte the same pages but for address and ids, the same statements, the same number of hashes."""
    answers = []
    for email in (amina.mail, "nobody@fabrikam.example"):
        stranger = at_password(relying_party, email=email)
        with CaptureQueriesContext(connection) as queries, count_hashes() as hashes:
            stranger.submit(**fields)
        statements = [VALUES.split(query["sql"])[0] for query in queries]
        # To check a password is to make its hash, and says little more.
        made = hashes.pop("argon2_verify", 0) + hashes.pop("argon2_hash", 0)
        for name in ("argon2_error_message", "argon2_encodedlen"):
            hashes.pop(name, None)
        answers.append((_comparable(stranger), stranger.page.status_code, statements, hashes, made))
    for one, other in zip(*answers, strict=True):
        assert one == other
    assert sum(answers[0][3].values()) > 3
    assert answers[0][4] == ("password" in fields)


def test_offers_no_code_that_the_flow_does_not_have(
    relying_party: RelyingParty, password_way: IdentityProvider
) -> None:
    IdentityProvider.objects.filter(kind="EmailOTP").update(is_enabled=False)
    stranger = at_password(relying_party)
    stranger.submit(action="code")
    assert stranger.step == "password"
    assert not mail.outbox
    assert choose_password(stranger).submit(**ANSWERS).left_to


def test_keeps_strangers_out_where_they_may_not_sign_up(
    tenant: Tenant, relying_party: RelyingParty, password_way: IdentityProvider
) -> None:
    Tenant.objects.update(sign_up_enabled=False)
    stranger = at_password(relying_party)
    assert "Create an account" not in stranger.html
    stranger.submit(action="new_password").give_code()
    assert stranger.page.status_code == 403
    assert not User.objects.exists()


def test_a_password_by_mail_opens_no_admin_without_the_second_factor(
    tenant: Tenant, relying_party: RelyingParty, password_way: IdentityProvider, make_member: Make
) -> None:
    """Whoever reads an administrator's mail gets tokens for applications with it, and the admin site stays shut."""
    admin = give_app(make_member(tenant, roles=(Role.GLOBAL_ADMINISTRATOR,)))
    stranger = choose_password(at_password(relying_party, email=admin.mail), ANOTHER)
    assert claims_of(relying_party, stranger)["sub"] == str(admin.pk)
    site = "/woodgrove/admin/"
    assert stranger.http.get(site)["Location"].startswith(f"{site}login/")
    stranger.http.handler.enforce_csrf_checks = False
    assert give_password(stranger.http, site, admin.mail, PASSWORD) == ""
    assert give_password(stranger.http, site, admin.mail, ANOTHER) == f"{site}second-factor/"
    assert stranger.http.get(site).status_code == 302
    # The page that sets a factor up is for those who have none.
    assert stranger.http.get(f"{site}second-factor/set-up/").status_code in (302, 404)
    answer = stranger.http.post(f"{site}second-factor/?way=totp", {"answer": code_of(SECRET)})
    assert answer["Location"] == site
