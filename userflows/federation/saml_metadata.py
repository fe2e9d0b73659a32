"""A partner's SAML metadata and certificates: read, judged and described. Administrators bring them."""

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from onelogin.saml2.constants import OneLogin_Saml2_Constants as Names

from directory import outgoing
from directory.identity_provider_kinds import KINDS, Protocol
from directory.models import IdentityProvider
from userflows.federation.saml_xml import XmlRefused, find, parse

MAX_BYTES = 1_000_000
# What an identity keeps as its issuer.
MAX_ENTITY_ID = 255
MIN_RSA_BITS = 2048
OWN_KEY_BITS = 3072
# A partner enters it once, by hand: it ends long after everybody has moved to another.
OWN_CERTIFICATE_DAYS = 3650
LOOPBACK = ("localhost", "127.0.0.1", "::1")
XML_PROBLEMS: Mapping[str, Any] = {
    "too_large": _("The file is too large for the metadata of one provider."),
    "entities": _("The file declares a document type, which SAML metadata never does."),
    "not_xml": _("This is no XML file. Take the one that the provider calls metadata or federation metadata."),
}


@dataclass(frozen=True)
class SamlMetadata:
    """What the metadata of an identity provider says. The certificates (PEM) are those that it signs with."""

    entity_id: str
    sso_url: str
    slo_url: str
    certificates: list[str]
    wants_signed_requests: bool


@dataclass(frozen=True)
class CertificateDescription:
    """`fingerprint` is the SHA-256 in the way in which other tools write it: AB:CD:…"""

    subject: str
    fingerprint: str
    not_after: datetime

    @property
    def is_over(self) -> bool:
        return self.not_after <= datetime.now(tz=UTC)


def fetch(url: str) -> SamlMetadata:
    """Read the metadata that a partner publishes. Raises ValidationError with words for an administrator."""
    try:
        with outgoing.session() as session:
            response = session.get(url, headers={"Accept": "application/samlmetadata+xml, application/xml, text/xml"})
            response.raise_for_status()
    except outgoing.OutgoingRefused as error:
        raise ValidationError(str(error), code=error.reason) from error
    except requests.HTTPError as error:
        raise ValidationError(
            _("The server answered with the error %(status)d."),
            code="http_error",
            params={"status": error.response.status_code},
        ) from error
    except requests.RequestException as error:
        raise ValidationError(_("The server could not be reached."), code="unreachable") from error
    return read(response.content)


def read(xml: str | bytes) -> SamlMetadata:
    """Return what the metadata of one identity provider says. Raises ValidationError with words."""
    content = xml.removeprefix("\ufeff").encode() if isinstance(xml, str) else xml
    try:
        root = parse(content, most=MAX_BYTES, may_have_comments=True)
    except XmlRefused as error:
        raise ValidationError(XML_PROBLEMS[error.reason], code=error.reason) from error
    entities = find(root, "descendant-or-self::md:EntityDescriptor[md:IDPSSODescriptor]")
    if not entities:
        raise ValidationError(_("The metadata describes no SAML identity provider."), code="no_identity_provider")
    if len(entities) > 1:
        raise ValidationError(
            _("The metadata describes several identity providers. Ask for the metadata of one."), code="several"
        )
    entity_id = entities[0].get("entityID", "")
    validate_entity_id(entity_id)
    provider = find(entities[0], "md:IDPSSODescriptor")[0]
    sso_url, slo_url = _location(provider, "SingleSignOnService"), _location(provider, "SingleLogoutService")
    if not sso_url:
        raise ValidationError(
            _("The provider takes no requests by redirect (HTTP-Redirect), which this portal sends."), code="no_sso_url"
        )
    for url in (sso_url, slo_url):
        if url:
            validate_browser_url(url)
    found = find(provider, "md:KeyDescriptor[not(@use) or @use='signing']//ds:X509Data/ds:X509Certificate")
    certificates = [read_certificate("".join(element.itertext())) for element in found]
    if not certificates:
        raise ValidationError(_("The metadata has no certificate to check signatures with."), code="no_certificate")
    return SamlMetadata(
        entity_id=entity_id,
        sso_url=sso_url,
        slo_url=slo_url,
        certificates=list(dict.fromkeys(certificates)),
        wants_signed_requests=provider.get("WantAuthnRequestsSigned") in ("true", "1"),
    )


def _location(provider: object, service: str) -> str:
    found = find(provider, f"md:{service}[@Binding='{Names.BINDING_HTTP_REDIRECT}']")
    return str(found[0].get("Location", "")) if found else ""


