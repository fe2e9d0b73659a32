"""“Your account”: everything of one's own, nothing of anybody else's, and changes only for who has just signed in."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core.mail import EmailMessage
from django.utils import timezone
from freezegun import freeze_time

from directory.models import (
    EMAIL_CODE,
    EMAIL_PASSWORD,
    PASSKEY,
    Application,
    AuditEvent,
    Identity,
    IdentityProvider,
    Session,
    Tenant,
    User,
)
from tests.conftest import PASSWORD
from tests.hosted_passkeys import ANSWERS, give_passkey, options_on
from tests.passkey import SoftPasskey
from tests.relying_party import RelyingParty
from tests.stranger import Stranger
from userflows.passkey import passkeys_of

pytestmark = pytest.mark.any_database

HOME = "/woodgrove/account/"
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.fixture(autouse=True)
def _at_localhost(settings: Any) -> None:
    settings.BASE_URL = "http://localhost"


@pytest.fixture(autouse=True)
def _ways(tenant: Tenant) -> None:
    IdentityProvider.objects.create(tenant=tenant, kind=PASSKEY, name="Passkey", may_create_accounts=False)


def have_passwords(tenant: Tenant) -> None:
    """Switch passwords on, for the account pages: the application's user flow was published without."""
    IdentityProvider.objects.create(tenant=tenant, kind=EMAIL_PASSWORD, name="Password")


@pytest.fixture
def here(relying_party: RelyingParty) -> Stranger:
    """The browser of somebody who has just signed up in an application."""
    browser = Stranger()
    browser.http.defaults["HTTP_USER_AGENT"] = FIREFOX
    browser.sign_up(relying_party.request_url(), **ANSWERS)
    return browser.open(HOME)


@pytest.fixture
def person(here: Stranger) -> User:
    return owner_of(here)


def owner_of(browser: Stranger) -> User:
    found: User = User.objects.get(mail=browser.email)
    return found


def enter(browser: Stranger, path: str = HOME) -> Stranger:
    browser.http.defaults["HTTP_USER_AGENT"] = FIREFOX
    browser.open(path)
    return by_code(browser) if browser.step != "account" else browser


def by_code(browser: Stranger) -> Stranger:
    """From the first page of a journey to its end."""
    # These pages have a button for passkeys, and offer none on the way.
    browser.submit(email=browser.email, can_passkey="1")
    if browser.step == "password":
        browser.submit(action="code")
    return browser.give_code()


def link_google(user: User) -> Identity:
    tenant = Tenant.objects.get(users=user)
    google, _made = IdentityProvider.objects.get_or_create(
        tenant=tenant, kind="Google", defaults={"name": "Google", "client_id": "x", "secret": "y"}
    )
    return Identity.objects.create(
        tenant=tenant,
        user=user,
        identity_provider=google,
        sign_in_type="federated",
        issuer="google.com",
        issuer_assigned_id=f"google-{user.pk}",
    )


def at(browser: Stranger, path: str) -> Stranger:
    return browser.open(HOME + path)


def words_on(browser: Stranger) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", browser.html).split())


# Coming in


def test_asks_who_it_is_and_comes_back(person: User, here: Stranger) -> None:
    browser = Stranger(email=person.mail).open(HOME)
    assert browser.step == "choose"
    assert "See how you sign in to Woodgrove" in browser.html
    by_code(browser)
    assert browser.path.startswith(f"{HOME}?signed_in=1")
    words = words_on(browser)
    assert "Amina Haddad" in words
    assert "amina@fabrikam.example" in words
    assert browser.page["Cache-Control"].count("no-store") == 1
    assert browser.open(HOME).page.status_code == 200
    # Who is signed in to an application is known here too.
    assert "Amina Haddad" in here.html


def test_signs_nobody_up(tenant: Tenant) -> None:
    browser = by_code(Stranger().open(HOME))
    assert browser.page.status_code == 403
    assert not User.objects.exists()
    assert AuditEvent.objects.get(activity="sign_up.refused").reason == "first_party_application"


