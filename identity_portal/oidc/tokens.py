"""Making token values: the hooks ACCESS_TOKEN_GENERATOR and REFRESH_TOKEN_GENERATOR of the library."""

import secrets
import time
import uuid
from datetime import timedelta
from typing import Any

from oauth2_provider.settings import oauth2_settings

from identity_portal.authority import current_authority
from identity_portal.oidc.claims import TOKEN_VERSION, profile_claims, sign_in_claims
from identity_portal.oidc.keys import active_key, sign
from identity_portal.oidc.models import SigningKey

REFRESH_TOKEN_PREFIX = "ip_rt_"  # noqa: S105


def make_access_token(request: Any) -> str:
    """Return a JWT access token (RFC 9068) for oauthlib's request. `aud` is the client itself: it opens userinfo."""
    authority = current_authority()
    now = int(time.time())
    claims: dict[str, Any] = {
        "iss": authority.issuer,
        "aud": request.client.client_id,
        "client_id": request.client.client_id,
        "azp": request.client.client_id,
        "iat": now,
        "nbf": now,
        "exp": now + request.expires_in,
        "jti": str(uuid.uuid4()),
        "scope": " ".join(request.scopes or []),
    }
    context = getattr(request, "sign_in_context", None)
    if context is None:
        # RFC 9068 2.2: with client credentials the subject is the client.
        claims |= {"sub": request.client.client_id, "tid": str(authority.tenant.pk), "ver": TOKEN_VERSION}
    else:
        names = profile_claims(request.user, request.scopes)
        claims |= sign_in_claims(request.user, context)
        claims |= {name: names[name] for name in ("name", "preferred_username", "email") if name in names}
    return sign(claims, key=signing_key(request), typ="at+jwt")


def signing_key(request: Any) -> SigningKey:
    """Return the key for all tokens of one request of oauthlib's: looked up once, so that they have the same `kid`."""
    if not hasattr(request, "signing_key"):
        request.signing_key = active_key(current_authority().tenant, request.client.algorithm)
    return request.signing_key  # type: ignore[no-any-return]


def refresh_token_lifetime() -> timedelta:
    return timedelta(seconds=oauth2_settings.REFRESH_TOKEN_EXPIRE_SECONDS)


def make_refresh_token(request: Any) -> str:
    """Return an opaque refresh token; the prefix lets secret scanners find a leaked one."""
    return REFRESH_TOKEN_PREFIX + secrets.token_urlsafe(32)
