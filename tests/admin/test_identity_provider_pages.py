"""The page on which an identity provider is set up: only its kind's fields, checked in words, secrets kept inside."""

import re
from html import unescape
from typing import Any
from urllib.parse import urlsplit

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from directory.identity_provider_kinds import KINDS
from directory.identity_provider_settings import check_provider
from directory.identity_providers import TEST_PASSED, update_identity_provider
from directory.models import AuditEvent, IdentityProvider, UserAttribute
from tests.admin.conftest import Furnished
from tests.admin.test_identity_providers import GOOGLE, list_url, make_provider, url_of
from tests.hostile_urls import HOSTILE_URLS
from userflows.admin.identity_provider_metadata import MetadataForm

pytestmark = pytest.mark.any_database

BUILT_IN = ("EmailOTP", "EmailPassword", "Passkey")
TENANT_ID = "9122040d-6c67-4c5b-b112-36a304b66dad"
OIDC = {"issuer": "https://login.fabrikam.example", "client_id": "portal", "may_create_accounts": "on"}


def pem_of(key: Any) -> str:
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    text: bytes = key.private_bytes(encoding, form, serialization.NoEncryption())
    return text.decode()


APPLE_KEY = pem_of(ec.generate_private_key(ec.SECP256R1()))
APPLE = {"client_id": "com.fabrikam.signin", "team_id": "8ABCD12345", "key_id": "KEY1234567"}


def save(browser: Client, ours: Furnished, provider: IdentityProvider, **values: Any) -> dict[str, list[str]]:
    """Send the form; return the problems by field, {} where it was saved."""
    answer = browser.post(url_of(ours, provider), {"name": provider.name, **values})
    provider.refresh_from_db()
    if answer.status_code == 302:
        return {}
    errors: dict[str, list[str]] = answer.context["adminform"].form.errors
    return errors


def names_of_fields(html: str) -> set[str]:
    form = html[html.index('id="identityprovider_form"') :]
    form = form[: form.index("</form>")]
    return set(re.findall(r'name="([^"]+)"', form)) - {"csrfmiddlewaretoken", "_save", "_test"}


# --- what is on it --------------------------------------------------------------------------------------------------


def test_asks_only_what_the_kind_needs(browser: Client, ours: Furnished) -> None:
    every = {name for kind in KINDS for name in kind.fields}
    for kind in KINDS:
        html = browser.get(url_of(ours, make_provider_once(ours, kind.id))).content.decode()
        names = names_of_fields(html)
        assert every & names == set(kind.fields) - {"certificates"}, kind.id
        assert ("domains" in names) == (kind.id not in BUILT_IN)
        assert ("Test the connection" in html) == (kind.id not in BUILT_IN)


def test_tells_what_to_paste_where(browser: Client, ours: Furnished) -> None:
    for about in (kind for kind in KINDS if kind.is_federated):
        provider = make_provider(ours, about.id, is_enabled=False)
        html = unescape(browser.get(url_of(ours, provider)).content.decode())
        base = f"http://testserver/woodgrove/federation/{provider.pk}/"
        for name in ("metadata", "acs", "sls") if about.id == "Saml" else ("callback",):
            assert f">{base}{name}</code>" in html, about.id
        for link in filter(None, (about.console_url, about.guide_url)):
            assert f'href="{link}" target="_blank" rel="noopener noreferrer"' in html
        assert '<ol class="steps"><li>' in html
        assert (">testserver</code>" in html) == (about.id == "Apple")


def test_words_are_those_of_the_provider(browser: Client, ours: Furnished) -> None:
    for kind, words in {
        "Facebook": ("App ID", "App secret", "Valid OAuth Redirect URI"),
        "Apple": ("Services ID", "Team ID", "Key ID", "Private key (.p8)", "Return URL"),
        "EntraID": ("Application (client) ID", "Client secret (value)", "Allowed organisations"),
    }.items():
        html = browser.get(url_of(ours, make_provider(ours, kind, is_enabled=False))).content.decode()
        for word in words:
            assert word in html, (kind, word)


# --- secrets --------------------------------------------------------------------------------------------------------


