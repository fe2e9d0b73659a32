"""The first second factor, recovery codes, and what “Your sign-in” changes."""

import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import AnonymousUser
from django.core.mail import EmailMessage
from django.test import Client, RequestFactory

from directory.models import AuditEvent, Session, Tenant, User
from directory.roles import Role
from directory.session_store import SessionStore
from identity_portal.admin_sites import tenant_site
from identity_portal.second_factor import factors_of, has_second_factor, unused_recovery_codes
from identity_portal.second_factor_setup import keep_factor
from tests.admin.conftest import browser_of
from tests.admin.signing_in import SECRET, give_app, give_code, give_password
from tests.passkey import SoftPasskey
from tests.totp import code_of

pytestmark = pytest.mark.any_database

URL = "/woodgrove/admin/"
CODES = f"{URL}your-sign-in/recovery-codes/"


@pytest.fixture(autouse=True)
def _at_localhost(settings: Any) -> None:
    """The one name without https for which browsers have passkeys."""
    settings.BASE_URL = "http://localhost"


@pytest.fixture
def member(tenant: Tenant, make_member: Callable[..., User]) -> User:
    """With a password, and no second factor yet."""
    return make_member(tenant, roles=(Role.GLOBAL_READER,))


@pytest.fixture
def halfway(member: User) -> Client:
    browser = Client()
    give_password(browser, URL, member.mail)
    return browser


def shown_secret(page: str) -> str:
    found = re.search(r'aria-labelledby="app-key"[^>]*>([A-Z2-7 ]+)<', page)
    assert found, page
    return found[1]


def options_on(browser: Client, path: str) -> str:
    """Return what the page asks of a passkey."""
    found = re.search(r'data-options="([^"]*)"', browser.get(URL + path).content.decode())
    assert found
    return unescape(found[1])


def set_up_app(browser: Client, *, step: int = -1) -> str:
    secret = shown_secret(browser.get(f"{URL}set-up/app/").content.decode())
    return str(browser.post(f"{URL}set-up/app/", {"code": code_of(secret, step=step)}).get("Location", ""))


def make_passkey(browser: Client, passkey: SoftPasskey, name: str = "My phone") -> str:
    answer = passkey.make(options_on(browser, "set-up/passkey/"))
    return str(browser.post(f"{URL}set-up/passkey/", {"name": name, "answer": answer}).get("Location", ""))


def use_passkey(browser: Client, passkey: SoftPasskey, page: str = "second-factor/") -> str:
    return give_code(browser, URL, passkey.use(options_on(browser, f"{page}?way=webauthn")), way="webauthn")


def is_in(browser: Client) -> bool:
    return browser.get(URL).status_code == 200


def test_whoever_has_no_second_factor_must_set_one_up(halfway: Client, member: User) -> None:
    assert halfway.get(f"{URL}second-factor/")["Location"] == f"{URL}set-up/"
    assert "Authenticator app" in halfway.get(f"{URL}set-up/").content.decode()
    # No code of any kind helps meanwhile.
    for way in ("totp", "recovery_codes", "webauthn"):
        assert give_code(halfway, URL, "000000", way=way) == f"{URL}set-up/"
    assert not is_in(halfway)


def test_sets_up_an_app_and_shows_the_recovery_codes_once(
    halfway: Client, member: User, mailoutbox: list[EmailMessage]
) -> None:
    assert set_up_app(halfway) == CODES
    page = halfway.get(CODES).content.decode()
    shown = [code.replace(" ", "") for code in re.findall(r"<li><code>([\d ]+)</code>", page)]
    assert shown == unused_recovery_codes(member)
    text = halfway.get(f"{CODES}recovery-codes.txt")
    assert text["Content-Disposition"] == 'attachment; filename="recovery-codes.txt"'
    assert [line.replace(" ", "") for line in text.content.decode().splitlines()[2:]] == shown
    assert halfway.post(CODES)["Location"] == URL
    assert is_in(halfway)
    for path in (CODES, f"{CODES}recovery-codes.txt"):
        assert halfway.get(path)["Location"] == f"{URL}your-sign-in/"
    signed_in = AuditEvent.objects.get(activity="user.signed_in")
    assert signed_in.details["methods"] == ["pwd", "otp", "mfa"]
    assert AuditEvent.objects.get(activity="second_factor.added").details == {"factor": "Authenticator app"}
    assert [mail.to for mail in mailoutbox] == [[member.mail]]


def test_keeps_no_secret_readable(halfway: Client, member: User) -> None:
    secret = shown_secret(halfway.get(f"{URL}set-up/app/").content.decode()).replace(" ", "")
    sessions = [SessionStore().decode(session.session_data) for session in Session.objects.all()]
    assert any("new_app_secret" in session for session in sessions)
    assert secret not in str(sessions)
    set_up_app(halfway)
    for row in Authenticator.objects.filter(user=member):
        for code in (secret, *unused_recovery_codes(member)):
            assert code not in str(row.data)


