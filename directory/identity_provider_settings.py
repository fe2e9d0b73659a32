"""The settings of an identity provider: a closed list of names, and what each may be.

`IdentityProvider.settings` holds those of ProviderKind.fields that are no columns; what isn't set isn't in it.
"""

import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from directory.identity_provider_kinds import Protocol, ProviderKind, kinds
from directory.models import IdentityProvider
from directory.outgoing import check_url
from directory.redirect_uris import LOOPBACK_HOSTS

COLUMNS = ("client_id", "secret")
# What a provider has beside what an administrator enters: our own certificate there.
OWN_SETTINGS = {Protocol.SAML: ("sp_certificate", "name_id_format")}
# Identity.issuer is no longer.
MAX_ISSUER_LENGTH = 255
MAX_URL_LENGTH = 500
MAX_SECRET_LENGTH = 10_000
MAX_LISTED = 100
MAX_CERTIFICATES = 10
TOKEN_AUTH_METHODS = ("client_secret_basic", "client_secret_post")
ENTRA_ISSUER = "https://login.microsoftonline.com/"
# RFC 6749 3.3: what a scope may be made of.
SCOPE = re.compile(r"[!#-\[\]-~]+")
APPLE_ID = re.compile(r"[A-Z0-9]{10}")
URL_LETTERS = re.compile(r"[!#-;=?-\[\]-~]+")
VISIBLE = re.compile(r"[!-~]+")


@dataclass(frozen=True)
class Setting:
    """`check` returns the value as it is kept, and raises ValidationError. Without a required one nobody gets in."""

    check: Callable[[Any], Any]
    is_required: bool = False


def _refuse(words: str) -> ValidationError:
    return ValidationError(words)


def check_issuer(value: Any) -> str:
    """OpenID Connect Core 2: an https URL without query and fragment; OpenID Connect Discovery 4.1 appends to it."""
    issuer = _url(value)
    if urlsplit(issuer).query or "#" in issuer or "?" in issuer:
        raise _refuse(_("An issuer has no question mark and no # in it."))
    if issuer.endswith("/.well-known/openid-configuration"):
        raise _refuse(_("This is the address of the discovery document. The issuer is what stands in front of it."))
    if issuer.lower().startswith(ENTRA_ISSUER):
        raise _refuse(_("This is Microsoft's. Add a provider of the kind Microsoft Entra ID instead."))
    return _issuer_length(issuer)


def check_entity_id(value: Any) -> str:
    """SAML 2.0 Core 8.3.6 wants a URI; a bare name is met too. What it may not be called is in `_against_others`."""
    entity_id = str(value).strip()
    if not VISIBLE.fullmatch(entity_id):
        raise _refuse(_("An entity ID has no spaces in it. It looks like https://idp.fabrikam.com/metadata."))
    if entity_id.lower().startswith(ENTRA_ISSUER):
        raise _refuse(_("This is Microsoft's. Add a provider of the kind Microsoft Entra ID instead."))
    return _issuer_length(entity_id)


def _issuer_length(issuer: str) -> str:
    if len(issuer) > MAX_ISSUER_LENGTH:
        raise _refuse(_("It has more than %(count)d characters.") % {"count": MAX_ISSUER_LENGTH})
    return issuer


def _url(value: Any) -> str:
    url = _short_url(value)
    check_url(url)
    return url


def _browser_url(value: Any) -> str:
    """A page to which only the person's browser goes: it may be a server inside the partner's own network."""
    url = _short_url(value)
    try:
        parts = urlsplit(url)
        is_secure = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK_HOSTS)
    except ValueError:
        is_secure = False
    if not is_secure or not parts.hostname or "@" in parts.netloc or "#" in url or not URL_LETTERS.fullmatch(url):
        raise _refuse(_("Write an address that begins with https://."))
    return url


def _short_url(value: Any) -> str:
    url = str(value).strip()
    if len(url) > MAX_URL_LENGTH:
        raise _refuse(_("It has more than %(count)d characters.") % {"count": MAX_URL_LENGTH})
    return url


