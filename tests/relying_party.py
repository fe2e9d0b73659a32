"""An application as the tests play it: builds requests, exchanges codes, verifies tokens with a library of its own."""

import base64
import hashlib
import secrets
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from django.test import Client
from joserfc import jwt
from joserfc.jwk import KeySet

from directory.models import Application


@dataclass
class RelyingParty:
    """A registered application. `authority` is the path that it was told: /woodgrove or /woodgrove/B2X_1_Suppliers."""

    application: Application
    secret: str | None
    authority: str
    http: Client = field(default_factory=Client)
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))
    nonce: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    state: str = field(default_factory=lambda: secrets.token_urlsafe(16))

    @property
    def redirect_uri(self) -> str:
        return self.application.redirect_uris.split()[0]

    def discovery(self) -> dict[str, Any]:
        response = self.http.get(f"{self.authority}/v2.0/.well-known/openid-configuration")
        assert response.status_code == 200, response.content
        return dict(response.json())

    def request_url(self, **changes: str | None) -> str:
        """Return an authorization request; a value of None leaves a parameter out."""
        challenge = base64.urlsafe_b64encode(hashlib.sha256(self.verifier.encode()).digest()).decode().rstrip("=")
        parameters: dict[str, str | None] = {
            "client_id": self.application.client_id,
            "response_type": "code",
            "redirect_uri": self.redirect_uri,
            "scope": "openid profile email",
            "state": self.state,
            "nonce": self.nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        parameters |= changes
        sent = {name: value for name, value in parameters.items() if value is not None}
        return f"{self.authority}/oauth2/v2.0/authorize?{urlencode(sent)}"

    def answer(self, url: str) -> dict[str, str]:
        """Return the parameters with which the browser came back."""
        assert url.startswith(self.redirect_uri), url
        parts = urlsplit(url)
        return {name: values[0] for name, values in parse_qs(parts.query or parts.fragment).items()}

    def claims_of(self, url: str) -> dict[str, Any]:
        """Redeem the code with which the browser came back, and return what the ID token says."""
        tokens = self.redeem(self.answer(url)["code"]).json()
        return self.verified(tokens["id_token"])

    def post_token(self, **body: str | None) -> Any:
        """Call the token endpoint, with the secret in the body if the application has one."""
        parameters = {"client_id": self.application.client_id, "client_secret": self.secret} | body
        sent = {name: value for name, value in parameters.items() if value is not None}
        return self.http.post(f"{self.authority}/oauth2/v2.0/token", sent)

    def redeem(self, code: str, **changes: str | None) -> Any:
        body: dict[str, str | None] = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.redirect_uri,
            "code_verifier": self.verifier,
        }
        return self.post_token(**(body | changes))

    def refresh(self, refresh_token: str, **changes: str | None) -> Any:
        return self.post_token(grant_type="refresh_token", refresh_token=refresh_token, **changes)

    def userinfo(self, access_token: str) -> Any:
        return self.http.get(f"{self.authority}/oidc/userinfo", headers={"Authorization": f"Bearer {access_token}"})

    def key_set(self) -> KeySet:
        response = self.http.get(urlsplit(self.discovery()["jwks_uri"]).path)
        return KeySet.import_key_set(response.json())

    def verified(self, token: str, keys: KeySet | None = None) -> dict[str, Any]:
        """Check signature, issuer and times of a token from the discovery document alone; return its claims."""
        decoded = jwt.decode(token, keys or self.key_set(), algorithms=["RS256", "ES256"])
        rules = jwt.JWTClaimsRegistry(
            iss={"essential": True, "value": self.discovery()["issuer"]},
            aud={"essential": True, "value": self.application.client_id},
            exp={"essential": True},
        )
        rules.validate(decoded.claims)
        return dict(decoded.claims)
