"""Signing in to the admin sites: e-mail address and password, then a second factor. Never a code alone."""

import time
from collections.abc import Mapping
from typing import Any, Protocol

from django import forms
from django.contrib.auth import authenticate
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.cache import add_never_cache_headers
from django.utils.crypto import constant_time_compare
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _

from directory import audit
from directory.admin.pages import PlainLabels
from directory.admin.step_up import mark_proven
from directory.models import Tenant, User
from userflows.rate_limit import Limit, count_attempt, network_of
from userflows.requests import client_address
from userflows.sign_in import sign_in

# By sender, and by sender and mailbox: whoever guesses elsewhere can't lock the owner of the mailbox out.
NETWORK_LIMIT = Limit("admin_sign_in.network", count=60, seconds=900)
MAILBOX_LIMIT = Limit("admin_sign_in.mailbox", count=10, seconds=900)
# Whoever took over a session must not find the password out by changing it.
PASSWORD_CHANGE_LIMIT = Limit("admin_password_change.user", count=10, seconds=900)

PENDING = "pending_sign_in"
PENDING_SECONDS = 600


class Site(Protocol):
    """What the pages here need to know of the admin site that they stand on."""

    name: str

    def each_context(self, request: HttpRequest) -> dict[str, Any]: ...

    def may_enter(self, request: HttpRequest, user: User) -> bool: ...

    def has_permission(self, request: HttpRequest) -> bool: ...


class AdminSignInForm(PlainLabels, forms.Form):
    mail = forms.CharField(
        label=_("Email address"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "username", "autofocus": True, "class": "vTextField"}),
    )
    password = forms.CharField(
        label=_("Password"),
        strip=False,
        max_length=4096,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password", "class": "vTextField"}),
    )


def tenant_or_none(request: HttpRequest) -> Tenant | None:
    """Return whose pages these are; None: the platform's."""
    tenant: Tenant | None = getattr(request, "tenant", None)
    return tenant


def has_admin_session(request: HttpRequest) -> bool:
    """Answer whether the person proved themselves by password and a second factor in this session (RFC 8176)."""
    return {"pwd", "mfa"} <= set(request.session.get("amr", []))


def admin_page(request: HttpRequest, site: Site, name: str, **context: Any) -> HttpResponse:
    """Answer with a page of `site` that no cache keeps."""
    request.current_app = site.name
    response = TemplateResponse(request, f"admin/{name}.html", {**site.each_context(request), **context})
    add_never_cache_headers(response)
    return response


def person_with_password(request: HttpRequest, site: Site, values: Mapping[str, str]) -> User | None:
    """Return whose address and password these are, if they may enter `site`.

    An unknown address, a wrong password and an account without admin rights are the same refusal, and the same work.
    Raises TooManyRequests.
    """
    tenant = tenant_or_none(request)
    mail = values["mail"]
    count_attempt(*by_sender_and_mailbox(request, NETWORK_LIMIT, MAILBOX_LIMIT, mail=mail))
    user = authenticate(request, username=mail, password=values["password"])
    if not isinstance(user, User) or not site.may_enter(request, user):
        audit.record(
            "sign_in.refused", tenant=tenant, actor=user, reason="admin_sign_in_refused", details={"mail": mail}
        )
        return None
    return user


def by_sender_and_mailbox(
    request: HttpRequest, network_limit: Limit, mailbox_limit: Limit, *, mail: str
) -> tuple[tuple[Limit, str], tuple[Limit, str]]:
    """Return what to count: what this sender does here, and what it does to this mailbox."""
    tenant = tenant_or_none(request)
    network = f"{tenant.pk if tenant else ''}|{network_of(client_address(request))}"
    return (network_limit, network), (mailbox_limit, f"{network}|{mail.lower()}")


def begin_sign_in(request: HttpRequest, user: User, *, next_url: str) -> None:
    """Keep who gave the right password, for the page that asks for the second factor. Nobody is signed in by it."""
    request.session.cycle_key()
    request.session[PENDING] = {
        "user": str(user.pk),
        "hash": user.get_session_auth_hash(),
        "at": int(time.time()),
        "next": next_url,
    }


def pending_person(request: HttpRequest, site: Site) -> User | None:
    """Return who gave the right password in this browser in the last ten minutes, and may still enter."""
    pending = request.session.get(PENDING)
    if not pending or not 0 <= time.time() - pending["at"] < PENDING_SECONDS:
        return None
    user = User.objects.filter(pk=pending["user"], tenant=tenant_or_none(request)).first()
    if user is None or not constant_time_compare(pending["hash"], user.get_session_auth_hash()):
        return None
    return user if site.may_enter(request, user) else None


def finish_sign_in(request: HttpRequest, user: User, *, method: str) -> str:
    """Sign in whoever proved themselves twice, and return where they wanted to go."""
    next_url = str(request.session.pop(PENDING)["next"])
    tenant = tenant_or_none(request)
    identity_provider = tenant.slug if tenant else "platform"
    sign_in(request, user, methods=["pwd", method, "mfa"], identity_provider=identity_provider)
    mark_proven(request)
    return next_url


def checked_next(request: HttpRequest, *, prefix: str) -> str:
    """Return where to go after signing in: what was asked for if it is a page of this site, else its front page."""
    wanted = request.POST.get("next") or request.GET.get("next", "")
    own = wanted.startswith(prefix) and url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return wanted if own else prefix
