"""Who is calling the token endpoint? (RFC 6749 2.3.1)"""

import base64
from typing import Any
from urllib.parse import unquote_plus

from django.contrib.auth.hashers import check_password

from directory.models import Application


def basic_credentials(authorization: str) -> tuple[str, str] | None:
    """Return client id and secret of an `Authorization: Basic` header, None if it is no such header."""
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        decoded = base64.b64decode(encoded, validate=True).decode()
    except ValueError:
        return None
    client_id, colon, secret = decoded.partition(":")
    client_id, secret = unquote_plus(client_id), unquote_plus(secret)
    # PostgreSQL refuses a NUL in a lookup with a server error.
    return (client_id, secret) if colon and "\x00" not in client_id else None


def has_live_secret(application: Application, secret: str) -> bool:
    """Answer whether `secret` is one of the application's that have not ended."""
    hashes = application.secrets.live().values_list("secret_hash", flat=True)
    # All are compared, so that the time doesn't tell which one it was.
    return True in [check_password(secret, secret_hash) for secret_hash in hashes]


def authorization_header(request: Any) -> str:
    """Return the header of oauthlib's request, "" without one."""
    return str(request.headers.get("HTTP_AUTHORIZATION") or "")