def test_a_wrong_first_code_sets_nothing_up(halfway: Client, member: User) -> None:
    secret = shown_secret(halfway.get(f"{URL}set-up/app/").content.decode())
    page = halfway.post(f"{URL}set-up/app/", {"code": "000000"})
    assert "This is not the code that the app shows now." in page.content.decode()
    # The picture stays the same: the app has it already.
    assert shown_secret(page.content.decode()) == secret
    assert not has_second_factor(member)
    assert not is_in(halfway)


def test_a_second_browser_with_the_password_comes_too_late(halfway: Client, member: User) -> None:
    """Whoever found the invitation's password out must not add a factor beside the owner's."""
    late = Client()
    give_password(late, URL, member.mail)
    secret = shown_secret(late.get(f"{URL}set-up/app/").content.decode())
    options = options_on(late, "set-up/passkey/")
    assert set_up_app(halfway) == CODES
    late.post(f"{URL}set-up/app/", {"code": code_of(secret)})
    late.post(f"{URL}set-up/passkey/", {"name": "Mine", "answer": SoftPasskey().make(options)})
    assert len(factors_of(member)) == 1
    assert not is_in(late)
    for path in ("set-up/", "set-up/app/", "set-up/passkey/"):
        assert late.get(URL + path)["Location"] == f"{URL}second-factor/"


def test_looks_again_when_it_holds_the_lock(member: User, rf: RequestFactory) -> None:
    """Of two browsers at the same instant, both found no factor; the one that comes second finds one now."""
    request = rf.post(f"{URL}set-up/app/")
    request.session, request.user = SessionStore(tenant_id=member.tenant_id), AnonymousUser()
    request.tenant = member.tenant  # type: ignore[attr-defined]
    give_app(member)
    assert not keep_factor(request, member, tenant_site, lambda: True)


def test_nobody_sets_up_without_the_password(member: User) -> None:
    for path in ("set-up/", "set-up/app/", "set-up/passkey/", "your-sign-in/recovery-codes/"):
        answer = Client().get(URL + path, follow=True)
        assert answer.redirect_chain[-1][0].startswith(f"{URL}login/")


def test_sets_up_a_passkey_and_signs_in_with_it(halfway: Client, member: User) -> None:
    passkey = SoftPasskey()
    assert make_passkey(halfway, passkey) == CODES
    assert is_in(halfway)
    browser = Client()
    give_password(browser, URL, member.mail)
    assert use_passkey(browser, passkey) == URL
    methods = [event.details["methods"] for event in AuditEvent.objects.filter(activity="user.signed_in")]
    assert methods == [["pwd", "hwk", "mfa"]] * 2
    assert [factor.name for factor in factors_of(member)] == ["My phone"]


@pytest.mark.parametrize(
    "passkey",
    [
        SoftPasskey(origin="http://localhost:8000"),
        SoftPasskey(origin="https://localhost"),
        SoftPasskey(origin="http://evil.localhost"),
        SoftPasskey(verified=False),
    ],
    ids=lambda passkey: f"{passkey.origin} {passkey.verified}",
)
def test_makes_no_passkey_elsewhere_or_without_a_finger(halfway: Client, member: User, passkey: SoftPasskey) -> None:
    assert make_passkey(halfway, passkey) == ""
    assert not has_second_factor(member)


@pytest.fixture
def passkey(halfway: Client) -> SoftPasskey:
    """One that was set up."""
    passkey = SoftPasskey(count=7)
    make_passkey(halfway, passkey)
    return passkey


@pytest.mark.parametrize(
    ("bent", "value"),
    [("origin", "http://evil.example"), ("verified", False), ("id", b"another passkey!"), ("count", 7), ("count", 3)],
)
def test_refuses_a_passkey_that_is_bent(member: User, passkey: SoftPasskey, bent: str, value: object) -> None:
    passkey.count = 8
    setattr(passkey, bent, value)
    browser = Client()
    give_password(browser, URL, member.mail)
    assert use_passkey(browser, passkey) == ""
    assert not is_in(browser)


def test_answers_to_a_challenge_count_once_and_in_their_own_browser(member: User, passkey: SoftPasskey) -> None:
    first, second = Client(), Client()
    for browser in (first, second):
        give_password(browser, URL, member.mail)
    passkey.count = 8
    answer = passkey.use(options_on(first, "second-factor/?way=webauthn"))
    options_on(second, "second-factor/?way=webauthn")
    assert give_code(second, URL, answer, way="webauthn") == ""
    options_on(first, "second-factor/?way=webauthn")
    assert give_code(first, URL, answer, way="webauthn") == ""


def test_an_answer_that_was_used_opens_nothing_more(member: User, halfway: Client) -> None:
    passkey = SoftPasskey(count=0)
    make_passkey(halfway, passkey)
    browser = Client()
    give_password(browser, URL, member.mail)
    answer = passkey.use(options_on(browser, "second-factor/?way=webauthn"))
    assert give_code(browser, URL, answer, way="webauthn") == URL
    again = browser.post(f"{URL}step-up/?way=webauthn", {"answer": answer})
    assert (again.status_code, "could not be checked" in again.content.decode()) == (200, True)


