"""Whom the portal believes about where a request came from."""

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from pytest_django import Settings

from identity_portal.proxy import TrustedProxyMiddleware
from tests.relying_party import RelyingParty
from tests.stranger import Stranger
from userflows.rate_limit import Limit

pytestmark = pytest.mark.any_database

PROXIES = ["10.0.0.0/8", "192.0.2.7", "2001:db8:1::/48"]


def seen_by_the_portal(settings: Settings, sender: str, **headers: str) -> HttpRequest:
    settings.TRUSTED_PROXIES = PROXIES
    seen = []

    def keep(request: HttpRequest) -> HttpResponse:
        seen.append(request)
        return HttpResponse()

    TrustedProxyMiddleware(keep)(RequestFactory().get("/", REMOTE_ADDR=sender, headers=headers))
    return seen[0]


@pytest.mark.parametrize(
    ("sender", "forwarded_for", "client"),
    [
        ("203.0.113.5", "", "203.0.113.5"),
        ("203.0.113.5", "198.51.100.1", "203.0.113.5"),
        ("203.0.113.5", "10.0.0.1", "203.0.113.5"),
        ("10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("192.0.2.7", "198.51.100.1", "198.51.100.1"),
        ("192.0.2.8", "198.51.100.1", "192.0.2.8"),
        ("2001:db8:1::9", "2001:db8:2::1", "2001:db8:2::1"),
        ("10.0.0.1", "1.1.1.1, 198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "1.1.1.1,198.51.100.1 , 10.0.0.2", "198.51.100.1"),
        ("10.0.0.1", "10.9.9.9, 198.51.100.1, 10.0.0.2", "198.51.100.1"),
        ("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"),
        ("10.0.0.1", "198.51.100.1:55123", "198.51.100.1"),
        ("10.0.0.1", "[2001:db8:2::1]:55123", "2001:db8:2::1"),
        ("10.0.0.1", "198.51.100.1, unknown", "10.0.0.1"),
        ("10.0.0.1", "unknown, 198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "<script>", "10.0.0.1"),
        ("10.0.0.1", ",,", "10.0.0.1"),
        ("::ffff:10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "::ffff:198.51.100.1", "198.51.100.1"),
        ("", "198.51.100.1", ""),
        ("unix", "198.51.100.1", "unix"),
    ],
)
def test_finds_the_nearest_stranger(settings: Settings, sender: str, forwarded_for: str, client: str) -> None:
    request = seen_by_the_portal(settings, sender, **{"x-forwarded-for": forwarded_for})
    assert request.META["REMOTE_ADDR"] == client
    assert "HTTP_X_FORWARDED_FOR" not in request.META


@pytest.mark.parametrize(
    ("sender", "proto", "is_secure"),
    [
        ("10.0.0.1", "https", True),
        ("10.0.0.1", "http", False),
        ("10.0.0.1", "wss", False),
        ("10.0.0.1", "", False),
        ("203.0.113.5", "https", False),
    ],
)
def test_believes_the_scheme_from_a_proxy_only(settings: Settings, sender: str, proto: str, is_secure: bool) -> None:
    request = seen_by_the_portal(settings, sender, **{"x-forwarded-proto": proto})
    assert request.is_secure() is is_secure
    assert "HTTP_X_FORWARDED_PROTO" not in request.META


@pytest.mark.parametrize(("proxies", "statuses"), [([], [200, 200, 429]), (["127.0.0.1"], [200, 200, 200])])
def test_lets_nobody_choose_the_address_that_is_counted(
    relying_party: RelyingParty,
    monkeypatch: pytest.MonkeyPatch,
    settings: Settings,
    proxies: list[str],
    statuses: list[int],
) -> None:
    settings.TRUSTED_PROXIES = proxies
    monkeypatch.setattr("userflows.mail_code.ADDRESS_LIMIT", Limit("test.address", count=2, seconds=3600))
    answered = []
    for number in range(3):
        stranger = Stranger(email=f"p{number}@example.com")
        stranger.http.defaults["HTTP_X_FORWARDED_FOR"] = f"198.51.100.{number}"
        stranger.open(relying_party.request_url()).give_email()
        answered.append(stranger.page.status_code)
    assert answered == statuses
