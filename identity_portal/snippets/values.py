"""What stands in the code of a snippet, and how it is quoted there."""

import json
from dataclasses import dataclass
from urllib.parse import urlsplit

# What the code reads the client secret from.
SECRET_VARIABLE = "PORTAL_CLIENT_SECRET"  # noqa: S105 - a name, not a secret
SCOPE = "openid profile email"


@dataclass(frozen=True)
class Snippet:
    """`language` is the name that highlighters know."""

    title: str
    language: str
    text: str


@dataclass(frozen=True)
class Values:
    """What stands in the code. Redirect URIs are typed by people: each language quotes them in its own way."""

    client_id: str
    issuer: str
    discovery: str
    token_endpoint: str
    redirect_uri: str

    @property
    def origin(self) -> str:
        parts = urlsplit(self.redirect_uri)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def path(self) -> str:
        return urlsplit(self.redirect_uri).path or "/"

    @property
    def issuer_host(self) -> str:
        return urlsplit(self.issuer).netloc


def quoted(text: str) -> str:
    """Return a string literal of Python, JavaScript, C#, Java, Go, YAML and Swift. URIs are ASCII (redirect_uris)."""
    return json.dumps(text)


def quoted_for_php(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
