"""The Health page: what is wrong in the tenant, in words, with a link to where it is mended."""

from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from django.test import Client

from directory.models import Application, IdentityProvider, User
from directory.roles import PERMISSIONS, Role
from identity_portal.oidc.models import SigningKey
from tests.admin.conftest import Furnished, browser_of

pytestmark = pytest.mark.any_database


@pytest.fixture
def url(ours: Furnished) -> str:
    return f"{ours.admin_url}health/"


def text(browser: Client, url: str) -> str:
    response = browser.get(url)
    assert response.status_code == 200
    return unescape(response.content.decode())


def break_everything(furnished: Furnished) -> None:
    """One finding for each subject."""
    IdentityProvider.objects.filter(tenant=furnished.tenant).update(is_enabled=False)
    Application.objects.filter(tenant=furnished.tenant).update(redirect_uris="")
    SigningKey.objects.filter(tenant=furnished.tenant, state="active").update(activated_at="2020-01-01T00:00:00Z")


def test_says_that_all_is_well(browser: Client, ours: Furnished, url: str) -> None:
    assert "Nothing is wrong" in text(browser, url)
    assert f'href="{url}"' in text(browser, ours.admin_url)


def test_tells_what_is_wrong_and_where_to_mend_it(browser: Client, ours: Furnished, url: str) -> None:
    break_everything(ours)
    page = text(browser, url)
    assert "1 thing is broken." in page
    assert "2 things need a look." in page
    assert page.index("There is no way to sign in") < page.index("It has no redirect URI")
    for link in (
        f"directory/identityprovider/{ours.provider.pk}/change/",
        f"directory/application/{ours.application.pk}/change/",
        "oidc/signingkey/",
    ):
        assert f'<a href="{ours.admin_url}{link}">Go there' in page
        assert browser.get(f"{ours.admin_url}{link}").status_code == 200
    assert ours.application.name in page


@pytest.mark.parametrize("role", list(Role))
def test_shows_what_the_role_may_view(ours: Furnished, url: str, role: Role, make_admin: Callable[..., User]) -> None:
    break_everything(ours)
    page = text(browser_of(make_admin(ours.tenant, role, mail="one@woodgrove.example")), url)
    said = {
        "userflow": "There is no way to sign in",
        "application": "It has no redirect URI",
        "signingkey": "its rotation is due",
    }
    for subject, words in said.items():
        assert (words in page) == ("view" in PERMISSIONS[role].get(subject, ())), subject


def test_says_nothing_of_other_tenants(browser: Client, ours: Furnished, theirs: Furnished, url: str) -> None:
    break_everything(theirs)
    page = text(browser, url)
    assert "Nothing is wrong" in page
    assert theirs.marker not in page


def test_is_closed_to_strangers_and_guests(ours: Furnished, url: str) -> None:
    for browser in (Client(), browser_of(ours.guest)):
        assert browser.get(url).status_code == 302


def test_only_shows(browser: Client, url: str) -> None:
    assert browser.post(url).status_code == 405


def test_says_what_was_left_out(browser: Client, ours: Furnished, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("identity_portal.health_checks.MAX_APPLICATIONS", 2)
    for name in "abc":
        Application.objects.create(tenant=ours.tenant, name=name, kind="spa")
    page = text(browser, url)
    assert "Only the first 2 applications with problems are shown." in page


def test_shows_hostile_names_harmlessly(browser: Client, ours: Furnished, url: str) -> None:
    Application.objects.create(tenant=ours.tenant, name="<script>alert(1)</script>", kind="spa")
    page: Any = browser.get(url).content.decode()
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page