def test_keeps_a_secret_and_never_sends_it_back(browser: Client, ours: Furnished) -> None:
    google = make_provider(ours, secret="", is_enabled=False)
    assert save(browser, ours, google, **GOOGLE, secret_expires_on="2031-05-06") == {}
    assert (google.secret, str(google.secret_expires_on)) == (GOOGLE["secret"], "2031-05-06")
    for page in ("change", "history", "switch", "delete"):
        assert GOOGLE["secret"] not in browser.get(url_of(ours, google, page)).content.decode()
    # An empty field keeps it; another one replaces it.
    assert save(browser, ours, google, client_id="other", secret="") == {}
    assert google.secret == GOOGLE["secret"]
    assert save(browser, ours, google, client_id="other", secret="GOCSPX-two") == {}
    assert google.secret == "GOCSPX-two"
    events = AuditEvent.objects.filter(target_id=str(google.pk))
    assert events.filter(activity="identity_provider.secret_replaced").count() == 2
    for event in events:
        assert "GOCSPX" not in f"{event.details}{event.search_text}"


@pytest.mark.parametrize(("kind", "secret"), [("Google", "GOCSPX-typed"), ("Apple", APPLE_KEY)])
def test_says_that_a_secret_is_not_kept_on_a_page_with_mistakes(
    browser: Client, ours: Furnished, kind: str, secret: str
) -> None:
    provider = make_provider(ours, kind, is_enabled=False, secret="")
    answer = browser.post(url_of(ours, provider), {"name": "", "client_id": "typed-id", "secret": secret})
    html = unescape(answer.content.decode())
    assert secret.splitlines()[0] not in html
    assert "this page never keeps a secret" in html
    assert 'value="typed-id"' in html


@pytest.mark.parametrize("by_file", [True, False])
def test_takes_apples_key_as_a_file_or_as_text(browser: Client, ours: Furnished, by_file: bool) -> None:
    apple = make_provider(ours, "Apple", is_enabled=False)
    key: dict[str, Any] = (
        {"key_file": SimpleUploadedFile("AuthKey_1.p8", APPLE_KEY.encode())} if by_file else {"secret": APPLE_KEY}
    )
    assert save(browser, ours, apple, **APPLE, **key) == {}
    assert (apple.secret, apple.setting("team_id")) == (APPLE_KEY.strip(), "8ABCD12345")
    html = browser.get(url_of(ours, apple)).content.decode()
    assert "PRIVATE KEY" not in html
    assert APPLE_KEY.splitlines()[1] not in html


WRONG_KEYS = (
    "AuthKey",
    "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----",
    pem_of(ec.generate_private_key(ec.SECP384R1())),
    pem_of(rsa.generate_private_key(public_exponent=65537, key_size=2048)),
)


def test_refuses_keys_that_are_not_apples(browser: Client, ours: Furnished) -> None:
    apple = make_provider(ours, "Apple", is_enabled=False)
    for key in WRONG_KEYS:
        assert "secret" in save(browser, ours, apple, **APPLE, secret=key)
        assert "key_file" in save(browser, ours, apple, **APPLE, key_file=SimpleUploadedFile("k.p8", key.encode()))
    assert apple.secret == ""


def test_forgets_the_test_when_what_was_tested_changes(browser: Client, ours: Furnished) -> None:
    google = make_provider(ours, test_outcome=TEST_PASSED, tested_at="2026-01-01T00:00Z")
    assert save(browser, ours, google, **{**GOOGLE, "secret": ""}, name="Renamed", may_create_accounts="on") == {}
    assert google.test_outcome == TEST_PASSED
    assert save(browser, ours, google, client_id=GOOGLE["client_id"], secret="GOCSPX-two") == {}
    assert (google.tested_at, google.test_outcome) == (None, "")


def make_provider_once(ours: Furnished, kind: str) -> IdentityProvider:
    """Return the tenant's draft of a kind."""
    known = IdentityProvider.objects.filter(tenant=ours.tenant, kind=kind).first()
    return known or make_provider(ours, kind, is_enabled=False, secret="")


# --- settings -------------------------------------------------------------------------------------------------------


KEPT = [
    ("EntraID", "allowed_tenants", f"{TENANT_ID.upper()}\n{TENANT_ID}", [TENANT_ID]),
    ("OpenIdConnect", "scopes", "openid  email,profile", ["openid", "email", "profile"]),
    ("OpenIdConnect", "trusts_mail", "on", True),
    ("OpenIdConnect", "token_auth_method", "client_secret_basic", "client_secret_basic"),
    ("Saml", "entity_id", "urn:fabrikam:idp", "urn:fabrikam:idp"),
    ("Saml", "sso_url", "https://adfs.corp.internal/sso?x=1", "https://adfs.corp.internal/sso?x=1"),
    ("EmailOTP", "code_length", "6", 6),
    ("EmailOTP", "code_minutes", "60", 60),
    ("EmailOTP", "sender_name", " Woodgrove  bank ", "Woodgrove bank"),
]


