"""What a passkey is asked to sign: once, not for long, and for one purpose of one person or one journey.

Where somebody is signed in (or half so, in the admin) the session keeps it. On a journey's first page there is no
session: the challenge carries its own proof that it was made for this journey, and a try uses it up.
"""

import secrets
import time
from typing import Any

from django.http import HttpRequest
from django.utils.crypto import constant_time_compare, salted_hmac

from directory.models import User
from userflows.models import Journey

CHALLENGE = "passkey_challenge"
CHALLENGE_SECONDS = 600
TIME_BYTES, SALT_BYTES = 8, 16


def keep_challenge(request: HttpRequest, user: User, *, purpose: str, state: dict[str, Any]) -> None:
    """Keep what a passkey was asked, for the one answer to it."""
    request.session[CHALLENGE] = {"for": [purpose, str(user.pk)], "at": int(time.time()), "state": state}


def take_challenge(request: HttpRequest, user: User, *, purpose: str) -> dict[str, Any] | None:
    challenge = request.session.pop(CHALLENGE, None)
    if not challenge or challenge["for"] != [purpose, str(user.pk)]:
        return None
    state: dict[str, Any] = challenge["state"]
    return state if 0 <= time.time() - challenge["at"] < CHALLENGE_SECONDS else None


def challenge_of(journey: Journey) -> bytes:
    """Return a new challenge for somebody who signs in by a passkey. Nothing is written: to look at a page is free."""
    made = int(time.time()).to_bytes(TIME_BYTES) + secrets.token_bytes(SALT_BYTES)
    return made + _seal(journey, made)


def use_challenge(journey: Journey, challenge: bytes) -> bool:
    """Answer whether it was made for this journey, not long ago, and for the first time. The caller saves."""
    made, sealed = challenge[: TIME_BYTES + SALT_BYTES], challenge[TIME_BYTES + SALT_BYTES :]
    is_ours = constant_time_compare(sealed, _seal(journey, made))
    # Right or wrong, a try ends every challenge that this journey has given out.
    journey.learn(passkey_tries=_tries(journey) + 1)
    return is_ours and 0 <= time.time() - int.from_bytes(made[:TIME_BYTES]) < CHALLENGE_SECONDS


def _tries(journey: Journey) -> int:
    return int(journey.facts.get("passkey_tries", 0))


def _seal(journey: Journey, made: bytes) -> bytes:
    facts = f"{journey.pk}|{_tries(journey)}|{made.hex()}"
    return salted_hmac("userflows.passkey", facts, algorithm="sha256").digest()
