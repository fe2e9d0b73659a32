"""OAuth 2.0 with django-allauth: its provider classes, clients and adapters, without its views and session state."""

import base64
import hashlib
from collections.abc import Mapping
from functools import partial
from typing import Any
from urllib.parse import parse_qsl

import requests
from allauth.socialaccount.models import SocialApp, SocialLogin
from allauth.socialaccount.providers.base import Provider, ProviderException
from allauth.socialaccount.providers.oauth2.client import OAuth2Client, OAuth2Error
from allauth.socialaccount.providers.oauth2.views import OAuth2Adapter
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.http import HttpRequest, QueryDict
from django.utils.module_loading import import_string

from directory.identity_provider_kinds import MailTrust
from directory.models import IdentityProvider
from userflows.federation import claims
from userflows.federation.adapter import OUT_OF_ORDER, current_provider, elsewhere, vendor_endpoints
from userflows.federation.addresses import callback_url
from userflows.federation.errors import (
    ProviderAnswerInvalid,
    ProviderCancelled,
    ProviderDown,
    ProviderMisconfigured,
    ProviderRefused,
)
from userflows.federation.told import Told
from userflows.models import Handshake

# What the kinds of providers call it: RFC 6749 4.1.2.1; Apple; LinkedIn, twice.
CANCELLED = ("access_denied", "user_cancelled_authorize", "user_cancelled_login", "user_denied")
# RFC 6749 4.1.2.1, and GitHub's: what only an administrator can put right.
SET_UP_ERRORS = (
    *("invalid_request", "unauthorized_client", "unsupported_response_type", "invalid_scope", "invalid_client"),
    *("redirect_uri_mismatch", "application_suspended", "incorrect_client_credentials"),
)
# What providers' classes raise over an answer that isn't of the form that they know.
MALFORMED = (KeyError, TypeError, ValueError, AttributeError, IndexError, ImproperlyConfigured)


def begin(provider: IdentityProvider, handshake: Handshake, login_hint: str) -> str:
    library = allauth_provider(provider)
    return authorization_url(provider, handshake, library, library.get_oauth2_adapter(library.request))


def finish(provider: IdentityProvider, handshake: Handshake, parameters: Mapping[str, str]) -> Told:
    raise_authorization_error(parameters)
    library = allauth_provider(provider, parameters)
    login = log_in(provider, handshake, library, library.get_oauth2_adapter(library.request))
    mail, is_verified = _best_address(login)
    told = dict(login.account.extra_data)
    return Told(
        issuer=provider.issuer,
        subject=str(login.account.uid),
        mail=mail,
        # Here nobody vouches for an address that the provider itself hasn't checked, whatever its domain.
        is_mail_verified=is_verified
        and (provider.about.mail_trust is MailTrust.CLAIM or claims.is_trusted_domain(provider, mail)),
        answers=claims.answers_of(provider, told),
        claims=told,
    )


def allauth_provider(
    provider: IdentityProvider, parameters: Mapping[str, str] | None = None, *, secret: str = ""
) -> Provider:
    """Return allauth's class for the kind, with an app that stands in no table.

    Its request holds nothing but `parameters`: no cookies and no session of the person's.
    """
    provider_class = import_string(provider.about.allauth_provider)
    app = SocialApp(
        provider=provider_class.id,
        provider_id=str(provider.pk),
        name=provider.name,
        client_id=provider.client_id,
        secret=secret or provider.secret,
        settings={
            "kind": provider.kind,
            "scope": scopes_of(provider),
            "uid_field": provider.about.subject_claim,
            "server_url": "",
        },
    )
    request = HttpRequest()
    request.method = "GET"
    answer = QueryDict(mutable=True)
    answer.update(parameters or {})
    request.GET = answer
    return provider_class(request=request, app=app)


def scopes_of(provider: IdentityProvider) -> list[str]:
    own = provider.setting("scopes")
    listed = own.split() if isinstance(own, str) else list(own)
    return listed or list(provider.about.scopes)


