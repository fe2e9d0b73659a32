"""Signing in to the admin sites: e-mail address and password, never a code alone."""

from collections.abc import Callable

from django import forms
from django.contrib.auth import authenticate
from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _

from directory import audit
from directory.admin.pages import PlainLabels
from directory.models import Tenant, User
from userflows.rate_limit import Limit, count_attempt, network_of
from userflows.requests import client_address
from userflows.sign_in import sign_in

# By sender, and by sender and mailbox: whoever guesses elsewhere can't lock the owner of the mailbox out.
NETWORK_LIMIT = Limit("admin_sign_in.network", count=60, seconds=900)
MAILBOX_LIMIT = Limit("admin_sign_in.mailbox", count=10, seconds=900)
# Whoever took over a session must not find the password out by changing it.
PASSWORD_CHANGE_LIMIT = Limit("admin_password_change.user", count=10, seconds=900)


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


def has_password_session(request: HttpRequest) -> bool:
    """Answer whether the person proved themselves by password (RFC 8176 "pwd") in this session."""
    return "pwd" in request.session.get("amr", [])


def signs_in(request: HttpRequest, form: AdminSignInForm, *, may_enter: Callable[[User], bool]) -> bool:
    """Try what the form says; True when the person is signed in.

    An unknown address, a wrong password and an account without admin rights are the same refusal, and the same work.
    Raises TooManyRequests.
    """
    tenant = tenant_or_none(request)
    mail, password = form.cleaned_data["mail"], form.cleaned_data["password"]
    network = f"{tenant.pk if tenant else ''}|{network_of(client_address(request))}"
    count_attempt((NETWORK_LIMIT, network), (MAILBOX_LIMIT, f"{network}|{mail.lower()}"))
    user = authenticate(request, username=mail, password=password)
    if user is None or not may_enter(user):
        audit.record(
            "sign_in.refused", tenant=tenant, actor=user, reason="admin_sign_in_refused", details={"mail": mail}
        )
        return False
    sign_in(request, user, methods=["pwd"], identity_provider=tenant.slug if tenant else "platform")
    return True


def checked_next(request: HttpRequest, *, prefix: str) -> str:
    """Return where to go after signing in: what was asked for if it is a page of this site, else its front page."""
    wanted = request.POST.get("next") or request.GET.get("next", "")
    own = wanted.startswith(prefix) and url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return wanted if own else prefix
