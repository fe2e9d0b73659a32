"""The signing keys of a tenant: made, rotated, published, used.

A key is published as `next` before it signs and as `retired` after, so that no client meets a signature it can't check.
"""

import json
from datetime import timedelta
from functools import lru_cache
from typing import Any

from django.db import models, transaction
from django.utils import timezone
from jwcrypto import jwk, jws, jwt
from jwcrypto.common import JWException

from directory import audit
from directory.models import Tenant
from identity_portal.oidc.models import SigningKey

JWKS_MAX_AGE = timedelta(minutes=5)
# Longer than any ID or access token lives.
PUBLISHED_AFTER_RETIREMENT = timedelta(hours=24)

Algorithm = SigningKey.Algorithm
State = SigningKey.State


class KeyTooYoung(Exception):
    """The next key is not published long enough: clients with a cached key set would refuse its signatures."""


def active_key(tenant: Tenant, algorithm: str) -> SigningKey:
    """Return the key that signs now. A tenant's first use of an algorithm makes its keys."""
    keys = SigningKey.objects.filter(tenant=tenant, algorithm=algorithm, state=State.ACTIVE)
    return keys.first() or _make_first_keys(tenant, algorithm)


@transaction.atomic
def _make_first_keys(tenant: Tenant, algorithm: str) -> SigningKey:
    Tenant.objects.select_for_update().get(pk=tenant.pk)
    existing = SigningKey.objects.filter(tenant=tenant, algorithm=algorithm, state=State.ACTIVE).first()
    if existing:
        return existing
    active = _generate(tenant, algorithm, State.ACTIVE)
    _generate(tenant, algorithm, State.NEXT)
    return active


def _generate(tenant: Tenant, algorithm: str, state: str) -> SigningKey:
    rsa = algorithm == Algorithm.RS256
    key = jwk.JWK.generate(kty="RSA", size=2048) if rsa else jwk.JWK.generate(kty="EC", crv="P-256")
    kid = key.thumbprint()
    public = {**json.loads(key.export_public()), "kid": kid, "use": "sig", "alg": algorithm}
    return SigningKey.objects.create(
        tenant=tenant,
        algorithm=algorithm,
        state=state,
        kid=kid,
        public_jwk=public,
        private_jwk=key.export(private_key=True),
        activated_at=timezone.now() if state == State.ACTIVE else None,
    )


@transaction.atomic
def rotate_keys(
    tenant: Tenant, *, algorithm: str, force: bool = False, actor: models.Model | None = None
) -> SigningKey:
    """Let the next key sign, retire the active one, publish a new next one. Returns the key that signs now.

    `force` is for a key that was stolen: it doesn't wait for the next one to be known, and the stolen one is gone at
    once, with everything that it signed. Raises KeyTooYoung without it.
    """
    Tenant.objects.select_for_update().get(pk=tenant.pk)
    old = active_key(tenant, algorithm)
    new = SigningKey.objects.get(tenant=tenant, algorithm=algorithm, state=State.NEXT)
    now = timezone.now()
    if not force and now - new.created_at < JWKS_MAX_AGE:
        raise KeyTooYoung(f"Wait until {new.created_at + JWKS_MAX_AGE:%H:%M:%S} UTC: the next key was just published.")
    if force:
        old.delete()
    else:
        old.state, old.retired_at = State.RETIRED, now
        old.save(update_fields=["state", "retired_at"])
    new.state, new.activated_at = State.ACTIVE, now
    new.save(update_fields=["state", "activated_at"])
    _generate(tenant, algorithm, State.NEXT)
    audit.record(
        "signing_key.rotated",
        tenant=tenant,
        actor=actor,
        target=new,
        details={"algorithm": algorithm, "kid": new.kid, "retired_kid": old.kid, "forced": force},
    )
    return new


def published_keys(tenant: Tenant) -> list[dict[str, Any]]:
    """Return the tenant's public JSON Web Keys (RFC 7517 5.1)."""
    gone = models.Q(state=State.RETIRED, retired_at__lt=timezone.now() - PUBLISHED_AFTER_RETIREMENT)
    keys = SigningKey.objects.filter(tenant=tenant).exclude(gone).order_by("created_at")
    public_keys = keys.values_list("public_jwk", flat=True)
    if not public_keys:
        active_key(tenant, Algorithm.RS256)
    return list(public_keys or public_keys.all())


# Parsing an RSA key checks its primes and takes 250 ms; signing with the parsed key takes 4 ms.
@lru_cache(maxsize=4096)
def _parsed(private_jwk: str) -> jwk.JWK:
    return jwk.JWK.from_json(private_jwk)


def sign(claims: dict[str, Any], *, key: SigningKey, typ: str = "JWT") -> str:
    """Return a compact JWS over `claims` (RFC 7515), with the key's `kid` in its header."""
    token = jwt.JWT(header={"typ": typ, "alg": key.algorithm, "kid": key.kid}, claims=claims)
    token.make_signed_token(_parsed(key.private_jwk))
    return str(token.serialize())


def verified_claims(token: str, *, tenant: Tenant) -> dict[str, Any] | None:
    """Return the claims of an ID token that one of the tenant's keys signed, retired ones too; None for any other.

    Expiry is not looked at: an `id_token_hint` may be old (OpenID Connect RP-Initiated Logout 1.0, 2).
    """
    try:
        unverified = jws.JWS.from_jose_token(token)
        header = unverified.jose_header
        # PostgreSQL refuses a NUL in a lookup with a server error.
        kid = str(header.get("kid", "")).replace("\x00", "")
        key = SigningKey.objects.filter(tenant=tenant, kid=kid).first()
        # An access token is no ID token, though the same key signs both (RFC 9068 5).
        if key is None or header.get("typ") != "JWT":
            return None
        # The key's own algorithm, never the one that the token names.
        unverified.allowed_algs = [key.algorithm]
        unverified.verify(jwk.JWK(**key.public_jwk))
        claims = json.loads(unverified.payload)
    except (JWException, ValueError, TypeError, AttributeError):
        return None
    return claims if isinstance(claims, dict) else None
