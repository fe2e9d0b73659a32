"""“Test connection” and “Explain an address”: against real servers on the other end, and nothing is made."""

from collections.abc import Callable, Iterator
from html import unescape
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db import connection
from django.test import Client

from directory.email_domains import Admission
from directory.models import Identity, IdentityProvider, User
from directory.roles import Role
from tests.admin.conftest import Furnished, browser_of
from tests.admin.test_identity_providers import list_url, make_provider, offer, url_of
from tests.page_reader import Page
from tests.upstream.saml_identity_provider import SamlIdentityProvider
from tests.upstream.server import UpstreamServer
from tests.upstream.vendors import VENDORS
from userflows.admin.identity_provider_test import FETCH_LIMIT
from userflows.federation.addresses import metadata_url
from userflows.models import Handshake
from userflows.rate_limit import count_attempt

pytestmark = pytest.mark.any_database


@pytest.fixture(scope="module")
def started() -> Iterator[UpstreamServer]:
    server = UpstreamServer().start()
    yield server
    server.stop()


@pytest.fixture
def vendors(started: UpstreamServer, settings: Any) -> UpstreamServer:
    started.reset()
    settings.PROVIDER_ENDPOINTS = started.endpoints
    return started


def make_vendor(ours: Furnished, vendors: UpstreamServer, kind: str, **values: Any) -> IdentityProvider:
    defaults = {"client_id": "the-portal", "secret": "the-client-secret", **VENDORS[kind].values}
    if kind == "OpenIdConnect":
        defaults["settings"] = {"issuer": vendors.issuer(kind)}
    return make_provider(ours, kind, **{**defaults, "is_enabled": False, **values})


def begin(browser: Client, ours: Furnished, provider: IdentityProvider) -> tuple[str, str]:
    """Press the button; return the page and the address at the provider, "" where there is none."""
    page = browser.post(url_of(ours, provider, "test"))
    assert page.status_code == 200
    return unescape(page.content.decode()), page.context["url"]


def come_back(browser: Client, address: str) -> str:
    answer = browser.get(address, follow=True)
    assert answer.status_code == 200
    return unescape(answer.content.decode())


@pytest.mark.parametrize("kind", [kind for kind in VENDORS if kind != "Apple"])
def test_shows_each_step_and_what_is_told(browser: Client, ours: Furnished, vendors: UpstreamServer, kind: str) -> None:
    provider = make_vendor(ours, vendors, kind)
    people = User.objects.count()
    html, url = begin(browser, ours, provider)
    assert html.count('<li class="failed">') == 0
    if VENDORS[kind].is_openid:
        assert "The issuer is" in html
    html = come_back(browser, vendors.send_back(url))
    assert "The connection works" in html
    assert '<li class="open">' not in html
    assert "upstream-" not in html
    # Nothing was made, and the provider is still switched off.
    assert (User.objects.count(), Identity.objects.filter(identity_provider=provider).count()) == (people, 0)
    provider.refresh_from_db()
    assert (provider.is_enabled, provider.test_outcome) == (False, "passed")
    assert provider.tested_at is not None


def test_shows_claims_and_what_they_fill_in(browser: Client, ours: Furnished, vendors: UpstreamServer) -> None:
    google = make_vendor(ours, vendors, "Google")
    vendors.claims = {"email_verified": True, "name": "<script>alert(1)</script>"}
    answer = browser.get(vendors.send_back(begin(browser, ours, google)[1]), follow=True)
    rows = {row.claim: (row.value, row.attributes) for row in answer.context["rows"]}
    assert rows["given_name"] == ("John", "First name")
    assert rows["hd"] == ("example.com", "")
    html = answer.content.decode()
    assert "<script>alert" not in html
    assert "The address counts as verified" in html
    vendors.claims = {"email_verified": False}
    html = come_back(browser, vendors.send_back(begin(browser, ours, google)[1]))
    assert "The provider's word for the address isn't enough" in html


def test_tells_the_providers_own_error(browser: Client, ours: Furnished, vendors: UpstreamServer) -> None:
    google = make_vendor(ours, vendors, "Google", secret="wrong")
    html = come_back(browser, vendors.send_back(begin(browser, ours, google)[1]))
    assert "The connection doesn't work yet" in html
    assert "invalid_client" in html
    assert html.count('<li class="done">') == 3
    google.refresh_from_db()
    assert google.test_outcome == "provider_misconfigured"
    assert "Test failed" in browser.get(list_url(ours)).content.decode()
    vendors.error = {"error": "access_denied", "error_description": "The person said no."}
    html = come_back(browser, vendors.send_back(begin(browser, ours, google)[1]))
    assert "The person said no." in html
    assert html.count('<li class="done">') == 2


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"issuer": "https://evil.example"}, "The provider calls itself “https://evil.example”"),
        ({"token_endpoint": None}, "has no “token_endpoint”"),
        ({"jwks_uri": "http://169.254.169.254/keys"}, "not on the public internet"),
    ],
)
def test_leaves_for_no_provider_whose_document_is_wrong(
    browser: Client, ours: Furnished, vendors: UpstreamServer, document: dict[str, Any], words: str
) -> None:
    provider = make_vendor(ours, vendors, "OpenIdConnect")
    vendors.document = document
    html, url = begin(browser, ours, provider)
    assert words in html
    assert '<li class="failed">' in html
    assert (url, Handshake.objects.count()) == ("", 0)
    provider.refresh_from_db()
    assert provider.test_outcome not in ("", "passed")


