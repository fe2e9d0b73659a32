"""Between Django's requests and oauthlib's."""

import hashlib
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, QueryDict
from oauth2_provider.oauth2_backends import OAuthLibCore

# oauthlib makes an attribute of its request of every parameter that it gets, and the validator keeps its own findings
# there too: what isn't named here stays outside. (RFC 6749, RFC 7636, OpenID Connect Core 3.1.2.1)
QUERY_PARAMETERS = frozenset(
    (
        *("client_id", "redirect_uri", "response_type", "response_mode", "scope", "state", "nonce", "prompt"),
        *("code_challenge", "code_challenge_method", "acr_values", "display", "login_hint", "ui_locales"),
    )
)
# RFC 6749, RFC 7009. An access token comes in a form or a header, never in an address, which ends up in logs
# (RFC 6750 2.2, RFC 9700 4.3.2).
FORM_PARAMETERS = frozenset(
    (
        *("grant_type", "client_id", "client_secret", "code", "code_verifier", "redirect_uri", "refresh_token"),
        *("scope", "token", "token_type_hint", "access_token"),
    )
)


def hashed_code(code: str) -> str:
    """Return how an authorization code stands in the database."""
    return hashlib.sha256(code.encode()).hexdigest()


def _only(names: frozenset[str], sent: QueryDict) -> list[tuple[str, str]]:
    return [(name, value) for name, values in sent.lists() if name in names for value in values]


class Backend(OAuthLibCore):
    def _extract_params(self, request: HttpRequest) -> tuple[str, str, str, dict[str, Any]]:
        # A POST's query is dropped: MSAL for JavaScript appends ?client-request-id=…, and oauthlib refuses any.
        query = urlencode(_only(QUERY_PARAMETERS, request.GET)) if request.method == "GET" else ""
        # Codes are hashed before the library looks them up, so that the table opens nothing.
        sent = _only(FORM_PARAMETERS, request.POST)
        body = [(name, hashed_code(value) if name == "code" else value) for name, value in sent]
        uri = f"{request.path}?{query}" if query else request.path
        return uri, request.method or "", urlencode(body), self.extract_headers(request)
