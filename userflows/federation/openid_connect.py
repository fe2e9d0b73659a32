"""OpenID Connect (Core 1.0, code flow) with django-allauth: documents, ID tokens and secrets are looked after here."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import jwt
from allauth.socialaccount.models import SocialApp, SocialLogin, SocialToken
from allauth.socialaccount.providers.base import Provider
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.http import HttpRequest
from django.utils import timezone

from directory.models import IdentityProvider
from userflows.federation import claims, documents, oauth
from userflows.federation.errors import FederationError, ProviderAnswerInvalid, ProviderMisconfigured
from userflows.federation.id_token import read_document, verified_claims
from userflows.federation.told import Told
from userflows.models import Handshake

APPLE = "Apple"
APPLE_SECRET_LIVES = timedelta(minutes=5)
# What an ID token may lack: then the UserInfo endpoint is asked.
PROFILE_CLAIMS = ("name", "given_name", "family_name")


class PortalAdapter(OpenIDConnectOAuth2Adapter):
    """The library's, with our documents instead of two fetches for each sign-in, and an ID token that is verified."""

    def __init__(self, request: HttpRequest, provider: IdentityProvider, handshake: Handshake) -> None:
        super().__init__(request, str(provider.pk))
        self.identity_provider = provider
        self.handshake = handshake

    @property
    def openid_config(self) -> dict[str, Any]:
        document: dict[str, Any] = read_document(documents.discovery, self.identity_provider)
        return document

    @property
    def basic_auth(self) -> bool:
        provider = self.identity_provider
        method = provider.setting("token_auth_method") or provider.about.token_auth_method
        if method:
            return bool(method == "client_secret_basic")
        # OpenID Connect Discovery 3: without a word it is Basic. A colon in a client ID spoils that, so rather POST.
        methods = self.openid_config.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        return "client_secret_post" not in methods

    def complete_login(self, request: HttpRequest, app: SocialApp, token: SocialToken, **kwargs: Any) -> SocialLogin:
        told = verified_claims(
            self.identity_provider, self.handshake, kwargs["response"].get("id_token"), access_token=token.token
        )
        if self._needs_more(told):
            # What the ID token says is signed, so it goes first.
            told = self._user_info(token.token, told["sub"]) | told
        return self.get_provider().sociallogin_from_response(request, {"id_token": told})

    def _needs_more(self, told: Mapping[str, Any]) -> bool:
        if not self.openid_config.get("userinfo_endpoint"):
            return False
        wanted = [claim for claim in self.identity_provider.claims_mapping.values() if claim]
        return (
            "email" not in told
            or not any(claim in told for claim in PROFILE_CLAIMS)
            or any(claims.value_at(told, claim) is None for claim in wanted)
        )

    def _user_info(self, access_token: str, subject: str) -> dict[str, Any]:
        try:
            more = self._fetch_user_info(access_token)
        except (FederationError, ValueError):
            # Who the person is, is known: they only have more to type.
            return {}
        # OpenID Connect Core 5.3.2: otherwise it could be about somebody else.
        if not isinstance(more, dict) or more.get("sub") != subject:
            raise ProviderAnswerInvalid("userinfo_subject")
        return more


def begin(provider: IdentityProvider, handshake: Handshake, login_hint: str) -> str:
    library = oauth.allauth_provider(provider)
    more = {"nonce": handshake.secrets["nonce"]}
    if login_hint:
        more["login_hint"] = login_hint
    if provider.kind == APPLE:
        # Its scopes "name" and "email" come with this only.
        more["response_mode"] = "form_post"
    adapter = PortalAdapter(library.request, provider, handshake)
    return oauth.authorization_url(provider, handshake, library, adapter, **more)


def finish(provider: IdentityProvider, handshake: Handshake, parameters: Mapping[str, str]) -> Told:
    _check_issuer(provider, parameters)
    oauth.raise_authorization_error(parameters)
    library = _library(provider, parameters)
    login = oauth.log_in(provider, handshake, library, PortalAdapter(library.request, provider, handshake))
    told = dict(login.account.extra_data["id_token"])
    mail, is_verified = claims.told_mail(provider, told)
    named = {**claims.name_of_form_post(parameters.get("user", "")), **told} if provider.kind == APPLE else told
    return Told(
        issuer=provider.about.issuer or str(told["iss"]),
        subject=str(login.account.uid),
        mail=mail,
        is_mail_verified=is_verified,
        answers=claims.answers_of(provider, named),
        claims=named,
    )


def _library(provider: IdentityProvider, parameters: Mapping[str, str]) -> Provider:
    secret = _apple_secret(provider) if provider.kind == APPLE else provider.secret
    return oauth.allauth_provider(provider, parameters, secret=secret)


def _check_issuer(provider: IdentityProvider, parameters: Mapping[str, str]) -> None:
    """RFC 9207: a provider that says who it is in its answer must be the one that was asked."""
    document = read_document(documents.discovery, provider)
    issuer = parameters.get("iss")
    if issuer is None:
        if document.get("authorization_response_iss_parameter_supported") is True:
            raise ProviderAnswerInvalid("response_issuer", stage="authorize")
        return
    if documents.MANY_TENANTS not in document["issuer"] and issuer != document["issuer"]:
        raise ProviderAnswerInvalid("response_issuer", issuer, stage="authorize")


def _apple_secret(provider: IdentityProvider) -> str:
    """Return the client secret that Apple wants: a JWT, signed with the key that it gave out."""
    now = timezone.now()
    about = {
        "iss": provider.setting("team_id"),
        "iat": now,
        "exp": now + APPLE_SECRET_LIVES,
        "aud": provider.about.discovery_issuer,
        "sub": provider.client_id,
    }
    try:
        return jwt.encode(about, provider.secret, algorithm="ES256", headers={"kid": provider.setting("key_id")})
    except (jwt.PyJWTError, ValueError, TypeError) as error:
        raise ProviderMisconfigured("key_unusable", stage="token") from error