def test_says_that_a_server_is_not_there(browser: Client, ours: Furnished) -> None:
    gone = make_provider(
        ours, "OpenIdConnect", client_id="x", secret="y", settings={"issuer": "http://127.0.0.1:9"}, is_enabled=False
    )
    html, url = begin(browser, ours, gone)
    assert '<li class="failed">' in html
    assert url == ""


def test_saves_and_tests_at_once(browser: Client, ours: Furnished, vendors: UpstreamServer) -> None:
    google = make_vendor(ours, vendors, "Google", secret="")
    form = {"name": "Google", "client_id": "the-portal", "secret": "the-client-secret", "_test": "x"}
    page = browser.post(url_of(ours, google), form)
    assert page.context["url"].startswith(vendors.base)
    google.refresh_from_db()
    assert google.secret == "the-client-secret"
    # What can't be saved isn't tested.
    page = browser.post(url_of(ours, google), {**form, "name": ""})
    assert page.context["adminform"].form.errors["name"]


def test_shows_a_result_to_who_tested_and_to_nobody_else(
    browser: Client, ours: Furnished, theirs: Furnished, vendors: UpstreamServer, make_admin: Callable[..., User]
) -> None:
    google = make_vendor(ours, vendors, "Google")
    back = vendors.send_back(begin(browser, ours, google)[1])
    colleague = browser_of(make_admin(ours.tenant, Role.GLOBAL_ADMINISTRATOR))
    # Another's browser can't take the answer, and the own one then can.
    assert colleague.get(back).status_code == 404
    come_back(browser, back)
    result = url_of(ours, google, "test/result")
    assert b"jsmith@example.com" in browser.get(result).content
    assert colleague.get(result)["Location"] == url_of(ours, google)
    foreign = browser_of(theirs.admin)
    assert foreign.get(f"{list_url(theirs)}{google.pk}/test/result/").status_code == 404
    assert b"jsmith" not in foreign.get(result).content
    # After a quarter of an hour nobody sees it; and it lies nowhere readable.
    with connection.cursor() as cursor:
        cursor.execute("SELECT kept FROM userflows_handshake")
        kept = str(cursor.fetchall())
    assert len(kept) > 100
    assert "jsmith" not in kept
    Handshake.objects.update(expires_at="2026-01-01T00:00Z")
    assert browser.get(result)["Location"] == url_of(ours, google)


def test_asks_other_servers_only_so_often(browser: Client, ours: Furnished) -> None:
    bare = make_provider(ours, "GitHub", is_enabled=False)
    for _ in range(FETCH_LIMIT.count):
        count_attempt((FETCH_LIMIT, str(ours.admin.pk)))
    assert browser.post(url_of(ours, bare, "test")).status_code == 429
    saml = make_provider(ours, "Saml", is_enabled=False)
    assert browser.post(url_of(ours, saml, "metadata"), {"url": "https://fabrikam.example"}).status_code == 429


def test_tests_only_what_leads_to_a_provider(browser: Client, ours: Furnished) -> None:
    assert browser.post(url_of(ours, ours.provider, "test")).status_code == 404
    assert browser.get(url_of(ours, ours.provider, "test")).status_code == 405
    assert browser.post(url_of(ours, ours.provider, "metadata"), {}).status_code == 404
    empty = make_provider(ours, "GitHub", is_enabled=False)
    assert "Something is still missing" in begin(browser, ours, empty)[0]


# --- SAML -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def saml_server() -> Iterator[SamlIdentityProvider]:
    server = SamlIdentityProvider().start()
    yield server
    server.stop()