def test_cancelling_ends_somewhere(tenant: Tenant) -> None:
    browser = Stranger().open(HOME)
    cancel = browser.path.replace("choose/", "cancel/")
    # The address of the answer is the portal's own.
    answer = browser.http.post(cancel, browser.hidden_fields())
    browser.open(answer["Location"].removeprefix("http://localhost"))
    assert "You are not signed in" in browser.html


def test_is_open_to_members_too(tenant: Tenant, make_member: Callable[..., User]) -> None:
    member = make_member(tenant)
    assert "Ada Admin" in enter(Stranger(email=member.mail)).html


def test_can_be_switched_off(here: Stranger) -> None:
    Application.objects.filter(name="Your account").update(is_enabled=False)
    for browser in (here, Stranger()):
        assert browser.open(HOME).page.status_code == 404


# Only after a fresh sign-in

GUARDED = ("address/", "address/code/", "password/remove/", "passkeys/add/")


def test_changes_need_a_sign_in_of_the_last_ten_minutes(person: User) -> None:
    give_passkey(person)
    identity, passkey = link_google(person), passkeys_of(person)[0]
    paths = [*GUARDED, f"ways/{identity.pk}/remove/", f"passkeys/{passkey.id}/remove/"]
    with freeze_time(timezone.now()) as clock:
        browser = enter(Stranger(email=person.mail))
        clock.tick(599)
        for path in paths:
            assert "/journey/" not in at(browser, path).path, path
        clock.tick(2)
        for path in paths:
            page = at(browser, path)
            assert (page.step, page.page.status_code) == ("choose", 200), path
            assert "Prove once more that it is you" in page.html
            # What was sent is not done.
            token = browser.hidden_fields()["csrfmiddlewaretoken"]
            sent = browser.http.post(HOME + path, {"csrfmiddlewaretoken": token, "email": "x@fabrikam.example"})
            assert "/journey/" in sent["Location"], path
        assert len(passkeys_of(person)) == 1
        assert Identity.objects.filter(user=person).count() == 2


def test_leads_back_to_what_was_wanted(person: User) -> None:
    identity = link_google(person)
    with freeze_time(timezone.now()) as clock:
        browser = enter(Stranger(email=person.mail))
        clock.tick(601)
        by_code(at(browser, f"ways/{identity.pk}/remove/"))
        assert browser.path.startswith(f"{HOME}ways/{identity.pk}/remove/?signed_in=1")
        assert "Remove this way to sign in?" in browser.html


def test_signing_out_elsewhere_makes_nobody_fresh(person: User) -> None:
    with freeze_time(timezone.now()) as clock:
        browser = enter(Stranger(email=person.mail))
        clock.tick(700)
        browser.path = f"{HOME}sessions/end/"
        assert "signed out everywhere else" in browser.submit(session="others").html
        clock.tick(2)
        assert at(browser, "address/").step == "choose"


# Nothing of anybody else's


@pytest.fixture
def other(person: User, relying_party: RelyingParty) -> User:
    browser = Stranger(email="noor@fabrikam.example")
    browser.sign_up(relying_party.request_url(), **ANSWERS)
    return owner_of(browser)


def test_finds_nothing_of_others(here: Stranger, other: User, make_tenant: Callable[..., Tenant]) -> None:
    give_passkey(other)
    identity, passkey, session = link_google(other), passkeys_of(other)[0], Session.objects.get(user=other)
    for path in (f"ways/{identity.pk}/remove/", f"passkeys/{passkey.id}/remove/", f"passkeys/{passkey.id}/rename/"):
        fields = here.open(HOME).hidden_fields()
        assert here.http.get(HOME + path).status_code == 404, path
        assert here.http.post(HOME + path, fields | {"name": "x"}).status_code == 404, path
    for key in (session.pk, "", "\x00", "x" * 999):
        assert here.http.post(f"{HOME}sessions/end/", fields | {"session": key}).status_code == 404
    assert "noor" not in here.open(HOME).html
    make_tenant("globex")
    assert here.open("/globex/account/").step == "choose"
    assert len(passkeys_of(other)) == Session.objects.filter(user=other).count() == 1
    assert Identity.objects.filter(user=other).count() == 2


