"""The ID token of an OpenID Provider, believed only after every check of OpenID Connect Core 3.1.3.7."""

import base64
import hmac
import re
from collections.abc import Callable, Mapping
from typing import Any

import jwt

from directory.identity_provider_kinds import ProviderKind
from directory.models import IdentityProvider
from userflows.federation import documents
from userflows.federation.errors import (
    PersonNotAdmitted,
    ProviderAnswerInvalid,
    ProviderDown,
    ProviderMisconfigured,
)
from userflows.models import Handshake

# Public keys only: neither "none", nor HS256, whose key would be one that everybody knows.
ALGORITHMS = {
    "RSA": ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    "EC": ("ES256", "ES384", "ES512"),
    "OKP": ("EdDSA",),
}
# Clocks differ.
LEEWAY_SECONDS = 120
REQUIRED_CLAIMS = ["iss", "sub", "aud", "exp", "iat"]
GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
# The organisation of all personal Microsoft accounts.
PERSONAL_ACCOUNTS = "9188040d-6c67-4c5b-b112-36a304b66dad"
REASONS: tuple[tuple[type[jwt.PyJWTError], str], ...] = (
    (jwt.ExpiredSignatureError, "expired"),
    (jwt.ImmatureSignatureError, "not_yet_valid"),
    (jwt.InvalidAudienceError, "audience"),
    (jwt.InvalidSignatureError, "signature"),
    (jwt.InvalidAlgorithmError, "algorithm"),
    (jwt.MissingRequiredClaimError, "claim_missing"),
)


def verified_claims(
    provider: IdentityProvider, handshake: Handshake, token: object, *, access_token: str
) -> dict[str, Any]:
    """Return the claims of an ID token that answers this handshake. Raises a FederationError."""
    if not isinstance(token, str) or not token:
        raise ProviderAnswerInvalid("no_id_token", stage="token")
    announced = str(read_document(documents.discovery, provider)["issuer"])
    claims = _signed_claims(provider, token)
    _check_issuer(provider, claims, announced)
    _check_authorized_party(provider, claims)
    _check_nonce(provider.about, handshake, claims)
    _check_access_token(claims, token, access_token)
    if provider.kind == "EntraID":
        _check_organisation(provider, claims)
    return claims


def read_document(read: Callable[..., Any], provider: IdentityProvider, *args: str) -> Any:
    """Ask userflows.federation.documents, and take its exceptions for what they mean to a person."""
    stage = "keys" if args else "discovery"
    try:
        return read(provider, *args)
    except documents.ProviderUnreachable as error:
        raise ProviderDown(error.reason, error.words, stage=stage) from error
    except documents.ProviderMisconfigured as error:
        if error.code == "key_unknown":
            raise ProviderAnswerInvalid("key_unknown", stage="keys") from error
        raise ProviderMisconfigured(error.code, error.words, stage=stage) from error


def _signed_claims(provider: IdentityProvider, token: str) -> dict[str, Any]:
    try:
        header = jwt.get_unverified_header(token)
        key = read_document(documents.signing_key, provider, str(header.get("kid") or ""))
        claims: dict[str, Any] = jwt.decode(
            token,
            key.key,
            algorithms=[_algorithm_of(key, str(header.get("alg")))],
            audience=provider.client_id,
            leeway=LEEWAY_SECONDS,
            options={"require": REQUIRED_CLAIMS},
        )
    except jwt.PyJWTError as error:
        reason = next((reason for kind, reason in REASONS if isinstance(error, kind)), "malformed")
        raise ProviderAnswerInvalid(reason) from error
    except (TypeError, ValueError, AttributeError) as error:
        raise ProviderAnswerInvalid("malformed") from error
    return claims


def _algorithm_of(key: jwt.PyJWK, algorithm: str) -> str:
    """Return the one algorithm for which the key may be used: its own, or any of its kind where it names none."""
    declared = key._jwk_data.get("alg")
    if (declared and declared != algorithm) or algorithm not in ALGORITHMS.get(str(key.key_type), ()):
        raise ProviderAnswerInvalid("algorithm", algorithm)
    return algorithm


def _check_issuer(provider: IdentityProvider, claims: Mapping[str, Any], announced: str) -> None:
    expected = announced
    if documents.MANY_TENANTS in announced:
        # Entra: one document for all organisations, and an issuer for each.
        expected = announced.replace(documents.MANY_TENANTS, _organisation(claims))
    if claims["iss"] not in (expected, *provider.about.other_issuers):
        raise ProviderAnswerInvalid("issuer", f"{claims['iss']} instead of {expected}")


def _organisation(claims: Mapping[str, Any]) -> str:
    organisation = claims.get("tid")
    if not isinstance(organisation, str) or not GUID.fullmatch(organisation):
        raise ProviderAnswerInvalid("issuer")
    return organisation


def _check_organisation(provider: IdentityProvider, claims: Mapping[str, Any]) -> None:
    organisation = _organisation(claims)
    allowed = provider.setting("allowed_tenants", [])
    if organisation == PERSONAL_ACCOUNTS or (allowed and organisation not in allowed):
        raise PersonNotAdmitted(organisation)


def _check_authorized_party(provider: IdentityProvider, claims: Mapping[str, Any]) -> None:
    """A token that is good at several applications must have been made for this one (3.1.3.7, 3 to 5)."""
    party = claims.get("azp")
    is_shared = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
    if (is_shared and not party) or (party and party != provider.client_id):
        raise ProviderAnswerInvalid("authorized_party")


def _check_nonce(about: ProviderKind, handshake: Handshake, claims: Mapping[str, Any]) -> None:
    nonce = claims.get("nonce")
    if nonce is None and "nonce" in about.lacks:
        # Then at least it was made since the person left for the provider.
        if claims["iat"] < handshake.created_at.timestamp() - LEEWAY_SECONDS:
            raise ProviderAnswerInvalid("nonce")
        return
    if not isinstance(nonce, str) or not hmac.compare_digest(nonce.encode(), handshake.secrets["nonce"].encode()):
        raise ProviderAnswerInvalid("nonce")


def _check_access_token(claims: Mapping[str, Any], token: str, access_token: str) -> None:
    """`at_hash` ties the access token to this ID token (OpenID Connect Core 3.1.3.6), where there is one."""
    expected = claims.get("at_hash")
    if expected is None:
        return
    algorithm = jwt.get_algorithm_by_name(jwt.get_unverified_header(token)["alg"])
    try:
        digest = algorithm.compute_hash_digest(access_token.encode())
    except NotImplementedError:
        # EdDSA: which hash it is isn't said anywhere.
        return
    half = base64.urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=").decode()
    if not hmac.compare_digest(half, str(expected)):
        raise ProviderAnswerInvalid("at_hash")