def _tenant_ids(value: Any) -> list[str]:
    """Of Entra organisations: the ID token names the organisation by its id, whatever its domains are."""
    ids = []
    for word in _words(value):
        try:
            ids.append(str(uuid.UUID(word)))
        except ValueError as error:
            words = _("“%(word)s” is no tenant ID. It looks like 72f988bf-86f1-41af-91ab-2d7cd011db47.")
            raise _refuse(words % {"word": word[:60]}) from error
    return _short_list(ids)


def _scopes(value: Any) -> list[str]:
    scopes = _words(value)
    for scope in scopes:
        if not SCOPE.fullmatch(scope):
            raise _refuse(_("“%(word)s” is no scope.") % {"word": scope[:60]})
    if "openid" not in scopes:
        raise _refuse(_("The scope openid must be among them."))
    return _short_list(scopes)


def _words(value: Any) -> list[str]:
    return [str(word) for word in value] if isinstance(value, list) else str(value).replace(",", " ").split()


def _short_list(words: list[str]) -> list[str]:
    if len(words) > MAX_LISTED:
        raise _refuse(_("At most %(count)d.") % {"count": MAX_LISTED})
    return list(dict.fromkeys(words))


def _token_auth_method(value: Any) -> str:
    if value not in TOKEN_AUTH_METHODS:
        raise _refuse(_("Choose one of the list."))
    return str(value)


def _apple_id(value: Any) -> str:
    word = str(value).strip().upper()
    if not APPLE_ID.fullmatch(word):
        raise _refuse(_("It has ten letters and digits, such as 8ABCD12345."))
    return word


def _number(least: int, most: int) -> Callable[[Any], int]:
    def check(value: Any) -> int:
        number = value if isinstance(value, int) and not isinstance(value, bool) else 0
        if not least <= number <= most:
            raise _refuse(_("Choose a number from %(least)d to %(most)d.") % {"least": least, "most": most})
        return number

    return check


def _sender_name(value: Any) -> str:
    """It becomes a part of a header of the mail."""
    name = " ".join(str(value).split())
    if len(name) > 60 or any(not character.isprintable() or character in '<>@"\\' for character in name):
        raise _refuse(_("Up to 60 characters, without @, quotation marks and angle brackets."))
    return name


def _attribute_name(value: Any) -> str:
    name = str(value).strip()
    if len(name) > MAX_ISSUER_LENGTH or not name.isprintable():
        raise _refuse(_("This is no name of an attribute."))
    return name


def certificate_of(pem: str) -> x509.Certificate:
    """Read a certificate, with or without the lines around it. Raises ValidationError."""
    text = pem.strip()
    if "-----BEGIN" not in text:
        text = f"-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----"
    try:
        return x509.load_pem_x509_certificate(text.encode())
    except ValueError as error:
        raise _refuse(_("This is no certificate in PEM form: it begins with -----BEGIN CERTIFICATE-----.")) from error


def fingerprint(pem: str) -> str:
    """Return the SHA-256 in the way in which other tools write it, "" for what is no certificate."""
    try:
        return certificate_of(pem).fingerprint(hashes.SHA256()).hex(":").upper()
    except ValidationError:
        return ""


def _certificates(value: Any) -> list[str]:
    certificates = [str(pem).strip() for pem in value]
    for pem in certificates:
        certificate_of(pem)
    if len(certificates) > MAX_CERTIFICATES:
        raise _refuse(_("At most %(count)d certificates.") % {"count": MAX_CERTIFICATES})
    return list(dict.fromkeys(certificates))


SETTINGS: dict[str, Setting] = {
    "issuer": Setting(check_issuer, is_required=True),
    "allowed_tenants": Setting(_tenant_ids),
    "team_id": Setting(_apple_id, is_required=True),
    "key_id": Setting(_apple_id, is_required=True),
    "token_auth_method": Setting(_token_auth_method),
    "scopes": Setting(_scopes),
    "trusts_mail": Setting(bool),
    "entity_id": Setting(check_entity_id, is_required=True),
    "sso_url": Setting(_browser_url, is_required=True),
    "slo_url": Setting(_browser_url),
    "certificates": Setting(_certificates, is_required=True),
    "signs_requests": Setting(bool),
    "subject_attribute": Setting(_attribute_name),
    "mail_attribute": Setting(_attribute_name),
    "sp_certificate": Setting(str),
    "name_id_format": Setting(str),
    "code_length": Setting(_number(6, 10)),
    "code_minutes": Setting(_number(5, 60)),
    "sender_name": Setting(_sender_name),
}