def test_every_change_is_a_checked_post(here: Stranger, person: User) -> None:
    identity = link_google(person)
    for path in (f"ways/{identity.pk}/remove/", "sessions/end/", "address/", "password/", "password/remove/"):
        assert here.http.post(HOME + path, {"session": "others"}).status_code == 403
    assert here.http.get(f"{HOME}sessions/end/").status_code == 405


# Ways to sign in


def test_removes_a_way(here: Stranger, person: User, mailoutbox: list[EmailMessage]) -> None:
    identity = link_google(person)
    assert "Google" in here.open(HOME).html
    at(here, f"ways/{identity.pk}/remove/").submit()
    assert "nobody signs in with it any more" in here.html
    assert [kept.issuer for kept in Identity.objects.filter(user=person)] == ["mail"]
    assert "A way to sign in was removed from your account. (Google)" in str(mailoutbox[-1].body)
    # Pressed twice.
    assert here.http.post(f"{HOME}ways/{identity.pk}/remove/", here.hidden_fields()).status_code == 302


def test_never_removes_the_last_way(here: Stranger, person: User) -> None:
    own = Identity.objects.get(user=person)
    assert f"ways/{own.pk}/remove/" not in here.open(HOME).html
    assert "your only way to sign in" in at(here, f"ways/{own.pk}/remove/").submit().html
    # Neither a passkey nor a way that the tenant has switched off counts for one.
    give_passkey(person)
    link_google(person)
    IdentityProvider.objects.filter(kind="Google").update(is_enabled=False)
    assert "not in use at the moment" in here.open(HOME).html
    assert "your only way to sign in" in at(here, f"ways/{own.pk}/remove/").submit().html
    IdentityProvider.objects.filter(kind="Google").update(is_enabled=True)
    at(here, f"ways/{own.pk}/remove/").submit()
    assert [kept.issuer for kept in Identity.objects.filter(user=person)] == ["google.com"]


def test_the_address_stays_as_long_as_there_is_a_password(here: Stranger, person: User) -> None:
    link_google(person)
    person.set_password(PASSWORD)
    person.save()
    here.open(HOME)
    by_code(here)
    own = Identity.objects.get(user=person, issuer="mail")
    assert "Remove the password first" in at(here, f"ways/{own.pk}/remove/").submit().html
    assert Identity.objects.filter(pk=own.pk).exists()


# Passkeys


def test_adds_renames_and_removes_a_passkey(here: Stranger, person: User, mailoutbox: list[EmailMessage]) -> None:
    passkey = SoftPasskey()
    at(here, "passkeys/add/")
    assert 'value="Firefox on Windows"' in here.html
    here.submit(name="My laptop", answer=passkey.make(options_on(here.html)))
    assert "Your passkey is ready." in here.html
    assert "(My laptop)" in str(mailoutbox[-1].body)
    made = passkeys_of(person)[0]
    at(here, f"passkeys/{made.id}/rename/").submit(name="Kitchen")
    assert "Kitchen" in here.html
    at(here, f"passkeys/{made.id}/remove/").submit()
    assert passkeys_of(person) == []
    assert "(Kitchen)" in str(mailoutbox[-1].body)
    assert here.http.post(f"{HOME}passkeys/{made.id}/remove/", here.hidden_fields()).status_code == 302


def test_an_answer_adds_a_passkey_once_and_only_its_owners(here: Stranger, person: User, other: User) -> None:
    at(here, "passkeys/add/")
    answer = SoftPasskey().make(options_on(here.html))
    theirs = at(enter(Stranger(email=other.mail)), "passkeys/add/")
    assert "could not be checked" in theirs.submit(name="x", answer=answer).html
    here.submit(name="x", answer=answer)
    at(here, "passkeys/add/")
    assert "could not be checked" in here.submit(name="x", answer=answer).html
    assert (len(passkeys_of(person)), len(passkeys_of(other))) == (1, 0)


