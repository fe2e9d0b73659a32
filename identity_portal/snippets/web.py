"""Web applications: their server keeps the secret."""

from identity_portal.snippets.values import SCOPE, SECRET_VARIABLE, Snippet, Values, quoted, quoted_for_php


def flask(values: Values) -> Snippet:
    text = f"""\
# pip install authlib flask requests
import os

from authlib.integrations.flask_client import OAuth
from flask import Flask

app = Flask(__name__)
app.secret_key = os.environ["SECRET_KEY"]
portal = OAuth(app).register(
    "portal",
    client_id={quoted(values.client_id)},
    client_secret=os.environ["{SECRET_VARIABLE}"],
    server_metadata_url={quoted(values.discovery)},
    client_kwargs={{"scope": "{SCOPE}", "code_challenge_method": "S256"}},
)


@app.get("/sign-in")
def sign_in():
    return portal.authorize_redirect({quoted(values.redirect_uri)})


@app.get({quoted(values.path)})
def signed_in():
    return portal.authorize_access_token()["userinfo"]
"""
    return Snippet("Python: Flask with Authlib", "python", text)


def django_allauth(values: Values) -> Snippet:
    text = f"""\
# pip install "django-allauth[socialaccount]", and "allauth.socialaccount.providers.openid_connect" in INSTALLED_APPS
# allauth's redirect URI is its own. Register it:
# {values.origin}/accounts/oidc/portal/login/callback/
import os

SOCIALACCOUNT_PROVIDERS = {{
    "openid_connect": {{
        "OAUTH_PKCE_ENABLED": True,
        "APPS": [
            {{
                "provider_id": "portal",
                "name": "Identity Portal",
                "client_id": {quoted(values.client_id)},
                "secret": os.environ["{SECRET_VARIABLE}"],
                "settings": {{"server_url": {quoted(values.discovery)}}},
            }}
        ],
    }}
}}
"""
    return Snippet("Python: Django with allauth", "python", text)


def node(values: Values) -> Snippet:
    text = f"""\
// npm install openid-client
import * as client from "openid-client";

const config = await client.discovery(
  new URL({quoted(values.issuer)}),
  {quoted(values.client_id)},
  process.env.{SECRET_VARIABLE},
);

// Keep both in the person's session until they come back.
export const codeVerifier = client.randomPKCECodeVerifier();
export const state = client.randomState();

// Send the person here:
export const url = client.buildAuthorizationUrl(config, {{
  redirect_uri: {quoted(values.redirect_uri)},
  scope: "{SCOPE}",
  code_challenge: await client.calculatePKCECodeChallenge(codeVerifier),
  code_challenge_method: "S256",
  state,
}});

// When they come back, `currentUrl` is the whole address of that request:
export async function signedIn(currentUrl) {{
  const tokens = await client.authorizationCodeGrant(config, currentUrl, {{
    pkceCodeVerifier: codeVerifier,
    expectedState: state,
  }});
  return tokens.claims();
}}
"""
    return Snippet("Node.js: openid-client", "javascript", text)


def aspnet(values: Values) -> Snippet:
    text = f"""\
// dotnet add package Microsoft.AspNetCore.Authentication.OpenIdConnect
// People come back to {values.redirect_uri}
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Authentication.OpenIdConnect;

var builder = WebApplication.CreateBuilder(args);
builder.Services
    .AddAuthentication(options =>
    {{
        options.DefaultScheme = CookieAuthenticationDefaults.AuthenticationScheme;
        options.DefaultChallengeScheme = OpenIdConnectDefaults.AuthenticationScheme;
    }})
    .AddCookie()
    .AddOpenIdConnect(options =>
    {{
        options.Authority = {quoted(values.issuer)};
        options.ClientId = {quoted(values.client_id)};
        options.ClientSecret = builder.Configuration["{SECRET_VARIABLE}"];
        options.CallbackPath = {quoted(values.path)};
        options.ResponseType = "code";
        options.ResponseMode = "query";
        options.Scope.Add("email");
        options.MapInboundClaims = false;
    }});
builder.Services.AddAuthorization();
"""
    return Snippet("C#: ASP.NET Core", "csharp", text)


def spring(values: Values) -> Snippet:
    text = f"""\
// application.yml:
//   spring.security.oauth2.client:
//     registration.portal:
//       client-id: {quoted(values.client_id)}
//       client-secret: "${{{SECRET_VARIABLE}}}"
//       redirect-uri: {quoted(values.redirect_uri)}
//       scope: openid, profile, email
//     provider.portal:
//       issuer-uri: {quoted(values.issuer)}

@Bean
SecurityFilterChain web(HttpSecurity http, ClientRegistrationRepository registrations) throws Exception {{
    // The portal asks every application for PKCE; Spring Security before 7 leaves it out where there is a secret.
    var resolver = new DefaultOAuth2AuthorizationRequestResolver(registrations, "/oauth2/authorization");
    resolver.setAuthorizationRequestCustomizer(OAuth2AuthorizationRequestCustomizers.withPkce());
    return http
        .authorizeHttpRequests(requests -> requests.anyRequest().authenticated())
        .oauth2Login(login -> login
            .authorizationEndpoint(endpoint -> endpoint.authorizationRequestResolver(resolver))
            .redirectionEndpoint(endpoint -> endpoint.baseUri({quoted(values.path)})))
        .build();
}}
"""
    return Snippet("Java: Spring Boot", "java", text)


def php(values: Values) -> Snippet:
    text = f"""\
<?php
// composer require jumbojett/openid-connect-php
require __DIR__ . '/vendor/autoload.php';

use Jumbojett\\OpenIDConnectClient;

$portal = new OpenIDConnectClient(
    {quoted_for_php(values.issuer)},
    {quoted_for_php(values.client_id)},
    getenv('{SECRET_VARIABLE}')
);
$portal->setRedirectURL({quoted_for_php(values.redirect_uri)});
$portal->setCodeChallengeMethod('S256');
$portal->addScope(['openid', 'profile', 'email']);
// Sends the person to the portal; when they come back, checks the ID token.
$portal->authenticate();
$claims = $portal->getVerifiedClaims();
"""
    return Snippet("PHP: OpenID-Connect-PHP", "php", text)


def go(values: Values) -> Snippet:
    text = f"""\
// go get github.com/coreos/go-oidc/v3 golang.org/x/oauth2
provider, err := oidc.NewProvider(ctx, {quoted(values.issuer)})
if err != nil {{
	return err
}}
config := oauth2.Config{{
	ClientID:     {quoted(values.client_id)},
	ClientSecret: os.Getenv("{SECRET_VARIABLE}"),
	Endpoint:     provider.Endpoint(),
	RedirectURL:  {quoted(values.redirect_uri)},
	Scopes:       []string{{oidc.ScopeOpenID, "profile", "email"}},
}}

// Keep both in the person's session until they come back.
state, verifier := rand.Text(), oauth2.GenerateVerifier()
url := config.AuthCodeURL(state, oauth2.S256ChallengeOption(verifier))

// When they come back with the same state:
token, err := config.Exchange(ctx, code, oauth2.VerifierOption(verifier))
if err != nil {{
	return err
}}
rawIDToken, _ := token.Extra("id_token").(string)
idToken, err := provider.Verifier(&oidc.Config{{ClientID: config.ClientID}}).Verify(ctx, rawIDToken)
"""
    return Snippet("Go: go-oidc", "go", text)
