"""Code for an application's developers, with the application's own values in it; never its secret.

Each has been held against its library's documentation; what runs in Python or in a shell is run by a test.
"""

from collections.abc import Callable

from directory.models import Application, ApplicationKind
from directory.redirect_uris import split_uris
from identity_portal.authority import Authority
from identity_portal.snippets import daemon, public_client, web
from identity_portal.snippets.values import Snippet, Values

EXAMPLE_REDIRECT_URIS = {
    ApplicationKind.WEB: "https://app.example.com/signin-oidc",
    ApplicationKind.SPA: "https://app.example.com/",
    ApplicationKind.NATIVE: "com.example.app:/callback",
    ApplicationKind.DAEMON: "",
}
MAKERS: dict[ApplicationKind, tuple[Callable[[Values], Snippet], ...]] = {
    ApplicationKind.WEB: (web.flask, web.django_allauth, web.node, web.aspnet, web.spring, web.php, web.go),
    ApplicationKind.SPA: (public_client.oidc_client_ts, public_client.msal_browser),
    ApplicationKind.NATIVE: (public_client.appauth_android, public_client.appauth_ios, public_client.msal_python),
    ApplicationKind.DAEMON: (daemon.curl, daemon.requests, daemon.authlib),
}


def discovery_url(authority: Authority) -> str:
    return f"{authority.issuer}/.well-known/openid-configuration"


def snippets_for(application: Application, authority: Authority) -> list[Snippet]:
    """Return code for the client libraries that fit the application's kind, the most usual first."""
    kind = ApplicationKind(application.kind)
    values = Values(
        client_id=application.client_id,
        issuer=authority.issuer,
        discovery=discovery_url(authority),
        token_endpoint=f"{authority.url}/oauth2/v2.0/token",
        redirect_uri=next(iter(split_uris(application.redirect_uris)), EXAMPLE_REDIRECT_URIS[kind]),
    )
    return [make(values) for make in MAKERS[kind]]
