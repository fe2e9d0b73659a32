"""The claims of an ID token, put for people."""

import json
import re
from typing import Any

FIRST = ["name", "email"]
LABELS = {"email": "E-mail address", "email_verified": "E-mail address verified", "idp": "Signed in with"}
ABOUT_THE_TOKEN = {
    *("iss", "sub", "aud", "exp", "nbf", "iat", "jti", "auth_time", "nonce", "acr", "amr", "azp", "at_hash", "sid"),
    *("ver", "tid", "oid", "tfp", "rat"),  # Identity Portal's own
}


def answers(claims: dict[str, Any]) -> list[tuple[str, str]]:
    """What the portal says about the person, as rows of a table."""
    names = [name for name in claims if name not in ABOUT_THE_TOKEN and claims[name] not in ("", None)]
    names.sort(key=lambda name: FIRST.index(name) if name in FIRST else len(FIRST))
    return [(label(name), text(claims[name])) for name in names]


def label(claim: str) -> str:
    """Makes "Business name" of business_name, businessName and extension_<application id>_BusinessName."""
    name = re.sub(r"^extension_([0-9a-f]{32}_)?|^extn\.", "", claim)
    return LABELS.get(claim) or re.sub(r"(?<=[a-z])(?=[A-Z])|_", " ", name).capitalize()


def text(value: Any) -> str:
    if isinstance(value, bool):
        return "Yes" if value else "No"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def as_json(claims: dict[str, Any]) -> str:
    return json.dumps(claims, indent=2, ensure_ascii=False)
