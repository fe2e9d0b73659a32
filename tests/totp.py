"""An authenticator app: RFC 6238 with what Python brings."""

import base64
import hashlib
import hmac
import time


def code_of(secret: str, *, step: int = 0, at: float | None = None) -> str:
    """Return the code that the app shows now, or `step` steps of 30 seconds from now."""
    counter = int((time.time() if at is None else at) // 30) + step
    key = base64.b32decode(secret.replace(" ", ""))
    digest = hmac.new(key, counter.to_bytes(8, "big"), hashlib.sha1).digest()
    start = digest[-1] & 15
    number = int.from_bytes(digest[start : start + 4], "big") & 0x7FFFFFFF
    return f"{number % 1_000_000:06}"
