"""What providers publish, their discovery document and their keys: fetched rarely, kept as the last good copy.

Nothing here may be called while a row is locked: a provider can take seconds to answer.
"""

import hashlib
import json
from datetime import timedelta
from typing import Any, NoReturn

import jwt
import requests
from django.conf import settings
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from directory import outgoing
from directory.models import IdentityProvider
from directory.outgoing import OutgoingRefused
from userflows.models import ProviderDocument

FRESH_FOR = timedelta(hours=1)
# The last good copy serves while the provider can't be reached, up to this age.
GOOD_FOR = timedelta(days=7)
# With a copy at hand people don't wait long for a newer one.
REFRESH_SECONDS = 3.0
# A provider that didn't answer isn't asked again so soon.
DOWN_SECONDS = 30
# A key that isn't known makes us look for new ones, this often.
KEY_SECONDS = 60
# Of ProviderDocument.url.
MAX_URL_LENGTH = 500
DISCOVERY = "/.well-known/openid-configuration"
REQUIRED_ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")
OTHER_ENDPOINTS = ("userinfo_endpoint", "end_session_endpoint")
# Keys that are public. A provider that publishes a symmetric one shares it with everybody.
KEY_TYPES = ("RSA", "EC", "OKP")
# How Microsoft writes the tenant in the issuer of documents that are for many tenants.
MANY_TENANTS = "{tenantid}"


class ProviderUnreachable(Exception):
    """A provider's document can't be had. `reason` is a code: of OutgoingRefused, or one of those below."""

    def __init__(self, url: str, reason: str, words: str) -> None:
        super().__init__(words)
        self.url = url
        self.reason = reason
        self.words = words


class ProviderMisconfigured(Exception):
    """What the provider publishes doesn't fit what the administrator has entered."""

    def __init__(self, code: str, words: str) -> None:
        super().__init__(words)
        self.code = code
        self.words = words


def configured_issuer(provider: IdentityProvider) -> str:
    """Return the OpenID Provider's issuer as the kind or the administrator gives it, "" for none.

    `{tenant}` in it is replaced where only one of the provider's tenants is allowed.
    """
    stand_in = settings.PROVIDER_ENDPOINTS.get(provider.kind, {}).get("issuer", "")
    issuer = stand_in or provider.about.discovery_issuer or str(provider.setting("issuer"))
    tenants = list(provider.setting("allowed_tenants", []))
    return issuer.replace("{tenant}", tenants[0]) if len(tenants) == 1 else issuer


def discovery_url(provider: IdentityProvider) -> str:
    # For any organisation, Microsoft's document stands under a name of its own.
    issuer = configured_issuer(provider).replace("{tenant}", "organizations")
    return issuer.rstrip("/") + DISCOVERY


def discovery(provider: IdentityProvider, *, is_fresh_wanted: bool = False) -> dict[str, Any]:
    """Return the provider's discovery document, checked (OpenID Connect Discovery 1.0, 4.3).

    Raises ProviderUnreachable and ProviderMisconfigured.
    """
    url = discovery_url(provider)
    if "?" in url or "#" in url:
        raise ProviderMisconfigured("issuer_malformed", _("An issuer is a URL without “?” and “#”."))
    document = fetch(provider, url, is_fresh_wanted=is_fresh_wanted)
    _check_issuer(configured_issuer(provider), document.get("issuer"))
    for name in (*REQUIRED_ENDPOINTS, *OTHER_ENDPOINTS):
        _check_endpoint(name, document.get(name))
    return document


def _check_issuer(configured: str, published: object) -> None:
    if published in (configured, configured.replace("{tenant}", MANY_TENANTS)):
        return
    words = _("The provider calls itself “%(published)s”, not “%(configured)s”. Enter the issuer exactly so.")
    raise ProviderMisconfigured(
        "issuer_differs", words % {"published": str(published or "")[:200], "configured": configured}
    )


def _check_endpoint(name: str, url: object) -> None:
    if url is None and name in OTHER_ENDPOINTS:
        return
    if not isinstance(url, str) or not url:
        words = _("The provider's discovery document has no “%(name)s”.") % {"name": name}
        raise ProviderMisconfigured("endpoint_missing", words)
    try:
        outgoing.check_url(url)
    except ValidationError as error:
        values = {"name": name, "url": url[:200], "problem": error.messages[0]}
        words = _("The provider's “%(name)s” can't be used, “%(url)s”: %(problem)s") % values
        raise ProviderMisconfigured("endpoint_refused", words) from error


