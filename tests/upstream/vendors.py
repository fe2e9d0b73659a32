"""Which paths, claims and habits each vendor has, and the settings that put the local server in its place."""

from dataclasses import dataclass, field
from typing import Any

from joserfc.jwk import ECKey

from tests.upstream import golden

APPLE_KEY = ECKey.generate_key("P-256")


@dataclass(frozen=True)
class Vendor:
    """`claims` are those of the ID token, or of the profile where there is none. `auth` is how its clients prove who
    they are: post, or apple (a JWT). `settings` are those of the row in the portal."""

    kind: str
    claims: dict[str, Any]
    authorize: str
    token: str
    profile: str = ""
    keys: str = ""
    issuer: str = ""
    auth: str = "post"
    is_openid: bool = True
    echoes_nonce: bool = True
    refuses_pkce: bool = False
    is_form_post: bool = False
    token_method: str = "POST"
    hosts: dict[str, str] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)

    def endpoints(self, base: str) -> dict[str, str]:
        """Return the vendor's entry of the setting PROVIDER_ENDPOINTS."""
        here = f"{base}/{self.kind}"
        if self.is_openid:
            return {"issuer": here + self.issuer}
        return {host: here + path for host, path in self.hosts.items()}

    def issuer_of(self, base: str, claims: dict[str, Any]) -> str:
        return f"{base}/{self.kind}{self.issuer}".replace("{tenant}", str(claims.get("tid")))


VENDORS: dict[str, Vendor] = {
    vendor.kind: vendor
    for vendor in (
        Vendor(
            "Google",
            golden.GOOGLE,
            authorize="/o/oauth2/v2/auth",
            token="/token",
            profile="/v1/userinfo",
            keys="/oauth2/v3/certs",
        ),
        Vendor(
            "EntraID",
            golden.ENTRA,
            authorize="/organizations/oauth2/v2.0/authorize",
            token="/organizations/oauth2/v2.0/token",
            profile="/oidc/userinfo",
            keys="/organizations/discovery/v2.0/keys",
            issuer="/{tenant}/v2.0",
        ),
        Vendor(
            "MicrosoftAccount",
            golden.MICROSOFT_ACCOUNT,
            authorize="/consumers/oauth2/v2.0/authorize",
            token="/consumers/oauth2/v2.0/token",
            profile="/oidc/userinfo",
            keys="/consumers/discovery/v2.0/keys",
            issuer=f"/{golden.PERSONAL_TENANT}/v2.0",
        ),
        Vendor(
            "Apple",
            golden.APPLE,
            authorize="/auth/authorize",
            token="/auth/token",
            keys="/auth/keys",
            auth="apple",
            is_form_post=True,
            values={
                "client_id": "com.example.portal",
                "secret": APPLE_KEY.as_pem(private=True).decode(),
                "settings": {"team_id": "DEF123GHIJ", "key_id": "ABC123DEFG"},
            },
        ),
        Vendor(
            "GitHub",
            golden.GITHUB,
            authorize="/login/oauth/authorize",
            token="/login/oauth/access_token",
            profile="/api/user",
            is_openid=False,
            hosts={"https://github.com": "", "https://api.github.com": "/api"},
        ),
        Vendor(
            "Facebook",
            golden.FACEBOOK,
            authorize="/v19.0/dialog/oauth",
            token="/graph/v19.0/oauth/access_token",
            profile="/graph/v19.0/me",
            is_openid=False,
            token_method="GET",
            hosts={"https://www.facebook.com": "", "https://graph.facebook.com": "/graph"},
        ),
        Vendor(
            "LinkedIn",
            golden.LINKEDIN,
            authorize="/v2/authorization",
            token="/v2/accessToken",
            profile="/v2/userinfo",
            keys="/openid/jwks",
            echoes_nonce=False,
            refuses_pkce=True,
        ),
        # Any OpenID Provider, for what the rules of the protocol are tried on.
        Vendor(
            "OpenIdConnect",
            {"sub": "amina", "name": "Amina Aziz", "email": "amina@fabrikam.example", "email_verified": True},
            authorize="/authorize",
            token="/token",
            profile="/userinfo",
            keys="/keys",
        ),
    )
}