@pytest.mark.saml
def test_sets_saml_up_from_metadata_and_tests_it(
    browser: Client, ours: Furnished, saml_server: SamlIdentityProvider
) -> None:
    browser.post(f"{list_url(ours)}add/", {"kind": "Saml", "name": "Fabrikam"})
    saml = IdentityProvider.objects.get(tenant=ours.tenant, kind="Saml")
    for wrong in ({}, {"url": "nonsense"}, {"text": "<html>"}, {"url": f"{saml_server.url}/nothing"}):
        page = browser.post(url_of(ours, saml, "metadata"), wrong)
        assert page.context["metadata_form"].errors, wrong
    assert browser.post(url_of(ours, saml, "metadata"), {"url": saml_server.entity_id}).status_code == 302
    saml.refresh_from_db()
    assert saml.setting("entity_id") == saml_server.entity_id
    html = browser.get(url_of(ours, saml)).content.decode()
    [fingerprint] = Page(html).values.get("certificates-remove", []) or [_fingerprint(html)]
    assert len(fingerprint) == 95
    saml_server.meet(Client().get(urlsplit(metadata_url(saml)).path).content)
    _html, url = begin(browser, ours, saml)
    form = saml_server.sign_in(url)
    kept = Client().post(urlsplit(form["action"]).path, {name: form[name] for name in ("SAMLResponse", "RelayState")})
    html = come_back(browser, kept["Location"])
    assert "The connection works" in html, html
    # Removed, and then put back by hand.
    keep = {"name": "Fabrikam", "entity_id": saml_server.entity_id, "sso_url": saml.setting("sso_url")}
    [pem] = saml.setting("certificates")
    browser.post(url_of(ours, saml), {**keep, "certificates-remove": fingerprint})
    saml.refresh_from_db()
    assert saml.setting("certificates", []) == []
    browser.post(url_of(ours, saml), {**keep, "certificates-add": pem})
    saml.refresh_from_db()
    assert saml.setting("certificates") == [pem.strip()]
    assert saml.setting("sp_certificate").startswith("-----BEGIN CERTIFICATE-----")


def _fingerprint(html: str) -> str:
    return html.partition('name="certificates-remove" value="')[2].partition('"')[0]


# --- explain an address ---------------------------------------------------------------------------------------------


def explained(browser: Client, ours: Furnished, mail: str, flow: object = "") -> dict[str, str]:
    page = browser.post(f"{list_url(ours)}explain/", {"mail": mail, "user_flow": getattr(flow, "pk", flow)})
    assert page.status_code == 200
    outlooks = page.context["explanation"].outlooks
    return {outlook.provider.kind: " ".join(outlook.sentences) for outlook in outlooks}


def test_explains_what_would_happen_at_each_provider(browser: Client, ours: Furnished) -> None:
    google = make_provider(ours, domains=["fabrikam.example"])
    github = make_provider(ours, "GitHub", client_id="x", secret="y", trusted_domains=["trusted.example"])
    for provider in (google, github):
        offer(ours.flow, provider)
    make_provider(ours, "Facebook", is_enabled=False)
    mail = ours.guest.mail
    before = (User.objects.count(), Identity.objects.count())
    known = explained(browser, ours, mail, ours.flow)
    assert f"Then they sign in as {ours.guest}." in known["EmailOTP"]
    assert f"prove that they are {ours.guest}" in known["Google"]
    assert "mail them a code first" in known["GitHub"]
    assert known["Facebook"] == "It is switched off: nobody is offered it."
    Identity.objects.create(
        tenant=ours.tenant,
        user=ours.guest,
        identity_provider=google,
        sign_in_type="federated",
        issuer="google.com",
        issuer_assigned_id="1",
    )
    assert "that they have used there before, they sign in" in explained(browser, ours, mail, ours.flow)["Google"]
    stranger = explained(browser, ours, "new@trusted.example", ours.flow)
    assert "Then they sign up" in stranger["EmailOTP"]
    assert "its domain is a trusted one" in stranger["GitHub"]
    assert "nobody signs up without a user flow" in explained(browser, ours, "new@trusted.example")["EmailOTP"]
    assert (User.objects.count(), Identity.objects.count()) == (before[0], before[1] + 1)


def test_explains_who_is_refused_and_who_is_led_elsewhere(browser: Client, ours: Furnished) -> None:
    google = make_provider(ours, domains=["fabrikam.example"], may_create_accounts=False)
    ours.flow.admission, ours.flow.domains = Admission.BLOCKED_DOMAINS, "blocked.example"
    ours.flow.save()
    offer(ours.flow, google)
    blocked = explained(browser, ours, "new@blocked.example", ours.flow)
    assert "doesn't let this email domain in." in blocked["EmailOTP"]
    assert "nobody signs up with this identity provider" in explained(browser, ours, "a@b.example", ours.flow)["Google"]
    page = browser.post(f"{list_url(ours)}explain/", {"mail": "a@fabrikam.example", "user_flow": ours.flow.pk})
    assert "is led straight to Google" in unescape(page.content.decode())


def test_explains_only_own_flows_to_who_may_see_people(
    browser: Client, ours: Furnished, theirs: Furnished, make_admin: Callable[..., User]
) -> None:
    url = f"{list_url(ours)}explain/"
    page = browser.post(url, {"mail": theirs.guest.mail, "user_flow": theirs.flow.pk})
    assert page.context["form"].errors["user_flow"]
    page = browser.post(url, {"mail": theirs.guest.mail})
    assert theirs.guest.display_name not in page.content.decode()
    for mail in ("", "nonsense", "a\x00@b.example", f"{'x' * 400}@b.example"):
        assert browser.post(url, {"mail": mail}).context["form"].errors["mail"], mail
    other = browser_of(make_admin(ours.tenant, Role.IDENTITY_PROVIDER_ADMINISTRATOR))
    assert other.post(url, {"mail": ours.guest.mail}).status_code == 403
    assert "explain/" not in other.get(list_url(ours)).content.decode()