def test_makes_no_passkeys_where_they_are_no_way(here: Stranger) -> None:
    IdentityProvider.objects.filter(kind=PASSKEY).delete()
    assert "passkeys/add/" not in here.open(HOME).html
    assert at(here, "passkeys/add/").page.status_code == 404


# Password and address


def test_sets_a_password_by_a_code(here: Stranger, person: User, tenant: Tenant) -> None:
    assert "Password" not in here.open(HOME).html
    assert at(here, "password/").page.status_code == 404
    have_passwords(tenant)
    at(here, "password/").submit()
    assert here.step == "email_code"
    here.give_code()
    assert here.step == "new_password"
    here.submit(password=PASSWORD)
    assert here.path.startswith(HOME)
    person.refresh_from_db()
    assert person.check_password(PASSWORD)
    assert "A password is set." in here.html
    # Its reset code is a way in, also where the code itself is none.
    IdentityProvider.objects.filter(tenant=tenant, kind=EMAIL_CODE).update(is_enabled=False)
    assert "not in use" not in here.open(HOME).html
    at(here, "password/remove/").submit()
    assert "Your password is removed." in here.html
    person.refresh_from_db()
    assert not person.has_usable_password()
    assert AuditEvent.objects.filter(activity="user.password_removed", target_id=str(person.pk)).exists()


def test_an_administrators_password_stays(tenant: Tenant, make_member: Callable[..., User]) -> None:
    member = make_member(tenant)
    browser = enter(Stranger(email=member.mail))
    fields = browser.hidden_fields()
    assert "so it stays" in at(browser, "password/remove/").html
    assert browser.http.post(f"{HOME}password/remove/", fields).status_code == 302
    member.refresh_from_db()
    assert member.has_usable_password()


def test_changes_the_address(here: Stranger, person: User) -> None:
    at(here, "address/").submit(email="amina@contoso.example")
    assert here.step == "code"
    here.email = "amina@contoso.example"
    assert "not the code" in here.submit(code="00000000").html
    here.give_code()
    assert "Your address is changed." in here.html
    person.refresh_from_db()
    assert person.mail == "amina@contoso.example"


# Sessions and history


def test_ends_sessions(here: Stranger, person: User) -> None:
    elsewhere = enter(Stranger(email=person.mail))
    rows = here.open(HOME).page.context["sessions"]
    key = next(row["session"].pk for row in rows if not row["is_this"])
    for _twice in range(2):
        here.path = f"{HOME}sessions/end/"
        assert here.submit(session=key).page.status_code == 200
    assert elsewhere.open(HOME).step == "choose"
    elsewhere = enter(Stranger(email=person.mail))
    here.open(HOME)
    here.path = f"{HOME}sessions/end/"
    assert "signed out everywhere else" in here.submit(session="others").html
    assert elsewhere.open(HOME).step == "choose"
    own = here.open(HOME).page.context["sessions"]
    assert [row["is_this"] for row in own] == [True]


def test_tells_what_happened(here: Stranger, person: User, other: User) -> None:
    identity = link_google(person)
    at(here, f"ways/{identity.pk}/remove/").submit()
    enter(Stranger(email=person.mail))
    words = words_on(here.open(HOME))
    for happened in (
        "The account was created. {} UTC · Supplier Portal",
        "Signed in. {} UTC · Supplier Portal · Firefox on Windows",
        "A way to sign in was removed. {} UTC · Google",
        "Signed in. {} UTC · Your account · Firefox on Windows",
    ):
        assert re.search(re.escape(happened).replace(r"\{\}", r"\S+ \S+"), words), words
    assert len(here.page.context["history"]) == 4


def test_asks_the_database_a_fixed_number_of_times(
    here: Stranger, person: User, django_assert_max_num_queries: Callable[..., Any]
) -> None:
    for _number in range(3):
        give_passkey(person)
    with django_assert_max_num_queries(16):
        here.open(HOME)
