"""The second page of signing in: codes, recovery codes, and what a wrong one costs."""

import base64
from collections.abc import Callable
from dataclasses import replace
from io import StringIO
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.core.mail import EmailMessage
from django.core.management import CommandError, call_command
from django.test import Client
from freezegun import freeze_time

from directory.models import AuditEvent, Session, Tenant, User
from directory.roles import Role
from identity_portal.second_factor import app_proves, new_recovery_codes, unused_recovery_codes
from identity_portal.second_factor_page import PERSON_LIMIT, SENDER_LIMIT
from tests.admin.signing_in import SECRET, give_app, give_code, give_password, sign_in
from tests.conftest import PASSWORD
from tests.totp import code_of

pytestmark = pytest.mark.any_database

URL = "/woodgrove/admin/"


@pytest.fixture
def member(tenant: Tenant, make_member: Callable[..., User]) -> User:
    return give_app(make_member(tenant, roles=(Role.GLOBAL_READER,)))


@pytest.fixture
def halfway(member: User) -> Client:
    """A browser that gave the right password."""
    browser = Client()
    assert give_password(browser, URL, member.mail) == f"{URL}second-factor/"
    return browser


def is_in(browser: Client) -> bool:
    return browser.get(URL).status_code == 200


def test_nobody_is_signed_in_between_the_pages(halfway: Client, member: User) -> None:
    assert not is_in(halfway)
    assert halfway.get("/woodgrove/admin/your-sign-in/").status_code == 302
    assert halfway.get("/woodgrove/admin/step-up/").status_code == 302
    assert not Session.objects.filter(user=member).exists()
    assert not AuditEvent.objects.filter(activity="user.signed_in").exists()


def test_lets_nobody_in_without_the_password(member: User) -> None:
    browser = Client()
    assert browser.get(f"{URL}second-factor/")["Location"] == f"{URL}login/"
    assert settings.SESSION_COOKIE_NAME not in browser.cookies
    assert give_code(browser, URL, code_of(SECRET)) == f"{URL}login/"
    assert not is_in(browser)


def test_the_password_of_one_browser_is_worth_nothing_in_another(halfway: Client) -> None:
    assert give_code(Client(), URL, code_of(SECRET)) == f"{URL}login/"


def test_gives_the_session_a_new_key_at_each_page(member: User) -> None:
    browser, keys = Client(), []
    give_password(browser, URL, member.mail)
    keys.append(browser.cookies[settings.SESSION_COOKIE_NAME].value)
    give_password(browser, URL, member.mail)
    keys.append(browser.cookies[settings.SESSION_COOKIE_NAME].value)
    give_code(browser, URL, code_of(SECRET))
    keys.append(browser.cookies[settings.SESSION_COOKIE_NAME].value)
    assert len(set(keys)) == 3


def test_has_ten_minutes(member: User) -> None:
    with freeze_time("2030-01-01 12:00:00") as clock:
        browser = Client()
        give_password(browser, URL, member.mail)
        clock.tick(601)
        code = code_of(SECRET, at=clock().timestamp())
        assert give_code(browser, URL, code) == f"{URL}login/"
        assert "Start again." in browser.get(f"{URL}login/").content.decode()


@pytest.mark.parametrize(
    "change",
    [
        lambda user: User.objects.filter(pk=user.pk).update(account_enabled=False),
        lambda user: user.role_assignments.all().delete(),
        lambda user: user.set_password("another horse battery staple") or user.save(),
        lambda user: user.delete(),
    ],
    ids=["switched off", "role taken", "password changed", "deleted"],
)
def test_what_happens_between_the_pages_counts(halfway: Client, member: User, change: Callable[[User], object]) -> None:
    change(member)
    assert give_code(halfway, URL, code_of(SECRET)) == f"{URL}login/"
    assert not is_in(halfway)


def test_refuses_a_wrong_code_and_says_so_in_the_log(halfway: Client, member: User) -> None:
    for wrong in ("000000", "", "abc", code_of(SECRET, step=9), "١٢٣٤٥٦", "\x00", "9" * 40):
        assert give_code(halfway, URL, wrong) == ""
    assert not is_in(halfway)
    refused = AuditEvent.objects.filter(activity="sign_in.refused", reason="second_factor_refused")
    assert {(event.actor_id, event.details["way"]) for event in refused} == {(str(member.pk), "totp")}
    page = halfway.post(f"{URL}second-factor/", {"answer": "000000"})
    assert "This code is wrong, or it was used already." in page.content.decode()


def test_takes_a_code_as_apps_show_it(halfway: Client) -> None:
    code = code_of(SECRET)
    assert give_code(halfway, URL, f" {code[:3]} {code[3:]} ") == URL


def test_takes_each_code_once(member: User) -> None:
    with freeze_time("2030-01-01 12:00:00") as clock:
        now = clock().timestamp()
        code = code_of(SECRET, at=now)
        assert app_proves(member, code)
        assert not app_proves(member, code)
        # Nor one from before it: whoever saw that one over a shoulder waits in vain.
        assert not app_proves(member, code_of(SECRET, at=now, step=-1))
        assert app_proves(member, code_of(SECRET, at=now, step=1))


def test_takes_a_code_from_a_clock_that_is_half_a_minute_off_but_no_more(member: User) -> None:
    with freeze_time("2030-01-01 12:00:00") as clock:
        now = clock().timestamp()
        assert not app_proves(member, code_of(SECRET, at=now, step=-2))
        assert not app_proves(member, code_of(SECRET, at=now, step=2))
        assert app_proves(member, code_of(SECRET, at=now, step=-1))


