"""What clients read first: discovery (OpenID Connect Discovery 1.0, 4) and the key set (RFC 7517 5)."""

from typing import Any

from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from directory.attributes import BUILT_IN_ATTRIBUTES
from identity_portal.authority import Authority, current_authority
from identity_portal.oidc.authorize import RESPONSE_MODES
from identity_portal.oidc.endpoints import GRANT_TYPES
from identity_portal.oidc.keys import JWKS_MAX_AGE, published_keys
from identity_portal.oidc.models import SigningKey


def _public(document: dict[str, Any]) -> JsonResponse:
    response = JsonResponse(document)
    response["Cache-Control"] = f"public, max-age={int(JWKS_MAX_AGE.total_seconds())}"
    response["Access-Control-Allow-Origin"] = "*"
    return response


def discovery_document(authority: Authority) -> dict[str, Any]:
    """Return the metadata of an authority: only what it really does."""
    url = authority.url
    claims = ["sub", "oid", "tid", "ver", "tfp", "auth_time", "idp", "amr", "sid", "nonce", "email_verified"]
    claims += ["preferred_username", "locale", *(attribute.claim for attribute in BUILT_IN_ATTRIBUTES)]
    return {
        "issuer": authority.issuer,
        "authorization_endpoint": f"{url}/oauth2/v2.0/authorize",
        "token_endpoint": f"{url}/oauth2/v2.0/token",
        "userinfo_endpoint": f"{url}/oidc/userinfo",
        "jwks_uri": f"{url}/discovery/v2.0/keys",
        "end_session_endpoint": f"{url}/oauth2/v2.0/logout",
        "revocation_endpoint": f"{url}/oauth2/v2.0/revoke",
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "response_types_supported": ["code"],
        "response_modes_supported": list(RESPONSE_MODES),
        "grant_types_supported": list(GRANT_TYPES),
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": list(SigningKey.Algorithm.values),
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"],
        "revocation_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"],
        "code_challenge_methods_supported": ["S256"],
        "claims_supported": claims,
        "prompt_values_supported": ["none", "login", "select_account", "create"],
        "ui_locales_supported": ["en"],
        "authorization_response_iss_parameter_supported": True,
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
        "claims_parameter_supported": False,
    }


@require_safe
def discovery(request: HttpRequest) -> JsonResponse:
    return _public(discovery_document(current_authority()))


@require_safe
def key_set(request: HttpRequest) -> JsonResponse:
    return _public({"keys": published_keys(current_authority().tenant)})