def signing_key(provider: IdentityProvider, kid: str) -> jwt.PyJWK:
    """Return the key by which the provider signs, for PyJWT; without `kid` the only one that there is.

    An unknown one may be new: then the keys are fetched again. Raises ProviderUnreachable and ProviderMisconfigured.
    """
    url = str(discovery(provider)["jwks_uri"])
    key = _find_key(fetch(provider, url), kid)
    # Anybody can send unknown names of keys: they don't make us ask each time.
    if key is None and cache.add(f"provider_keys.asked:{provider.pk}", True, KEY_SECONDS):
        key = _find_key(fetch(provider, url, is_fresh_wanted=True), kid)
    if key is None:
        raise ProviderMisconfigured("key_unknown", _("The provider signed with a key that it doesn't publish."))
    return key


def _find_key(document: dict[str, Any], kid: str) -> jwt.PyJWK | None:
    keys = document.get("keys")
    usable = [
        key
        for key in (keys if isinstance(keys, list) else [])
        if isinstance(key, dict) and key.get("kty") in KEY_TYPES and key.get("use") in (None, "sig")
    ]
    found = [key for key in usable if key.get("kid") == kid] if kid else usable
    if len(found) != 1:
        return None
    try:
        return jwt.PyJWK(found[0])
    except (jwt.PyJWTError, NotImplementedError):
        # NotImplementedError is what PyJWT says to `"alg": "none"`.
        return None


def fetch(provider: IdentityProvider, url: str, *, is_fresh_wanted: bool = False) -> dict[str, Any]:
    """Return the JSON object at `url`: a copy of less than an hour, or a new one, or the last good one.

    `is_fresh_wanted`: the provider is asked now, and a copy doesn't stand in. Raises ProviderUnreachable.
    """
    if len(url) > MAX_URL_LENGTH:
        raise ProviderUnreachable(url, "malformed", str(outgoing.REASONS["malformed"]))
    kept = ProviderDocument.objects.filter(identity_provider=provider, url=url).first()
    if is_fresh_wanted:
        return _ask(provider, url, seconds=outgoing.TOTAL_SECONDS)
    age = timezone.now() - kept.fetched_at if kept else None
    if kept and age is not None and age < FRESH_FOR:
        return dict(kept.content)
    good = dict(kept.content) if kept and age is not None and age < GOOD_FOR else None
    return _refresh(provider, url, good)


def _refresh(provider: IdentityProvider, url: str, good: dict[str, Any] | None) -> dict[str, Any]:
    about = hashlib.sha256(f"{provider.pk}|{url}".encode()).hexdigest()
    down = cache.get(f"provider_document.down:{about}")
    if down and good is None:
        raise ProviderUnreachable(url, *down)
    # One asks, the others go on with the copy that they have.
    asking = f"provider_document.asking:{about}"
    if good is not None and (down or not cache.add(asking, True, DOWN_SECONDS)):
        return good
    try:
        return _ask(provider, url, seconds=outgoing.TOTAL_SECONDS if good is None else REFRESH_SECONDS)
    except ProviderUnreachable as error:
        cache.set(f"provider_document.down:{about}", (error.reason, error.words), DOWN_SECONDS)
        if good is None:
            raise
        return good
    finally:
        cache.delete(asking)


def _ask(provider: IdentityProvider, url: str, *, seconds: float) -> dict[str, Any]:
    try:
        answer = outgoing.session(seconds=seconds).get(url, headers={"Accept": "application/json"})
    except OutgoingRefused as error:
        raise ProviderUnreachable(url, error.reason, str(error)) from error
    except requests.exceptions.SSLError as error:
        words = _("The server's certificate is not valid for its name, or nobody known has issued it.")
        raise ProviderUnreachable(url, "certificate", words) from error
    except requests.RequestException as error:
        raise ProviderUnreachable(url, "unreachable", _("The server can't be reached.")) from error
    if answer.status_code != 200:
        words = _("The server answered with the status %(status)d.") % {"status": answer.status_code}
        raise ProviderUnreachable(url, "status", words)
    content = _read_object(answer.text)
    if content is None:
        raise ProviderUnreachable(url, "not_json", _("The server's answer is no JSON object."))
    _keep(provider, url, content)
    return content


def _read_object(text: str) -> dict[str, Any] | None:
    """Return the JSON object, None for what is none, and for what PostgreSQL can't keep: NaN, NUL, half characters."""
    try:
        content = json.loads(text, parse_constant=_refuse_constant)
        written = json.dumps(content, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) and b"\\u0000" not in written else None


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _keep(provider: IdentityProvider, url: str, content: dict[str, Any]) -> None:
    document = ProviderDocument(identity_provider=provider, url=url, content=content, fetched_at=timezone.now())
    # Several may have asked at once: the last one is kept.
    ProviderDocument.objects.bulk_create(
        [document],
        update_conflicts=True,
        unique_fields=("identity_provider", "url"),
        update_fields=("content", "fetched_at"),
    )
