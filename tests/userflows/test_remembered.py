"""How long a sign-in lasts: as the tenant says, however much it is used, and longer only for who asked for it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone
from freezegun import freeze_time

from directory.models import Session, Tenant, User
from directory.roles import Role
from tests.admin.signing_in import give_app, sign_in
from tests.relying_party import RelyingParty
from tests.stranger import Stranger

ANSWERS = {"GivenName": "Amina", "Surname": "Haddad"}


def signed_in(relying_party: RelyingParty, **choice: str) -> Stranger:
    stranger = Stranger().open(relying_party.request_url())
    stranger.submit(email=stranger.email, **choice).give_code().submit(**ANSWERS)
    assert stranger.left_to
    return stranger


def is_signed_in(relying_party: RelyingParty, stranger: Stranger, *, after: timedelta) -> bool:
    with freeze_time(timezone.now() + after):
        stranger.open(relying_party.request_url(prompt="none"))
        return "code" in relying_party.answer(stranger.left_to)


def cookie(stranger: Stranger) -> Any:
    return stranger.http.cookies[settings.SESSION_COOKIE_NAME]


def set_tenant(**values: int) -> None:
    Tenant.objects.update(**values)


def test_ends_with_the_browser_and_on_the_server_after_the_tenants_hours(relying_party: RelyingParty) -> None:
    set_tenant(session_hours=8)
    stranger = signed_in(relying_party)
    assert (cookie(stranger)["max-age"], cookie(stranger)["expires"]) == ("", "")
    kept = cookie(stranger).value
    assert is_signed_in(relying_party, stranger, after=timedelta(hours=7, minutes=59))
    # It was used just now, and ends all the same.
    assert not is_signed_in(relying_party, stranger, after=timedelta(hours=8, minutes=1))
    stranger.http.cookies[settings.SESSION_COOKIE_NAME] = kept
    assert not is_signed_in(relying_party, stranger, after=timedelta(hours=8, minutes=1))


def test_is_kept_for_who_asks_for_it(relying_party: RelyingParty) -> None:
    set_tenant(session_hours=1, keep_signed_in_days=30)
    stranger = signed_in(relying_party, keep_signed_in="on")
    assert abs(int(cookie(stranger)["max-age"]) - 30 * 24 * 3600) < 60
    assert is_signed_in(relying_party, stranger, after=timedelta(days=29))
    assert not is_signed_in(relying_party, stranger, after=timedelta(days=30, minutes=1))


def test_is_not_kept_for_who_does_not(relying_party: RelyingParty) -> None:
    set_tenant(session_hours=1, keep_signed_in_days=30)
    stranger = signed_in(relying_party)
    assert cookie(stranger)["max-age"] == ""
    assert not is_signed_in(relying_party, stranger, after=timedelta(hours=1, minutes=1))


def test_is_not_kept_where_the_tenant_does_not_offer_it(relying_party: RelyingParty) -> None:
    stranger = signed_in(relying_party, keep_signed_in="on")
    assert cookie(stranger)["max-age"] == ""
    assert not is_signed_in(relying_party, stranger, after=timedelta(days=1, minutes=1))


@pytest.mark.parametrize("change", [{"keep_signed_in_days": 7}, {"keep_signed_in_days": 0}])
def test_a_shorter_time_holds_at_once(relying_party: RelyingParty, change: dict[str, int]) -> None:
    set_tenant(session_hours=168, keep_signed_in_days=90)
    stranger = signed_in(relying_party, keep_signed_in="on")
    set_tenant(**change)
    assert is_signed_in(relying_party, stranger, after=timedelta(days=6, hours=23))
    assert not is_signed_in(relying_party, stranger, after=timedelta(days=7, minutes=1))
    set_tenant(session_hours=1, keep_signed_in_days=0)
    assert not is_signed_in(relying_party, stranger, after=timedelta(hours=2))


def test_a_kept_sign_in_still_proves_itself_again_where_that_is_asked(relying_party: RelyingParty) -> None:
    set_tenant(keep_signed_in_days=30)
    stranger = signed_in(relying_party, keep_signed_in="on")
    with freeze_time(timezone.now() + timedelta(days=2)):
        assert stranger.open(relying_party.request_url(prompt="login")).step == "choose"
        assert stranger.open(relying_party.request_url(max_age="3600")).step == "choose"
        stranger.open(relying_party.request_url(max_age="3600", prompt="none"))
        assert relying_party.answer(stranger.left_to)["error"] == "login_required"


def test_an_administrator_is_asked_again_every_day(
    make_tenant: Callable[..., Tenant], make_member: Callable[..., User]
) -> None:
    tenant = make_tenant(session_hours=168, keep_signed_in_days=90)
    admin = give_app(make_member(tenant, roles=(Role.GLOBAL_ADMINISTRATOR,)))
    browser, url = Client(), "/woodgrove/admin/"
    assert sign_in(browser, url, admin.mail) == url
    assert browser.cookies[settings.SESSION_COOKIE_NAME]["max-age"] == ""
    ends_at = Session.objects.get(user=admin).expire_date
    assert timedelta(hours=23) < ends_at - timezone.now() <= timedelta(hours=24)
    for hours, status in ((23, 200), (25, 302)):
        with freeze_time(timezone.now() + timedelta(hours=hours)):
            assert browser.get(url).status_code == status