def setting_names(kind: ProviderKind) -> list[str]:
    """Return what a provider of this kind may have in `settings`."""
    return [name for name in kind.fields if name not in COLUMNS] + list(OWN_SETTINGS.get(kind.protocol, ()))


def check_secret(secret: str, *, kind: str) -> str:
    """Return a client secret as it is kept; Apple's is a private key. Raises ValidationError."""
    text = secret.strip()
    if len(text) > MAX_SECRET_LENGTH:
        raise _refuse(_("It has more than %(count)d characters.") % {"count": MAX_SECRET_LENGTH})
    if kind == "Apple":
        return _apple_key(text)
    if not VISIBLE.fullmatch(text):
        raise _refuse(_("A client secret has no spaces and no line breaks in it. Copy it again."))
    if kind in ("EntraID", "MicrosoftAccount") and _is_uuid(text):
        raise _refuse(_("This looks like the secret's ID. Copy what stands in the column “Value”."))
    return text


def _apple_key(text: str) -> str:
    try:
        key = load_pem_private_key(text.encode(), password=None)
    except (ValueError, TypeError) as error:
        words = _("This is no private key. Paste the whole file AuthKey_….p8, with its first and last line.")
        raise _refuse(words) from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise _refuse(_("This is no key of Apple's: theirs are of the kind EC P-256."))
    return text


def _is_uuid(text: str) -> bool:
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True


def missing_fields(provider: IdentityProvider) -> list[str]:
    """Return the fields without which nobody can sign in with it: names of columns and settings."""
    missing = []
    for name in provider.about.fields:
        required = name in COLUMNS or SETTINGS[name].is_required
        value = getattr(provider, name) if name in COLUMNS else provider.setting(name)
        if required and not value:
            missing.append(name)
    return missing


def check_provider(provider: IdentityProvider) -> None:
    """Check its settings, one by one and against the tenant's other providers, and put them into their kept form.

    Raises ValidationError, keyed by the names of columns and settings.
    """
    names = setting_names(provider.about)
    if set(provider.settings) - set(names):
        raise ValidationError(_("This kind of identity provider has no such setting."), code="setting")
    errors: dict[str, Any] = {}
    for name, value in provider.settings.items():
        try:
            provider.settings[name] = SETTINGS[name].check(value)
        except ValidationError as error:
            errors[name] = error
    if provider.client_id and not VISIBLE.fullmatch(provider.client_id):
        errors["client_id"] = _refuse(_("It has no spaces in it. Copy it again."))
    if provider.is_enabled:
        for name in missing_fields(provider):
            errors.setdefault(name, _refuse(_("While the provider is switched on, this can't be empty.")))
    if not errors:
        errors = _against_others(provider)
    if errors:
        raise ValidationError(errors)


def _against_others(provider: IdentityProvider) -> dict[str, Any]:
    """Two providers that vouch by one name would let in each other's people."""
    others = list(IdentityProvider.objects.filter(tenant=provider.tenant_id).exclude(pk=provider.pk))
    field = "issuer" if "issuer" in provider.about.fields else "entity_id"
    own = _compared(provider.issuer) if field in provider.about.fields else ""
    errors: dict[str, Any] = {}
    if own and own in {_compared(name) for kind in kinds().values() for name in (kind.issuer, kind.id) if name}:
        errors[field] = _refuse(_("This name belongs to another kind of identity provider."))
    for other in others:
        if own and other.is_known_kind and own == _compared(other.issuer):
            errors[field] = _refuse(_("%(name)s has the same one.") % {"name": other})
        shared = sorted(set(provider.domains) & set(other.domains))
        if shared:
            words = _("%(domain)s leads to %(name)s already.")
            errors["domains"] = _refuse(words % {"domain": shared[0], "name": other})
    return errors


def _compared(issuer: str) -> str:
    return issuer.lower().rstrip("/")