def test_keeps_settings_in_one_form(browser: Client, ours: Furnished) -> None:
    made = {"EmailOTP": ours.provider}
    for kind, field, value, kept in KEPT:
        provider = made.setdefault(kind, make_provider_once(ours, kind))
        assert save(browser, ours, provider, **{field: value}) == {}, field
        assert provider.settings == {field: kept}
        assert save(browser, ours, provider, **{field: ""}) == {}, field
        assert provider.settings == {}


REFUSED = [
    ("EntraID", "allowed_tenants", "fabrikam.com"),
    ("EntraID", "secret", TENANT_ID),
    ("Google", "secret", "two words"),
    ("Google", "client_id", "two words"),
    ("Google", "name", "x" * 101),
    ("Google", "secret_expires_on", "soon"),
    ("Apple", "team_id", "short"),
    ("OpenIdConnect", "scopes", "email profile"),
    ("OpenIdConnect", "scopes", 'openid "quoted"'),
    ("OpenIdConnect", "token_auth_method", "none"),
    ("OpenIdConnect", "issuer", "https://login.fabrikam.example/?x=1"),
    ("OpenIdConnect", "issuer", "https://login.fabrikam.example/.well-known/openid-configuration"),
    ("OpenIdConnect", "issuer", f"https://login.microsoftonline.com/{TENANT_ID}/v2.0"),
    ("OpenIdConnect", "issuer", f"https://login.fabrikam.example/{'x' * 300}"),
    ("Saml", "entity_id", "mail"),
    # Nobody has set this kind up here: its name is taken all the same.
    ("Saml", "entity_id", "linkedin.com"),
    ("Saml", "entity_id", "two words"),
    ("Saml", "entity_id", "urn:idp\x00"),
    ("Saml", "sso_url", "javascript:alert(1)"),
    ("Saml", "sso_url", "http://idp.fabrikam.example/sso"),
    ("Saml", "slo_url", "https://user@idp.fabrikam.example/slo"),
    ("Saml", "certificates-add", "no certificate"),
    ("EmailOTP", "code_length", "5"),
    ("EmailOTP", "code_length", "11"),
    ("EmailOTP", "code_minutes", "4"),
    ("EmailOTP", "sender_name", "bank@woodgrove.example"),
    ("GitHub", "domains", "not a domain"),
    ("GitHub", "trusted_domains", "*.com"),
]


def test_says_at_the_field_what_is_wrong(browser: Client, ours: Furnished) -> None:
    made = {"EmailOTP": ours.provider}
    for kind, field, value in REFUSED:
        provider = made.setdefault(kind, make_provider_once(ours, kind))
        assert field.removesuffix("-add") in save(browser, ours, provider, **{field: value}), (field, value)
        assert (provider.settings, provider.secret, provider.domains) == ({}, "", []), (field, value)


def test_refuses_urls_that_lead_into_the_house(browser: Client, ours: Furnished, settings: Any) -> None:
    settings.OUTGOING_NETWORKS = []
    oidc = make_provider(ours, "OpenIdConnect", is_enabled=False)
    saml = make_provider(ours, "Saml", is_enabled=False)
    # An empty field is one that isn't filled in yet.
    urls = list(filter(str.strip, HOSTILE_URLS))
    for url in urls[::20]:
        assert "issuer" in save(browser, ours, oidc, **{**OIDC, "issuer": url}), url
        page = browser.post(url_of(ours, saml, "metadata"), {"url": url})
        assert page.context["metadata_form"].errors["url"], url
    saml.refresh_from_db()
    assert (oidc.settings, saml.settings) == ({}, {})
    for url in urls:
        oidc.settings = {"issuer": url}
        with pytest.raises(ValidationError):
            check_provider(oidc)
        assert "url" in MetadataForm({"url": url}, provider=saml).errors, url


def test_takes_what_the_operator_has_opened_and_no_more(browser: Client, ours: Furnished, settings: Any) -> None:
    settings.OUTGOING_NETWORKS = ["10.0.0.0/8"]
    oidc = make_provider(ours, "OpenIdConnect", is_enabled=False)
    assert save(browser, ours, oidc, issuer="https://10.0.0.5") == {}
    for url in ("https://127.0.0.1", "https://169.254.169.254", "https://192.168.1.1", "file:///etc/passwd"):
        assert "issuer" in save(browser, ours, oidc, issuer=url), url


