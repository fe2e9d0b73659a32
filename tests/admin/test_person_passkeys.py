"""The passkeys of one person, on their page in the admin, and what they are not: a second factor."""

from typing import Any

import pytest
from django.core import mail
from django.test import Client

from directory.models import AuditEvent, User
from identity_portal.second_factor import factors_of, has_second_factor, remove_all_factors, remove_factor
from tests.admin.conftest import Furnished, browser_of
from tests.admin.signing_in import give_app, give_code, give_password
from tests.hosted_passkeys import give_passkey, options_on
from userflows.passkey import passkeys_of


@pytest.fixture(autouse=True)
def _at_localhost(settings: Any) -> None:
    settings.BASE_URL = "http://localhost"


def page_of(ours: Furnished, user: User) -> str:
    person = ours.guest if user.tenant_id != ours.tenant.pk else user
    return f"{ours.admin_url}directory/user/{person.pk}/passkeys/{passkeys_of(user)[0].id}/remove/"


def test_shows_and_removes_a_lost_passkey(browser: Client, ours: Furnished) -> None:
    give_passkey(ours.guest, "<b>Lost phone</b>")
    html = browser.get(f"{ours.admin_url}directory/user/{ours.guest.pk}/change/").content.decode()
    assert "&lt;b&gt;Lost phone&lt;/b&gt;" in html
    page = page_of(ours, ours.guest)
    assert page in html
    assert "They can't sign in with it any more" in browser.get(page).content.decode().replace("&#x27;", "'")
    assert browser.post(page).status_code == 302
    assert browser.post(page).status_code == 404
    assert passkeys_of(ours.guest) == []
    event = AuditEvent.objects.get(activity="passkey.removed")
    assert (event.actor_id, event.target_id) == (str(ours.admin.pk), str(ours.guest.pk))
    assert mail.outbox[-1].to == [ours.guest.mail]


def test_asks_who_is_there_and_knows_no_foreign_ones(browser: Client, ours: Furnished, theirs: Furnished) -> None:
    for user in (ours.guest, theirs.guest):
        give_passkey(user)
    assert "step-up" in browser_of(ours.admin, proven=False).post(page_of(ours, ours.guest))["Location"]
    assert browser.post(page_of(ours, theirs.guest)).status_code == 404
    assert len(passkeys_of(ours.guest)) == len(passkeys_of(theirs.guest)) == 1


@pytest.fixture
def member(ours: Furnished) -> User:
    return give_app(ours.admin)


def test_a_passkey_for_signing_in_proves_nothing_in_the_admin(ours: Furnished, member: User) -> None:
    """Whoever has the mailbox can make one on the hosted pages, and have a new password mailed."""
    passkey = give_passkey(member)
    browser = Client()
    give_password(browser, ours.admin_url, member.mail)
    page = browser.get(f"{ours.admin_url}second-factor/").content.decode()
    assert "Use a passkey" not in page
    assert give_code(browser, ours.admin_url, "{}", way="webauthn") == ""
    # Not as an answer to a question that is asked for another passkey either.
    factor = give_passkey(member, "Key", for_sign_in=False)
    page = browser.get(f"{ours.admin_url}second-factor/?way=webauthn").content.decode()
    assert give_code(browser, ours.admin_url, passkey.use(options_on(page)), way="webauthn") == ""
    page = browser.get(f"{ours.admin_url}second-factor/?way=webauthn").content.decode()
    assert give_code(browser, ours.admin_url, factor.use(options_on(page)), way="webauthn") == ours.admin_url


def test_whoever_has_only_one_for_signing_in_sets_up_a_second_factor(ours: Furnished) -> None:
    give_passkey(ours.admin)
    browser = Client()
    give_password(browser, ours.admin_url, ours.admin.mail)
    assert browser.get(f"{ours.admin_url}second-factor/")["Location"] == f"{ours.admin_url}set-up/"


def test_second_factors_come_and_go_without_it(member: User) -> None:
    give_passkey(member)
    assert [factor.kind for factor in factors_of(member)] == ["totp"]
    assert remove_factor(member, passkeys_of(member)[0].id) is None
    remove_all_factors(member)
    assert not has_second_factor(member)
    assert len(passkeys_of(member)) == 1


def test_the_admins_own_session_stays_what_it_was(ours: Furnished, member: User) -> None:
    """A sign-in by passkey opens no admin page: neither password nor second factor was asked for."""
    assert browser_of(member, methods=("hwk", "user")).get(ours.admin_url).status_code == 302
