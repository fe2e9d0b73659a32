"""Applications that keep no secret: in the browser, on a phone, on a computer."""

from urllib.parse import urlsplit

from identity_portal.snippets.values import SCOPE, Snippet, Values, quoted


def quoted_for_kotlin(text: str) -> str:
    return quoted(text).replace("$", "\\$")


def oidc_client_ts(values: Values) -> Snippet:
    text = f"""\
// npm install oidc-client-ts
import {{ UserManager }} from "oidc-client-ts";

const manager = new UserManager({{
  authority: {quoted(values.issuer)},
  client_id: {quoted(values.client_id)},
  redirect_uri: {quoted(values.redirect_uri)},
  scope: "{SCOPE}",
}});

// On the button: sends the person to the portal, with PKCE.
export const signIn = () => manager.signinRedirect();

// On the page that they come back to:
export const signedIn = async () => (await manager.signinRedirectCallback()).profile;
"""
    return Snippet("oidc-client-ts", "javascript", text)


def msal_browser(values: Values) -> Snippet:
    text = f"""\
// npm install @azure/msal-browser
import {{ ProtocolMode, createStandardPublicClientApplication }} from "@azure/msal-browser";

const portal = await createStandardPublicClientApplication({{
  auth: {{
    clientId: {quoted(values.client_id)},
    authority: {quoted(values.issuer)},
    knownAuthorities: [{quoted(values.issuer_host)}],
    redirectUri: {quoted(values.redirect_uri)},
  }},
  // Before version 5 it belongs into `auth`. MSAL takes https only, also during development.
  system: {{ protocolMode: ProtocolMode.OIDC }},
}});

const answer = await portal.handleRedirectPromise();
export const claims = answer?.idTokenClaims;
export const signIn = () => portal.loginRedirect({{ scopes: ["email"] }});
"""
    return Snippet("MSAL for JavaScript", "javascript", text)


# --- on a phone or a computer ----------------------------------------------------------------------------------------


def appauth_android(values: Values) -> Snippet:
    scheme = urlsplit(values.redirect_uri).scheme
    text = f"""\
// build.gradle.kts: implementation("net.openid:appauth:0.11.1")
// and in defaultConfig: manifestPlaceholders["appAuthRedirectScheme"] = {quoted_for_kotlin(scheme)}
val issuer = Uri.parse({quoted_for_kotlin(values.issuer)})
AuthorizationServiceConfiguration.fetchFromIssuer(issuer) {{ configuration, error ->
    if (configuration == null) throw requireNotNull(error)
    val request = AuthorizationRequest.Builder(
        configuration,
        {quoted_for_kotlin(values.client_id)},
        ResponseTypeValues.CODE,
        Uri.parse({quoted_for_kotlin(values.redirect_uri)}),
    ).setScope("{SCOPE}").build() // AppAuth adds PKCE with S256.
    startActivityForResult(AuthorizationService(this).getAuthorizationRequestIntent(request), SIGN_IN)
}}
"""
    return Snippet("Android: AppAuth", "kotlin", text)


def appauth_ios(values: Values) -> Snippet:
    text = f"""\
// Package: https://github.com/openid/AppAuth-iOS
let issuer = URL(string: {quoted(values.issuer)})!
OIDAuthorizationService.discoverConfiguration(forIssuer: issuer) {{ configuration, error in
    guard let configuration else {{ return print(error ?? "No configuration") }}
    let request = OIDAuthorizationRequest(
        configuration: configuration,
        clientId: {quoted(values.client_id)},
        scopes: [OIDScopeOpenID, OIDScopeProfile, OIDScopeEmail],
        redirectURL: URL(string: {quoted(values.redirect_uri)})!,
        responseType: OIDResponseTypeCode,
        additionalParameters: nil)
    appDelegate.currentAuthorizationFlow =
        OIDAuthState.authState(byPresenting: request, presenting: self) {{ state, error in
            print(state?.lastTokenResponse?.idToken ?? error ?? "Nothing")
        }}
}}
"""
    return Snippet("iOS and macOS: AppAuth", "swift", text)


def msal_python(values: Values) -> Snippet:
    text = f"""\
# pip install msal. It listens on a port of its own: register http://localhost as a redirect URI.
import msal

app = msal.PublicClientApplication(
    {quoted(values.client_id)},
    oidc_authority={quoted(values.issuer)},
)
answer = app.acquire_token_interactive(scopes=["email"])
print(answer.get("id_token_claims") or answer)
"""
    return Snippet("Python: MSAL, for the command line", "python", text)
