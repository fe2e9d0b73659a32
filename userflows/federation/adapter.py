"""django-allauth's hooks (SOCIALACCOUNT_ADAPTER): requests leave through the guarded client, and nothing is stored."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from urllib.parse import parse_qsl

import requests
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialApp, SocialLogin
from allauth.socialaccount.providers.base import Provider
from django.conf import settings
from django.http import HttpRequest

from directory import outgoing
from directory.models import User
from userflows.federation.errors import FederationError, ProviderDown, ProviderMisconfigured, ProviderRefused

# Of the token endpoints: the code is too old, was used, or is another's. All other errors are the set-up's.
CODE_REFUSED = ("invalid_grant", "bad_verification_code", "OAuthException 100")
OUT_OF_ORDER = ("server_error", "temporarily_unavailable")

# The provider whose handshake is being done: allauth asks its adapter for it again and again.
_current: ContextVar[Provider | None] = ContextVar("federation_provider", default=None)


@contextmanager
def current_provider(provider: Provider) -> Iterator[None]:
    token = _current.set(provider)
    try:
        yield
    finally:
        _current.reset(token)


class FederationAdapter(DefaultSocialAccountAdapter):
    """Used by django-allauth's providers while they do a handshake; none of its views is mounted."""

    def get_provider(self, request: HttpRequest, provider: str, client_id: str | None = None) -> Provider:
        current = _current.get()
        if current is None:
            raise SocialApp.DoesNotExist
        return current

    def list_apps(
        self, request: HttpRequest, provider: str | None = None, client_id: str | None = None
    ) -> list[SocialApp]:
        """Our rows are the apps, built in memory: there are none in allauth's table."""
        current = _current.get()
        return [current.app] if current else []

    def new_user(self, request: HttpRequest, sociallogin: SocialLogin) -> User:
        return User()

    def populate_user(self, request: HttpRequest, sociallogin: SocialLogin, data: Mapping[str, Any]) -> User:
        # What the provider told goes into the journey, as claims (userflows.federation.claims).
        user: User = sociallogin.user
        return user

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        return False

    def get_requests_session(self) -> requests.Session:
        current = _current.get()
        return _ProviderSession(vendor_endpoints(current.app.settings["kind"]) if current else {})


class _ProviderSession(requests.Session):
    """A guarded session that knows how providers say no."""

    def __init__(self, endpoints: Mapping[str, str]) -> None:
        super().__init__()
        self._guarded = outgoing.session()
        self._endpoints = endpoints

    def close(self) -> None:
        self._guarded.close()
        super().close()

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> requests.Response:  # type: ignore[override]
        kwargs["headers"] = {"Accept": "application/json", **(kwargs.get("headers") or {})}
        try:
            response = self._guarded.request(method, elsewhere(url, self._endpoints), *args, **kwargs)
        except requests.RequestException as error:
            raise ProviderDown(getattr(error, "reason", type(error).__name__), stage="token") from error
        raise_provider_error(response)
        return response


def raise_provider_error(response: requests.Response) -> None:
    """Raise what a provider says in an answer that is no answer: by its status, or within a 200 (GitHub)."""
    body = _body(response)
    error, description = body.get("error"), str(body.get("error_description") or "")
    if isinstance(error, dict):
        # Graph API of Facebook.
        description = str(error.get("message") or "")
        error = f"{error.get('type') or 'error'} {error.get('code') or ''}".strip()
    if response.status_code >= 500 or response.status_code == 429 or error in OUT_OF_ORDER:
        raise ProviderDown(str(error or response.status_code), description, stage="token")
    if error or (response.status_code >= 400 and not _is_absent(response)):
        words = str(error or body.get("message") or response.status_code)
        raise refusal_of(words, description)


def _is_absent(response: requests.Response) -> bool:
    """GitHub has no list of addresses for some accounts; the library knows."""
    return response.status_code == 404 and response.request.method == "GET"


def refusal_of(error: str, description: str) -> FederationError:
    """Return the refusal that an error of the token endpoint, or of those behind it, means."""
    kind = ProviderRefused if error in CODE_REFUSED else ProviderMisconfigured
    return kind(error, description, stage="token")


def _body(response: requests.Response) -> dict[str, Any]:
    """Return the answer as far as it is one: JSON, whatever it is called, or a form."""
    try:
        body = response.json()
    except ValueError:
        return dict(parse_qsl(response.text[:10_000]))
    return body if isinstance(body, dict) else {}


def vendor_endpoints(kind: str) -> Mapping[str, str]:
    """Return where a vendor's servers are replaced, in tests and in the demo: the beginnings of URLs."""
    endpoints: Mapping[str, str] = settings.PROVIDER_ENDPOINTS.get(kind, {})
    return endpoints


def elsewhere(url: str, endpoints: Mapping[str, str]) -> str:
    for beginning, other in endpoints.items():
        if url.startswith(beginning):
            return other + url.removeprefix(beginning)
    return url