def test_a_recovery_code_lets_in_once_and_is_told_by_mail(member: User, mailoutbox: list[EmailMessage]) -> None:
    new_recovery_codes(member)
    code = unused_recovery_codes(member)[3]
    for answer, where in ((f"{code[:5]} {code[5:]}", URL), (code, "")):
        browser = Client()
        give_password(browser, URL, member.mail)
        assert give_code(browser, URL, answer, way="recovery_codes") == where
    assert len(unused_recovery_codes(member)) == 9
    assert code not in unused_recovery_codes(member)
    assert [(mail.to, "recovery codes was used" in str(mail.body)) for mail in mailoutbox] == [([member.mail], True)]
    assert AuditEvent.objects.get(activity="recovery_code.used").details == {}
    assert AuditEvent.objects.get(activity="user.signed_in").details["methods"] == ["pwd", "otp", "mfa"]


def test_a_recovery_code_of_somebody_else_lets_nobody_in(
    halfway: Client, member: User, make_member: Callable[..., User]
) -> None:
    other = make_member(member.tenant, "other@woodgrove.example", roles=(Role.GLOBAL_ADMINISTRATOR,))
    new_recovery_codes(other)
    new_recovery_codes(member)
    assert give_code(halfway, URL, unused_recovery_codes(other)[0], way="recovery_codes") == ""


def test_secrets_are_sealed_for_their_person(member: User, make_member: Callable[..., User]) -> None:
    other = make_member(member.tenant, "other@woodgrove.example", roles=(Role.GLOBAL_ADMINISTRATOR,))
    row = Authenticator.objects.get(user=member)
    assert SECRET not in str(row.data)
    row.user = other
    row.save()
    browser = Client(raise_request_exception=False)
    give_password(browser, URL, other.mail)
    assert browser.post(f"{URL}second-factor/", {"answer": code_of(SECRET)}).status_code == 500
    assert not is_in(browser)


def test_stays_readable_when_the_keys_are_rotated(member: User, settings: Any) -> None:
    new_recovery_codes(member)
    codes = unused_recovery_codes(member)
    old = settings.ENCRYPTION_KEYS
    new = "new:" + base64.b64encode(bytes(32)).decode()
    settings.ENCRYPTION_KEYS = [new, *old]
    call_command("reencrypt_secrets", stdout=StringIO())
    settings.ENCRYPTION_KEYS = [new]
    assert unused_recovery_codes(member) == codes
    assert app_proves(member, code_of(SECRET))
    settings.ENCRYPTION_KEYS = old
    with pytest.raises(CommandError, match="second factors: No key"):
        call_command("reencrypt_secrets", stdout=StringIO())


@pytest.fixture
def few_tries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("identity_portal.second_factor_page.SENDER_LIMIT", replace(SENDER_LIMIT, count=3))
    monkeypatch.setattr("identity_portal.second_factor_page.PERSON_LIMIT", replace(PERSON_LIMIT, count=5))


def guess(address: str, mail: str, times: int) -> list[int]:
    browser = Client(REMOTE_ADDR=address)
    give_password(browser, URL, mail)
    return [browser.post(f"{URL}second-factor/", {"answer": "000000"}).status_code for _ in range(times)]


def test_limits_the_tries_of_a_sender_and_then_of_all_senders(
    member: User, few_tries: None, mailoutbox: list[EmailMessage]
) -> None:
    assert guess("203.0.113.7", member.mail, 4) == [200, 200, 200, 429]
    # A new password page, and so a new session, gives no new tries.
    assert guess("203.0.113.7", member.mail, 1) == [429]
    assert guess("198.51.100.9", member.mail, 3) == [200, 200, 429]
    # The owner is told, once.
    assert [(mail.to, "knows your password" in str(mail.body)) for mail in mailoutbox] == [([member.mail], True)]


def test_a_stranger_without_the_password_locks_nobody_out(member: User, few_tries: None) -> None:
    for address in ("203.0.113.7", "203.0.113.8", "203.0.113.9"):
        stranger = Client(REMOTE_ADDR=address)
        for _ in range(4):
            give_password(stranger, URL, member.mail, "a wrong password")
            give_code(stranger, URL, "000000")
    owner = Client(REMOTE_ADDR="198.51.100.9")
    assert sign_in(owner, URL, member.mail) == URL


def test_the_right_code_is_refused_when_the_tries_are_used_up(member: User, few_tries: None) -> None:
    browser = Client()
    give_password(browser, URL, member.mail)
    for _ in range(3):
        give_code(browser, URL, "000000")
    assert browser.post(f"{URL}second-factor/", {"answer": code_of(SECRET)}).status_code == 429


def test_ends_the_session_of_somebody_else_in_this_browser(member: User, make_member: Callable[..., User]) -> None:
    other = give_app(make_member(member.tenant, "other@woodgrove.example", roles=(Role.GLOBAL_READER,)))
    browser = Client()
    assert sign_in(browser, URL, other.mail) == URL
    assert sign_in(browser, URL, member.mail) == URL
    assert [session.user for session in Session.objects.exclude(user=None)] == [member]


def test_remembers_where_the_person_wanted_to_go(member: User) -> None:
    asked = f"{URL}directory/user/?q=ada"
    browser = Client()
    assert sign_in(browser, URL, member.mail, next=asked) == asked


def test_needs_a_csrf_token(member: User) -> None:
    browser = Client(enforce_csrf_checks=True)
    assert browser.post(f"{URL}second-factor/", {"answer": "000000"}).status_code == 403


def test_says_the_same_whether_the_password_was_right_for_nobody_without_rights(
    tenant: Tenant, make_member: Callable[..., User]
) -> None:
    """The second page is not reached by a right password alone: the account must be an administrator's."""
    powerless = make_member(tenant, "powerless@woodgrove.example")
    assert give_password(Client(), URL, powerless.mail, PASSWORD) == ""
