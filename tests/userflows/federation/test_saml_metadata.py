"""A partner's metadata and certificates, as administrators bring them."""

import socket
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from directory.models import IdentityProvider, Tenant
from tests.certificates import make_rsa_certificate
from tests.userflows.federation.saml_forger import ENTITY_ID, signer
from userflows.federation import saml_metadata

pytestmark = pytest.mark.any_database

REDIRECT = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
POST = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"


def bare(certificate: str) -> str:
    return "".join(certificate.splitlines()[1:-1])


def key(name: str, use: str = "") -> str:
    used = f' use="{use}"' if use else ""
    data = f"<ds:X509Data><ds:X509Certificate>{bare(signer(name).certificate)}</ds:X509Certificate></ds:X509Data>"
    return f"<md:KeyDescriptor{used}><ds:KeyInfo>{data}</ds:KeyInfo></md:KeyDescriptor>"


def entity(**changes: Any) -> str:
    parts = {
        "entity_id": ENTITY_ID,
        "keys": key("next", "signing") + key("idp.fabrikam.example") + key("encrypts", "encryption"),
        "sso": f'<md:SingleSignOnService Binding="{REDIRECT}" Location="https://idp.fabrikam.example/sso?a=1&amp;b=2"/>',
        "slo": f'<md:SingleLogoutService Binding="{REDIRECT}" Location="https://idp.fabrikam.example/slo"/>',
        "more": "",
    } | changes
    return """\
<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" xmlns:ds="http://www.w3.org/2000/09/xmldsig#"
 entityID="{entity_id}"><!-- AD FS writes comments -->
<md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol" {more}>
{keys}{slo}{sso}</md:IDPSSODescriptor></md:EntityDescriptor>""".format(**parts)


def several(*entities: str) -> str:
    namespace = 'xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata"'
    return f"<md:EntitiesDescriptor {namespace}>{''.join(entities)}</md:EntitiesDescriptor>"


@pytest.mark.parametrize(
    "form", [str, str.encode, lambda text: b"\xef\xbb\xbf" + text.encode(), lambda text: several(text)]
)
def test_reads_what_a_provider_publishes(form: Any) -> None:
    told = saml_metadata.read(form(entity(more='WantAuthnRequestsSigned="true"')))
    assert told.entity_id == ENTITY_ID
    assert told.sso_url == "https://idp.fabrikam.example/sso?a=1&b=2"
    assert told.slo_url == "https://idp.fabrikam.example/slo"
    # Not the one that it has things encrypted with.
    assert told.certificates == [signer("next").certificate, signer().certificate]
    assert told.wants_signed_requests


def weak_certificate() -> str:
    certificate = make_rsa_certificate("weak", bits=1024)[0]
    return key("next").replace(bare(signer("next").certificate), bare(certificate))


REFUSED = {
    "not_xml": "metadata",
    "entities": f"<!DOCTYPE a [<!ENTITY e SYSTEM 'file:///etc/hostname'>]>{entity()}",
    "too_large": entity() + " " * saml_metadata.MAX_BYTES,
    "no_identity_provider": entity().replace("IDPSSODescriptor", "SPSSODescriptor"),
    "several": several(entity(), entity(entity_id="urn:other")),
    "entity_id": entity(entity_id=""),
    "entity_id_too_long": entity(entity_id=f"https://{'a' * 250}.example"),
    "entity_id_reserved": entity(entity_id="mail"),
    "no_sso_url": entity(sso=f'<md:SingleSignOnService Binding="{POST}" Location="https://idp.example/sso"/>'),
    "url": entity(sso=f'<md:SingleSignOnService Binding="{REDIRECT}" Location="javascript:alert(1)"/>'),
    "no_certificate": entity(keys=key("next", "encryption")),
    "certificate": entity(keys=key("next").replace("MII", "XXX")),
    "certificate_weak": entity(keys=weak_certificate()),
}


@pytest.mark.parametrize("code", REFUSED)
def test_refuses_what_is_no_metadata_of_a_provider(code: str) -> None:
    with pytest.raises(ValidationError) as caught:
        saml_metadata.read(REFUSED[code])
    assert caught.value.code == code
    assert caught.value.messages[0].endswith(".")


