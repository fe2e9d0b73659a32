"""Who is calling the token endpoint? (RFC 6749 2.3.1)"""

import base64
import binascii
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
    except (binascii.Error, UnicodeDecodeError):
        return None
    client_id, colon, secret = decoded.partition(":")
    return (unquote_plus(client_id), unquote_plus(secret)) if colon else None


def has_live_secret(application: Application, secret: str) -> bool:
    """Answer whether `secret` is one of the application's that have not ended."""
    hashes = application.secrets.live().values_list("secret_hash", flat=True)
    # All are compared, so that the time doesn't tell which one it was.
    return any([check_password(secret, secret_hash) for secret_hash in hashes])


def authorization_header(request: Any) -> str:
    """Return the header of oauthlib's request, "" without one."""
    return str(request.headers.get("HTTP_AUTHORIZATION") or "")