def test_takes_no_setting_that_its_kind_has_not(browser: Client, ours: Furnished) -> None:
    github = make_provider(ours, "GitHub", is_enabled=False)
    forged = {"issuer": "https://x.example", "kind": "Saml", "is_enabled": "on", "tenant": "", "entity_id": "urn:x:y"}
    assert save(browser, ours, github, client_id="abc", **forged) == {}
    assert (github.settings, github.kind, github.is_enabled, github.client_id) == ({}, "GitHub", False, "abc")
    assert github.tenant == ours.tenant
    github.settings = {"issuer": "https://x.example"}
    with pytest.raises(ValidationError):
        update_identity_provider(github)


def test_two_providers_never_share_an_issuer_or_a_domain(browser: Client, ours: Furnished, theirs: Furnished) -> None:
    first = make_provider(ours, "OpenIdConnect", settings={"issuer": OIDC["issuer"]}, domains=["fabrikam.example"])
    make_provider(theirs, "OpenIdConnect", settings={"issuer": "https://theirs.example"}, domains=["theirs.example"])
    other = make_provider(ours, "OpenIdConnect", name="Other", is_enabled=False)
    saml = make_provider(ours, "Saml", name="SAML", is_enabled=False)
    assert "issuer" in save(browser, ours, other, issuer=f"{OIDC['issuer'].upper()}/".replace("HTTPS", "https"))
    assert "entity_id" in save(browser, ours, saml, entity_id=OIDC["issuer"])
    errors = save(browser, ours, other, issuer="https://other.example", domains="Fabrikam.example")
    assert str(first) in errors["domains"][0]
    # Another tenant's are no matter.
    assert save(browser, ours, other, issuer="https://theirs.example", domains="theirs.example") == {}


def test_what_is_switched_on_keeps_what_it_needs(browser: Client, ours: Furnished) -> None:
    google = make_provider(ours)
    assert "client_id" in save(browser, ours, google, client_id="")
    assert google.client_id == GOOGLE["client_id"]


# --- claims ---------------------------------------------------------------------------------------------------------


def test_maps_claims_row_by_row(browser: Client, ours: Furnished, make_attribute: Any) -> None:
    provider = make_provider(ours, "OpenIdConnect", is_enabled=False)
    department = make_attribute(ours.tenant, "department").name
    html = browser.get(url_of(ours, provider)).content.decode()
    assert 'name="claims_mapping-DisplayName" value="" placeholder="name"' in html
    assert f'<option value="{department}">' in html
    new = {"claims_mapping-new": department, "claims_mapping-new-claim": "dept"}
    assert save(browser, ours, provider, **{"claims_mapping-Surname": "-", "claims_mapping-City": "town"}, **new) == {}
    assert provider.claims_mapping == {"Surname": "", "City": "town", department: "dept"}
    html = browser.get(url_of(ours, provider)).content.decode()
    assert f'name="claims_mapping-{department}" value="dept"' in html
    assert 'name="claims_mapping-Surname" value="-"' in html
    # Emptied rows are the default again.
    assert save(browser, ours, provider) == {}
    assert provider.claims_mapping == {}
    assert UserAttribute.objects.filter(tenant=ours.tenant, name=department).exists()
    assert "claims_mapping" in save(browser, ours, provider, **{"claims_mapping-City": "x" * 300})


# --- what comes from strangers --------------------------------------------------------------------------------------


def test_shows_hostile_names_harmlessly(browser: Client, ours: Furnished) -> None:
    for name in ("<script>alert(1)</script>", "\u202eشركة", "🦊" * 30, "x' OR 1=1 --", "{{ name }}%s%(name)s"):
        provider = make_provider(ours, "Saml", name=name, settings={"entity_id": f"urn:<b>x</b>:{name}"})
        for page in ("change", "switch", "delete", "metadata", "history"):
            html = browser.get(url_of(ours, provider, page))
            assert html.status_code == 200
            assert b"<script>alert" not in html.content
            assert b"<b>x</b>" not in html.content
    for path in ("", "add/", "explain/"):
        assert b"<script>alert" not in browser.get(f"{list_url(ours)}{path}").content
    assert b"<script>alert" not in browser.post(f"{list_url(ours)}explain/", {"mail": "a@b.example"}).content


def test_links_only_to_the_providers_own_pages() -> None:
    for kind in KINDS:
        for url in (kind.console_url, kind.guide_url):
            assert not url or urlsplit(url).scheme == "https"
