"""What providers publish, from a real server that goes down, gets slow and changes its keys."""

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from django.core.cache import cache
from django.db import connections
from django.utils import timezone

from directory.models import IdentityProvider, Tenant
from tests.hostile_urls import HOSTILE_URLS
from userflows.federation import documents
from userflows.federation.documents import ProviderMisconfigured, ProviderUnreachable, discovery, fetch, signing_key
from userflows.models import ProviderDocument

OLDER = documents.FRESH_FOR + timedelta(minutes=1)


class Publisher(ThreadingHTTPServer):
    """Publishes `pages` by path; a page that is a number is an error with this status."""

    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), PublisherHandler)
        self.pages: dict[str, Any] = {}
        self.asked: list[str] = []
        self.may_answer = Event()
        self.url = f"http://127.0.0.1:{self.server_address[1]}"

    def publish(self, **changes: Any) -> None:
        self.pages["/.well-known/openid-configuration"] = {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/keys",
            **changes,
        }

    def publish_keys(self, *names: str, **changes: str) -> None:
        self.pages["/keys"] = {"keys": [public_key(name) | changes for name in names]}


class PublisherHandler(BaseHTTPRequestHandler):
    server: Publisher

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        self.server.may_answer.wait(5)
        page = self.server.pages.get(self.path, 404)
        body = page if isinstance(page, bytes) else json.dumps(page).encode()
        self.send_response(page if isinstance(page, int) else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: Any) -> None:
        pass


def public_key(name: str) -> dict[str, Any]:
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    return {**jwt.algorithms.ECAlgorithm.to_jwk(key, as_dict=True), "kid": name, "use": "sig"}


