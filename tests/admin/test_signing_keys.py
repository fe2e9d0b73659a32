from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from directory.models import AuditEvent
from identity_portal.oidc.keys import active_key
from identity_portal.oidc.models import SigningKey
from tests.admin.conftest import Furnished

pytestmark = pytest.mark.any_database


@pytest.fixture
def url(ours: Furnished) -> str:
    return f"{ours.admin_url}oidc/signingkey/"


def make_older(ours: Furnished) -> None:
    SigningKey.objects.filter(tenant=ours.tenant).update(created_at=timezone.now() - timedelta(minutes=6))


def test_rotates_after_asking(browser: Client, ours: Furnished, url: str) -> None:
    make_older(ours)
    assert f'href="{url}rotate/"' in browser.get(url).content.decode()
    assert "Nobody is signed out." in browser.get(f"{url}rotate/").content.decode()
    assert active_key(ours.tenant, "ES256") == ours.key
    page = browser.post(f"{url}rotate/", {"algorithm": "ES256"}, follow=True).content.decode()
    assert "The keys were rotated." in page
    assert active_key(ours.tenant, "ES256") != ours.key
    event = AuditEvent.objects.get(activity="signing_key.rotated")
    assert (event.actor_id, event.tenant) == (str(ours.admin.pk), ours.tenant)


def test_says_when_it_is_too_early(browser: Client, ours: Furnished, url: str) -> None:
    page = browser.post(f"{url}rotate/", {"algorithm": "ES256"}, follow=True).content.decode()
    assert "Try again in five minutes." in page
    assert active_key(ours.tenant, "ES256") == ours.key


def test_rotates_no_algorithm_that_the_tenant_does_not_use(browser: Client, ours: Furnished, url: str) -> None:
    assert browser.post(f"{url}rotate/", {"algorithm": "RS256"}).status_code == 200
    assert not SigningKey.objects.filter(algorithm="RS256").exists()


def test_leaves_the_keys_of_others_alone(browser: Client, ours: Furnished, theirs: Furnished, url: str) -> None:
    make_older(ours)
    make_older(theirs)
    browser.post(f"{url}rotate/", {"algorithm": "ES256"})
    assert active_key(theirs.tenant, "ES256") == theirs.key


def test_shows_no_private_key(browser: Client, ours: Furnished, url: str) -> None:
    private = SigningKey.objects.get(pk=ours.key.pk).private_jwk
    for page in (url, f"{url}{ours.key.pk}/change/", f"{url}{ours.key.pk}/history/"):
        html = browser.get(page).content.decode()
        assert private not in html
        assert "private" not in html.lower()
