"""Between Django's requests and oauthlib's."""

import hashlib
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from django.http import HttpRequest
from oauth2_provider.oauth2_backends import OAuthLibCore


def hashed_code(code: str) -> str:
    """Return how an authorization code stands in the database."""
    return hashlib.sha256(code.encode()).hexdigest()


class Backend(OAuthLibCore):
    def extract_body(self, request: HttpRequest) -> list[tuple[str, str]]:
        """Codes are hashed before the library looks them up, so that the table opens nothing."""
        body = super().extract_body(request)
        return [(name, hashed_code(value) if name == "code" else value) for name, value in body]

    def _extract_params(self, request: HttpRequest) -> tuple[str, str, str, dict[str, Any]]:
        uri, method, body, headers = super()._extract_params(request)
        if method == "POST":
            # MSAL for JavaScript appends ?client-request-id=…; oauthlib refuses any query on a POST.
            parts = urlsplit(uri)
            uri = urlunsplit(parts._replace(query=""))
        return uri, method, body, headers