def test_a_challenge_is_for_one_person(member: User, passkey: SoftPasskey, make_member: Callable[..., User]) -> None:
    other = make_member(member.tenant, "other@woodgrove.example", roles=(Role.GLOBAL_READER,))
    browser, theirs = Client(), SoftPasskey()
    give_password(browser, URL, other.mail)
    make_passkey(browser, theirs)
    shared = Client()
    give_password(shared, URL, member.mail)
    answer = theirs.use(options_on(shared, "second-factor/?way=webauthn"))
    give_password(shared, URL, other.mail)
    assert give_code(shared, URL, answer, way="webauthn") == ""


def test_survives_hostile_answers(member: User, halfway: Client, passkey: SoftPasskey) -> None:
    browser = Client()
    give_password(browser, URL, member.mail)
    for answer in ("", "{}", "[]", "null", "1", '{"id": 1}', '{"id":"x","rawId":"x","response":{}}', "{" * 900, "\x00"):
        browser.get(f"{URL}second-factor/?way=webauthn")
        assert give_code(browser, URL, answer, way="webauthn") == ""
        halfway.get(f"{URL}set-up/passkey/")
        page = halfway.post(f"{URL}set-up/passkey/", {"name": "x", "answer": answer})
        assert page.status_code == 200
    assert len(factors_of(member)) == 1


def test_another_persons_passkey_opens_nothing(
    member: User, passkey: SoftPasskey, make_member: Callable[..., User]
) -> None:
    other = make_member(member.tenant, "other@woodgrove.example", roles=(Role.GLOBAL_ADMINISTRATOR,))
    browser = Client()
    give_password(browser, URL, other.mail)
    theirs = SoftPasskey()
    assert make_passkey(browser, theirs) == CODES
    thief = Client()
    give_password(thief, URL, other.mail)
    passkey.count = 9
    assert use_passkey(thief, passkey) == ""


# Your sign-in


@pytest.fixture
def browser(member: User) -> Client:
    """Signed in, with an app."""
    return browser_of(give_app(member))


def test_lists_and_adds_and_removes_factors(browser: Client, member: User, mailoutbox: list[EmailMessage]) -> None:
    assert make_passkey(browser, SoftPasskey(), "The <blue> key") == CODES
    page = browser.get(f"{URL}your-sign-in/").content.decode()
    assert "The &lt;blue&gt; key" in page
    assert "Authenticator app" in page
    app = next(factor for factor in factors_of(member) if factor.kind == "totp")
    remove = f"{URL}your-sign-in/factors/{app.id}/remove/"
    assert "authenticator app" in browser.get(remove).content.decode()
    assert [factor.id for factor in factors_of(member)].count(app.id) == 1
    browser.post(remove)
    assert [factor.name for factor in factors_of(member)] == ["The <blue> key"]
    activities = AuditEvent.objects.filter(target_id=str(member.pk), activity__startswith="second_factor")
    assert list(activities.order_by("at").values_list("activity", flat=True)) == [
        "second_factor.added",
        "second_factor.removed",
    ]
    assert len(mailoutbox) == 2


def test_never_removes_the_last_factor(browser: Client, member: User) -> None:
    (app,) = factors_of(member)
    page = browser.post(f"{URL}your-sign-in/factors/{app.id}/remove/", follow=True)
    assert "This is your only second factor." in page.content.decode()
    assert factors_of(member) == [app]
    # A recovery code is no factor: it only stands in for one.
    browser.post(f"{CODES}new/")
    browser.post(f"{URL}your-sign-in/factors/{app.id}/remove/")
    assert [factor.id for factor in factors_of(member)] == [app.id]


def test_removes_nobody_elses_factor(browser: Client, member: User, make_member: Callable[..., User]) -> None:
    other = give_app(make_member(member.tenant, "other@woodgrove.example", roles=(Role.GLOBAL_READER,)))
    make_passkey(browser_of(other), SoftPasskey())
    for factor in factors_of(other):
        browser.post(f"{URL}your-sign-in/factors/{factor.id}/remove/")
    assert len(factors_of(other)) == 2


def test_replaces_the_app_so_that_the_old_one_is_worth_nothing(browser: Client, member: User) -> None:
    set_up_app(browser)
    assert len(factors_of(member)) == 1
    stranger = Client()
    give_password(stranger, URL, member.mail)
    assert give_code(stranger, URL, code_of(SECRET)) == ""


def test_makes_new_recovery_codes_and_the_old_ones_work_no_more(browser: Client, member: User) -> None:
    browser.post(f"{CODES}new/")
    old = unused_recovery_codes(member)
    assert browser.post(f"{CODES}new/")["Location"] == CODES
    assert not set(old) & set(unused_recovery_codes(member))
    stranger = Client()
    give_password(stranger, URL, member.mail)
    assert give_code(stranger, URL, old[0], way="recovery_codes") == ""
    assert AuditEvent.objects.filter(activity="recovery_codes.replaced").count() == 2


def test_offers_no_passkey_where_browsers_have_none(browser: Client, settings: Any) -> None:
    settings.BASE_URL = "http://127.0.0.1:8000"
    assert "passkey" not in browser.get(f"{URL}set-up/").content.decode()
    assert browser.get(f"{URL}set-up/passkey/")["Location"] == f"{URL}set-up/"