def validate_browser_url(url: str) -> None:
    """Refuse a URL to which no person is sent. Raises ValidationError.

    Only the person's browser goes there: it may well be a server inside the partner's own network.
    """
    try:
        parts = urlsplit(url)
        is_secure = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)
    except ValueError:
        parts, is_secure = urlsplit(""), False
    is_plain = bool(parts.hostname) and not parts.fragment and "@" not in parts.netloc
    if not is_secure or not is_plain or re.search(r"[\x00-\x20\x7f\"<>\\]", url):
        raise ValidationError(_("“%(url)s” is no https:// URL."), code="url", params={"url": url[:200]})


def validate_entity_id(entity_id: str, *, provider: IdentityProvider | None = None) -> None:
    """Refuse an entity id that would make its people those of somebody else. Raises ValidationError.

    With a `provider` (it may be a new one) the tenant's other providers are asked too: an issuer has one row.
    """
    if not entity_id or entity_id != entity_id.strip() or re.search(r"[\x00-\x1f\x7f]", entity_id):
        raise ValidationError(_("Every identity provider has an entity ID."), code="entity_id")
    if len(entity_id) > MAX_ENTITY_ID:
        raise ValidationError(_("The entity ID is too long."), code="entity_id_too_long")
    if is_reserved(entity_id):
        raise ValidationError(_("This entity ID belongs to another kind of provider."), code="entity_id_reserved")
    if provider is None:
        return
    others = IdentityProvider.objects.filter(tenant=provider.tenant_id).exclude(pk=provider.pk)
    if any(_same(entity_id, other.issuer) for other in others if other.is_known_kind):
        raise ValidationError(_("Another identity provider of this tenant has this entity ID."), code="entity_id_taken")


def is_reserved(entity_id: str) -> bool:
    """Answer whether an issuer of this name is another kind's, or this portal itself."""
    if _same(entity_id, settings.BASE_URL) or entity_id.casefold().startswith(f"{settings.BASE_URL}/".casefold()):
        return True
    for kind in KINDS:
        if _same(entity_id, kind.issuer) or _same(entity_id, kind.id):
            return True
        if kind.protocol is Protocol.OPENID_CONNECT and kind.discovery_issuer:
            pattern = re.escape(kind.discovery_issuer.rstrip("/")).replace(re.escape("{tenant}"), "[^/]*")
            if re.fullmatch(pattern, entity_id.rstrip("/"), re.IGNORECASE):
                return True
    return False


def _same(entity_id: str, issuer: str) -> bool:
    return bool(issuer) and entity_id.rstrip("/").casefold() == issuer.rstrip("/").casefold()


def read_certificate(text: str) -> str:
    """Return a certificate (PEM, or the base64 that metadata has) as PEM. Raises ValidationError."""
    try:
        if "-----BEGIN" in text:
            certificate = x509.load_pem_x509_certificate(text.strip().encode())
        else:
            certificate = x509.load_der_x509_certificate(base64.b64decode("".join(text.split()), validate=True))
        key = certificate.public_key()
    except (ValueError, TypeError) as error:
        raise ValidationError(_("This is no certificate (X.509)."), code="certificate") from error
    if isinstance(key, rsa.RSAPublicKey) and key.key_size < MIN_RSA_BITS:
        raise ValidationError(
            _("The certificate's key is too short. It needs %(bits)d bits."),
            code="certificate_weak",
            params={"bits": MIN_RSA_BITS},
        )
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def describe(certificate: str) -> CertificateDescription:
    """Return what administrators compare a certificate (PEM) by. Raises ValueError for what is none."""
    read = x509.load_pem_x509_certificate(certificate.encode())
    return CertificateDescription(
        subject=read.subject.rfc4514_string(),
        fingerprint=read.fingerprint(hashes.SHA256()).hex(":").upper(),
        not_after=read.not_valid_after_utc,
    )


def certificates_expire_on(provider: IdentityProvider) -> date | None:
    """Return the day on which the last of the provider's certificates ends, None where it has none."""
    ends = [describe(certificate).not_after for certificate in provider.setting("certificates", [])]
    return max(ends).date() if ends else None


def make_key_pair(provider: IdentityProvider) -> None:
    """Give the provider's row a key of our own, to sign requests with and to decrypt what comes. The caller saves."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=OWN_KEY_BITS)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Identity Portal {provider.tenant.slug}"[:64])])
    now = datetime.now(tz=UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=OWN_CERTIFICATE_DAYS))
        .sign(key, hashes.SHA256())
    )
    provider.secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    provider.secret_expires_on = certificate.not_valid_after_utc.date()
    pem = certificate.public_bytes(serialization.Encoding.PEM).decode()
    provider.settings = {**provider.settings, "sp_certificate": pem}