def authorization_url(
    provider: IdentityProvider, handshake: Handshake, library: Provider, adapter: OAuth2Adapter, **more: str
) -> str:
    """Return the address of the authorization request (RFC 6749 4.1.1) with PKCE (RFC 7636)."""
    asked = {**library.get_auth_params(), **more}
    prompt = _prompt(provider, handshake)
    if prompt:
        asked["prompt"] = prompt
    if prompt == "select_account":
        # Microsoft takes one of the two.
        asked.pop("login_hint", None)
    if "pkce" not in provider.about.lacks:
        challenge = hashlib.sha256(handshake.secrets["code_verifier"].encode()).digest()
        asked["code_challenge"] = base64.urlsafe_b64encode(challenge).decode().rstrip("=")
        asked["code_challenge_method"] = "S256"
    with current_provider(library):
        client = _client(provider, library, adapter)
        client.state = handshake.secrets["state"]
        # RFC 6749 3.1: an endpoint may have a query of its own, which stays. Azure AD B2C names its policy there.
        endpoint, _question_mark, query = adapter.authorize_url.partition("?")
        url = str(client.get_redirect_url(endpoint, library.get_scope(), dict(parse_qsl(query)) | asked))
    return elsewhere(url, vendor_endpoints(provider.kind))


def _prompt(provider: IdentityProvider, handshake: Handshake) -> str:
    """Whoever should sign in anew, or came back from there in vain, isn't passed through with the same account."""
    journey = handshake.journey
    if journey is None:
        return ""
    prompts = provider.about.prompts
    if handshake.wants_sign_in_anew and "login" in prompts:
        return "login"
    came_in_vain = str(provider.pk) in journey.facts.get("declined", [])
    is_chosen = handshake.wants_sign_in_anew or came_in_vain
    return "select_account" if is_chosen and "select_account" in prompts else ""


def raise_authorization_error(parameters: Mapping[str, str]) -> None:
    """Raise what the provider sent the person back with, if that was no code (RFC 6749 4.1.2.1)."""
    error = parameters.get("error", "")
    description = parameters.get("error_description") or parameters.get("error_message") or ""
    if error in CANCELLED:
        raise ProviderCancelled(error, description)
    if error in OUT_OF_ORDER:
        raise ProviderDown(error, description, stage="authorize")
    if error in SET_UP_ERRORS:
        raise ProviderMisconfigured(error, description, stage="authorize")
    if error or parameters.get("error_code"):
        raise ProviderRefused(error or parameters["error_code"], description, stage="authorize")
    if not parameters.get("code"):
        raise ProviderAnswerInvalid("no_code", stage="authorize")


def log_in(provider: IdentityProvider, handshake: Handshake, library: Provider, adapter: OAuth2Adapter) -> SocialLogin:
    """Exchange the code, and return what the provider's class reads: unsaved, and never to be saved.

    The tokens end with this function.
    """
    verifier = None if "pkce" in provider.about.lacks else handshake.secrets["code_verifier"]
    try:
        with current_provider(library):
            client = _client(provider, library, adapter)
            answer = _exchange(library, adapter, client, verifier)
            token = adapter.parse_token(answer)
            login = adapter.complete_login(library.request, library.app, token, response=answer)
    except (OAuth2Error, ProviderException, PermissionDenied) as error:
        raise ProviderAnswerInvalid("malformed", stage="token") from error
    except requests.HTTPError as error:
        raise ProviderMisconfigured(str(error.response.status_code), stage="claims") from error
    except requests.RequestException as error:
        raise ProviderDown(type(error).__name__, stage="token") from error
    except MALFORMED as error:
        raise ProviderAnswerInvalid("malformed") from error
    if not login.account.uid:
        raise ProviderAnswerInvalid("no_subject")
    return login


def _exchange(library: Provider, adapter: OAuth2Adapter, client: OAuth2Client, verifier: str | None) -> dict[str, Any]:
    is_post = adapter.access_token_method == "POST"  # noqa: S105
    if verifier and not is_post:
        # The library leaves the verifier out of a GET (Facebook's).
        client.get_access_token = partial(client.get_access_token, extra_data={"code_verifier": verifier})
    answer: dict[str, Any] = adapter.get_access_token_data(
        library.request, library.app, client, pkce_code_verifier=verifier
    )
    return answer


def _client(provider: IdentityProvider, library: Provider, adapter: OAuth2Adapter) -> OAuth2Client:
    # The library's own callback views are not mounted.
    adapter.get_callback_url = lambda request, app: callback_url(provider)
    return adapter.get_client(library.request, library.app)


def _best_address(login: SocialLogin) -> tuple[str, bool]:
    """Return the primary address, or else another one that was checked, and whether it was."""
    addresses = sorted(login.email_addresses, key=lambda address: (address.verified, address.primary), reverse=True)
    known = ((claims.clean_mail(address.email), bool(address.verified)) for address in addresses)
    return next(((mail, is_verified) for mail, is_verified in known if mail), ("", False))