@pytest.mark.parametrize(
    "entity_id",
    [
        "mail",
        "google.com",
        "GitHub.com",
        "https://accounts.google.com",
        "https://accounts.google.com/",
        "https://appleid.apple.com",
        "https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0",
        "HTTPS://LOGIN.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0",
        "http://testserver",
        "http://testserver/globex/v2.0",
    ],
)
def test_reserves_the_names_of_other_kinds(entity_id: str) -> None:
    with pytest.raises(ValidationError) as caught:
        saml_metadata.validate_entity_id(entity_id)
    assert caught.value.code == "entity_id_reserved"


@pytest.mark.parametrize(
    "entity_id",
    [
        "https://sts.windows.net/9188040d-6c67-4c5b-b112-36a304b66dad/",
        "https://accounts.google.com/o/saml2?idpid=C01",
        "urn:fabrikam:idp",
        "http://adfs.fabrikam.example/adfs/services/trust",
    ],
)
def test_takes_the_names_that_saml_providers_have(entity_id: str) -> None:
    saml_metadata.validate_entity_id(entity_id)


def test_gives_an_issuer_one_row_in_a_tenant(tenant: Tenant) -> None:
    settings = {"issuer": "https://login.fabrikam.example/"}
    other = IdentityProvider.objects.create(tenant=tenant, kind="OpenIdConnect", name="Fabrikam", settings=settings)
    new = IdentityProvider(tenant=tenant, kind="Saml", name="Fabrikam")
    with pytest.raises(ValidationError) as caught:
        saml_metadata.validate_entity_id("https://login.fabrikam.example", provider=new)
    assert caught.value.code == "entity_id_taken"
    saml_metadata.validate_entity_id("https://login.fabrikam.example", provider=other)


@pytest.mark.parametrize(
    ("url", "is_right"),
    [
        ("https://adfs.corp.local/adfs/ls", True),
        ("http://localhost:8080/sso", True),
        ("http://idp.example/sso", False),
        ("https://user@idp.example/sso", False),
        ("https://idp.example/sso#x", False),
        ("https://idp.example/s\nso", False),
        ('https://idp.example/"><script>', False),
        ("https://", False),
        ("https://[", False),
        ("//idp.example", False),
    ],
)
def test_sends_people_to_safe_addresses_only(url: str, is_right: bool) -> None:
    if is_right:
        saml_metadata.validate_browser_url(url)
        return
    with pytest.raises(ValidationError):
        saml_metadata.validate_browser_url(url)


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("https://169.254.169.254/metadata", "private_address"),
        ("file:///etc/passwd", "scheme"),
    ],
)
def test_fetches_metadata_through_the_guard(url: str, code: str) -> None:
    with pytest.raises(ValidationError) as caught:
        saml_metadata.fetch(url)
    assert caught.value.code == code


def test_says_when_nobody_answers_there() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        with pytest.raises(ValidationError) as caught:
            saml_metadata.fetch(f"http://127.0.0.1:{silent.getsockname()[1]}/metadata")
    assert caught.value.code == "unreachable"


def test_describes_certificates_and_knows_when_the_last_one_ends(tenant: Tenant) -> None:
    sooner, later = make_rsa_certificate("sooner", days=10)[0], make_rsa_certificate("later", days=40)[0]
    provider = IdentityProvider(tenant=tenant, kind="Saml", settings={"certificates": [later, sooner]})
    described = saml_metadata.describe(sooner)
    assert described.subject == "CN=sooner"
    assert len(described.fingerprint) == 95
    assert not described.is_over
    assert saml_metadata.certificates_expire_on(provider) == (datetime.now(tz=UTC) + timedelta(days=40)).date()
    assert saml_metadata.certificates_expire_on(IdentityProvider(tenant=tenant, kind="Saml")) is None


def test_makes_a_key_of_its_own_that_is_sealed(tenant: Tenant) -> None:
    provider = IdentityProvider(tenant=tenant, kind="Saml", name="Fabrikam", settings={"entity_id": ENTITY_ID})
    saml_metadata.make_key_pair(provider)
    provider.save()
    row = IdentityProvider.objects.filter(pk=provider.pk).values().get()
    assert row["settings"]["entity_id"] == ENTITY_ID
    assert "PRIVATE" not in str(row["settings"])
    assert provider.secret.startswith("-----BEGIN PRIVATE KEY-----")
    assert provider.secret_expires_on == saml_metadata.describe(provider.settings["sp_certificate"]).not_after.date()