@pytest.fixture(scope="module")
def running() -> Iterator[Publisher]:
    publisher = Publisher()
    Thread(target=publisher.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield publisher
    publisher.shutdown()
    publisher.server_close()


@pytest.fixture
def publisher(running: Publisher) -> Publisher:
    running.pages.clear()
    running.publish()
    running.publish_keys("one")
    running.asked.clear()
    running.may_answer.set()
    return running


@pytest.fixture
def provider(tenant: Tenant, publisher: Publisher) -> IdentityProvider:
    return IdentityProvider.objects.create(
        tenant=tenant, kind="OpenIdConnect", name="Partner", settings={"issuer": publisher.url}
    )


def grow_old(age: timedelta = OLDER) -> None:
    ProviderDocument.objects.update(fetched_at=timezone.now() - age)
    cache.clear()


def test_asks_once_and_keeps_what_it_got(
    provider: IdentityProvider, publisher: Publisher, django_assert_num_queries: Callable[..., Any]
) -> None:
    assert signing_key(provider, "one").key_id == "one"
    assert publisher.asked == ["/.well-known/openid-configuration", "/keys"]
    with django_assert_num_queries(2):
        assert signing_key(provider, "one").key_id == "one"
    assert len(publisher.asked) == 2


def test_asks_again_after_an_hour(provider: IdentityProvider, publisher: Publisher) -> None:
    discovery(provider)
    publisher.publish(token_endpoint=f"{publisher.url}/new")
    assert discovery(provider)["token_endpoint"] == f"{publisher.url}/token"
    grow_old()
    assert discovery(provider)["token_endpoint"] == f"{publisher.url}/new"
    assert len(publisher.asked) == 2
    assert ProviderDocument.objects.count() == 1


@pytest.mark.parametrize("page", [500, 404, b"<html>", b"[]", b'{"a": NaN}', b'{"a": "\\u0000"}', b"[" * 100_000])
def test_goes_on_with_the_last_good_copy(provider: IdentityProvider, publisher: Publisher, page: Any) -> None:
    discovery(provider)
    grow_old()
    publisher.pages["/.well-known/openid-configuration"] = page
    for _number in range(3):
        assert discovery(provider)["issuer"] == publisher.url
    # Once to fetch it, once to see that it is gone; then nobody waits for it.
    assert len(publisher.asked) == 2
    cache.clear()
    grow_old(documents.GOOD_FOR)
    with pytest.raises(ProviderUnreachable):
        discovery(provider)


def test_does_not_wait_long_while_it_has_a_copy(
    provider: IdentityProvider, publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(documents, "REFRESH_SECONDS", 0.2)
    discovery(provider)
    grow_old()
    publisher.may_answer.clear()
    begun = time.monotonic()
    assert discovery(provider)["issuer"] == publisher.url
    assert discovery(provider)["issuer"] == publisher.url
    assert time.monotonic() - begun < 1
    assert len(publisher.asked) == 2


@pytest.mark.parametrize(
    ("page", "reason"),
    [(503, "status"), (b"hello", "not_json"), (b'"hello"', "not_json"), (b'{"a": "\\ud800"}', "not_json")],
)
def test_says_why_it_got_nothing_and_soon_again(
    provider: IdentityProvider, publisher: Publisher, page: Any, reason: str
) -> None:
    publisher.pages["/.well-known/openid-configuration"] = page
    for _number in range(2):
        with pytest.raises(ProviderUnreachable) as refused:
            discovery(provider)
        assert (refused.value.reason, refused.value.url) == (reason, documents.discovery_url(provider))
    assert len(publisher.asked) == 1
    publisher.publish()
    # An administrator who tests the connection wants to know how it is now.
    assert discovery(provider, is_fresh_wanted=True)["issuer"] == publisher.url
    assert discovery(provider)["issuer"] == publisher.url
    assert len(publisher.asked) == 2


def test_shows_an_administrator_no_old_copy(provider: IdentityProvider, publisher: Publisher) -> None:
    discovery(provider)
    publisher.pages.clear()
    with pytest.raises(ProviderUnreachable, match="404"):
        discovery(provider, is_fresh_wanted=True)
    assert discovery(provider)["issuer"] == publisher.url


@pytest.mark.django_db(transaction=True)
def test_sends_one_for_a_newer_copy(provider: IdentityProvider, publisher: Publisher) -> None:
    discovery(provider)
    grow_old()
    publisher.may_answer.clear()
    # The others are done before the provider has said a word.
    with ThreadPoolExecutor(1) as background:
        first = background.submit(in_a_thread, provider)
        while len(publisher.asked) < 2:
            time.sleep(0.005)
        for _number in range(4):
            assert discovery(provider)["issuer"] == publisher.url
        publisher.may_answer.set()
        assert first.result()["issuer"] == publisher.url
    assert len(publisher.asked) == 2


def in_a_thread(provider: IdentityProvider) -> dict[str, Any]:
    try:
        return discovery(provider)
    finally:
        connections.close_all()


# Keys


def test_finds_a_new_key_once_a_minute(provider: IdentityProvider, publisher: Publisher) -> None:
    signing_key(provider, "one")
    publisher.publish_keys("two", "three")
    assert signing_key(provider, "two").key_id == "two"
    assert publisher.asked.count("/keys") == 2
    assert signing_key(provider, "three").key_id == "three"
    for kid in ("unknown", "other", "one"):
        with pytest.raises(ProviderMisconfigured, match="doesn't publish") as refused:
            signing_key(provider, kid)
        assert refused.value.code == "key_unknown"
    assert publisher.asked.count("/keys") == 2
    cache.clear()
    publisher.publish_keys("four")
    assert signing_key(provider, "four").key_id == "four"


def test_takes_the_only_key_where_none_is_named(provider: IdentityProvider, publisher: Publisher) -> None:
    assert signing_key(provider, "").key_id == "one"
    publisher.publish_keys("two", "three")
    cache.clear()
    grow_old()
    with pytest.raises(ProviderMisconfigured):
        signing_key(provider, "")


@pytest.mark.parametrize(
    "changes", [{"kty": "oct", "k": "c2VjcmV0"}, {"use": "enc"}, {"crv": "P-9"}, {"x": "AA"}, {"alg": "none"}]
)
def test_takes_no_key_that_proves_nothing(
    provider: IdentityProvider, publisher: Publisher, changes: dict[str, str]
) -> None:
    publisher.publish_keys("one", **changes)
    with pytest.raises(ProviderMisconfigured, match="doesn't publish"):
        signing_key(provider, "one")


@pytest.mark.parametrize("keys", [{}, {"keys": {}}, {"keys": ["one"]}, {"keys": []}])
def test_takes_nothing_else_for_keys(provider: IdentityProvider, publisher: Publisher, keys: dict[str, Any]) -> None:
    publisher.pages["/keys"] = keys
    with pytest.raises(ProviderMisconfigured):
        signing_key(provider, "one")


# What a discovery document may say


@pytest.mark.parametrize("issuer", ["https://evil.example", None, 7, "", "{}/"])
def test_refuses_the_document_of_another_issuer(
    provider: IdentityProvider, publisher: Publisher, issuer: str | None
) -> None:
    publisher.publish(issuer=issuer.format(publisher.url) if isinstance(issuer, str) else issuer)
    with pytest.raises(ProviderMisconfigured) as refused:
        discovery(provider)
    assert refused.value.code == "issuer_differs"
    assert publisher.url in refused.value.words


@pytest.mark.parametrize("name", ["authorization_endpoint", "token_endpoint", "jwks_uri"])
@pytest.mark.parametrize("value", [None, "", 5])
def test_wants_every_endpoint(provider: IdentityProvider, publisher: Publisher, name: str, value: object) -> None:
    publisher.publish(**{name: value})
    with pytest.raises(ProviderMisconfigured, match=name) as refused:
        discovery(provider)
    assert refused.value.code == "endpoint_missing"


@pytest.mark.parametrize("name", ["authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint"])
@pytest.mark.parametrize("url", ["javascript:alert(1)", "https://169.254.169.254/x", "https://10.0.0.1/x", "file:///x"])
def test_refuses_endpoints_that_lead_into_the_house(
    provider: IdentityProvider, publisher: Publisher, name: str, url: str
) -> None:
    publisher.publish(**{name: url})
    with pytest.raises(ProviderMisconfigured, match=name) as refused:
        discovery(provider)
    assert refused.value.code == "endpoint_refused"


@pytest.mark.parametrize("url", [url for url in HOSTILE_URLS if "#" not in url and "?" not in url])
def test_asks_no_hostile_issuer(provider: IdentityProvider, settings: Any, url: str) -> None:
    settings.OUTGOING_NETWORKS = []
    provider.settings["issuer"] = url
    with pytest.raises(ProviderUnreachable):
        discovery(provider)


@pytest.mark.parametrize("issuer", ["{}/?a=b", "{}#x"])
def test_takes_no_issuer_with_a_query(provider: IdentityProvider, publisher: Publisher, issuer: str) -> None:
    provider.settings["issuer"] = issuer.format(publisher.url)
    with pytest.raises(ProviderMisconfigured) as refused:
        discovery(provider)
    assert (refused.value.code, publisher.asked) == ("issuer_malformed", [])


def test_keeps_no_url_that_is_too_long(provider: IdentityProvider, publisher: Publisher) -> None:
    with pytest.raises(ProviderUnreachable):
        fetch(provider, f"{publisher.url}/{'x' * 500}")
    assert publisher.asked == []


# Whose issuer is known beforehand


@pytest.mark.parametrize(
    ("tenants", "path", "issuer"),
    [
        ([], "/organizations/v2.0", "/{tenantid}/v2.0"),
        (["t1", "t2"], "/organizations/v2.0", "/{tenantid}/v2.0"),
        (["t1"], "/t1/v2.0", "/t1/v2.0"),
    ],
)
def test_knows_how_microsoft_names_its_tenants(
    tenant: Tenant, publisher: Publisher, settings: Any, tenants: list[str], path: str, issuer: str
) -> None:
    settings.PROVIDER_ENDPOINTS = {"EntraID": {"issuer": f"{publisher.url}/{{tenant}}/v2.0"}}
    entra = IdentityProvider.objects.create(
        tenant=tenant, kind="EntraID", name="Work", settings={"allowed_tenants": tenants}
    )
    publisher.publish()
    document = {**publisher.pages["/.well-known/openid-configuration"], "issuer": f"{publisher.url}{issuer}"}
    publisher.pages[f"{path}/.well-known/openid-configuration"] = document
    assert discovery(entra) == document


@pytest.mark.parametrize(
    ("kind", "url"),
    [
        ("Google", "https://accounts.google.com/.well-known/openid-configuration"),
        ("Apple", "https://appleid.apple.com/.well-known/openid-configuration"),
        ("LinkedIn", "https://www.linkedin.com/oauth/.well-known/openid-configuration"),
        ("EntraID", "https://login.microsoftonline.com/organizations/v2.0/.well-known/openid-configuration"),
        (
            "MicrosoftAccount",
            "https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0/.well-known/openid-configuration",
        ),
    ],
)
def test_knows_where_vendors_publish(kind: str, url: str) -> None:
    assert documents.discovery_url(IdentityProvider(kind=kind)) == url
