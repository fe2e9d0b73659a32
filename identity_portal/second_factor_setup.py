"""Setting up a second factor: right after the first password, when there must be one, or later from “Your sign-in”."""

import base64
import time
from collections.abc import Callable
from functools import partial, wraps
from typing import Any

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from directory.admin.auditing import actor_of
from directory.admin.pages import PlainLabels
from directory.admin.step_up import recently_proven, to_step_up
from directory.encryption import UnsealError, seal, unseal
from directory.models import User
from identity_portal.admin_sign_in import Site, admin_page, finish_sign_in, pending_person
from identity_portal.second_factor import (
    APP,
    add_app,
    app_qr_code,
    factors_of,
    has_second_factor,
    new_app_secret,
    new_recovery_codes,
    unused_recovery_codes,
)
from identity_portal.second_factor_page import METHODS
from identity_portal.security_notice import Change, tell
from identity_portal.tenant_switcher import remember_tenant
from userflows.passkey import PASSKEY, add_passkey, lock_factors, may_have_passkeys, passkey_to_make
from userflows.passkey_challenge import keep_challenge, take_challenge
from userflows.user_agent import device_of

APP_SECRET = "new_app_secret"  # noqa: S105
SHOW_CODES = "show_recovery_codes"
SHOW_CODES_SECONDS = 1800
AFTER_CODES = "after_recovery_codes"


class AppForm(PlainLabels, forms.Form):
    code = forms.CharField(
        label=_("Code from the app"),
        max_length=20,
        help_text=_("The six digits that the app shows now."),
        widget=forms.TextInput(
            attrs={"autocomplete": "one-time-code", "inputmode": "numeric", "class": "vTextField", "autofocus": True}
        ),
    )


class PasskeyForm(PlainLabels, forms.Form):
    name = forms.CharField(
        label=_("Name"),
        max_length=60,
        help_text=_("So that you know it later: “My phone”, “The blue key”."),
        widget=forms.TextInput(attrs={"class": "vTextField", "autocomplete": "off"}),
    )
    # What the browser says: JSON, filled in by passkey.js.
    answer = forms.CharField(
        max_length=40_000, widget=forms.HiddenInput, error_messages={"required": _("Your browser made no passkey.")}
    )


View = Callable[..., HttpResponse]


def for_set_up(view: View) -> View:
    """Let in who gave their password and has no second factor yet, or who is signed in and was proven recently."""

    @wraps(view)
    def checked(request: HttpRequest, *, site: Site, **kwargs: Any) -> HttpResponse:
        if site.has_permission(request):
            if not recently_proven(request):
                return to_step_up(request)
            return view(request, actor_of(request), site=site, **kwargs)
        user = pending_person(request, site)
        if user is None or has_second_factor(user):
            return redirect(f"{site.name}:second_factor")
        return view(request, user, site=site, **kwargs)

    return checked


@for_set_up
def set_up(request: HttpRequest, user: User, *, site: Site) -> HttpResponse:
    """Which kind shall it be?"""
    title = _now("Add a second step to your sign-in")
    return admin_page(request, site, "second_factor_set_up", title=title, passkeys=may_have_passkeys())


@for_set_up
def set_up_app(request: HttpRequest, user: User, *, site: Site) -> HttpResponse:
    """The QR code, and the first code in return."""
    context = f"{APP_SECRET}.{user.pk}"
    secret = _open(request.session.get(APP_SECRET, ""), context=context) if request.method == "POST" else ""
    form = AppForm()
    if request.method == "POST" and secret:
        form = AppForm(request.POST)
        if form.is_valid():
            if keep_factor(request, user, site, lambda: add_app(user, secret=secret, code=form.cleaned_data["code"])):
                del request.session[APP_SECRET]
                return _go_on(request, user, site, kind=APP)
            form.add_error("code", _now("This is not the code that the app shows now. Try the next one."))
    if not secret:
        secret = new_app_secret()
        request.session[APP_SECRET] = seal(secret, context=context)
    picture = base64.b64encode(app_qr_code(user, secret).encode()).decode()
    replaces = any(factor.kind == APP for factor in factors_of(user))
    spoken = " ".join(secret[start : start + 4] for start in range(0, len(secret), 4))
    title = _now("Set up your authenticator app")
    return admin_page(
        request, site, "second_factor_app", title=title, form=form, picture=picture, secret=spoken, replaces=replaces
    )


@for_set_up
def set_up_passkey(request: HttpRequest, user: User, *, site: Site) -> HttpResponse:
    """The browser makes a passkey; we keep its public half."""
    if not may_have_passkeys():
        return redirect(f"{site.name}:set_up_factor")
    form = PasskeyForm(initial={"name": device_of(request.headers.get("User-Agent", ""))})
    if request.method == "POST":
        form = PasskeyForm(request.POST)
        asked = take_challenge(request, user, purpose="make") or {}
        if form.is_valid():
            name, answer = form.cleaned_data["name"], form.cleaned_data["answer"]
            add = partial(add_passkey, user, name=name, state=asked, answer=answer, for_sign_in=False)
            if asked and keep_factor(request, user, site, add):
                return _go_on(request, user, site, kind=PASSKEY, name=name)
            form.add_error(None, _now("The passkey could not be checked. Try again, or choose an authenticator app."))
    options, state = passkey_to_make(user, for_sign_in=False)
    keep_challenge(request, user, purpose="make", state=state)
    return admin_page(request, site, "second_factor_passkey", title=_now("Make a passkey"), form=form, options=options)


def _open(sealed: str, *, context: str) -> str:
    try:
        return unseal(sealed, context=context)
    except UnsealError:
        return ""


@transaction.atomic
def keep_factor(request: HttpRequest, user: User, site: Site, add: Callable[[], bool]) -> bool:
    """Add a factor, and recovery codes with the first one.

    Two who both know a new person's password: the second finds that there is a factor, and is not let in.
    """
    lock_factors(user)
    if not site.has_permission(request) and has_second_factor(user):
        return False
    if not add():
        return False
    if not unused_recovery_codes(user):
        new_recovery_codes(user)
        request.session[SHOW_CODES] = int(time.time())
    return True


def _go_on(request: HttpRequest, user: User, site: Site, *, kind: str, name: str = "") -> HttpResponse:
    """Back to where the person came from, by way of the recovery codes if they are new."""
    tell(user, Change.FACTOR_ADDED, factor=name or _now("Authenticator app"))
    codes_made_at = request.session.get(SHOW_CODES)
    if site.has_permission(request):
        next_url = reverse(f"{site.name}:your_sign_in")
        messages.success(request, _now("From now on you can sign in with it."))
    else:
        # The session of somebody else in this browser ends here, with all that was in it.
        next_url = finish_sign_in(request, user, method=METHODS[kind])
    response = redirect(next_url) if codes_made_at is None else _show_codes(request, site, next_url=next_url)
    return remember_tenant(request, response)


def _show_codes(request: HttpRequest, site: Site, *, next_url: str) -> HttpResponse:
    request.session[SHOW_CODES] = int(time.time())
    request.session[AFTER_CODES] = next_url
    return redirect(f"{site.name}:recovery_codes")


def replace_recovery_codes(request: HttpRequest, *, site: Site) -> HttpResponse:
    """New ones, for whoever lost the old ones or has used them up."""
    if not recently_proven(request):
        return to_step_up(request)
    if request.method == "POST":
        new_recovery_codes(actor_of(request))
        tell(actor_of(request), Change.RECOVERY_CODES_REPLACED)
        return _show_codes(request, site, next_url=reverse(f"{site.name}:your_sign_in"))
    return admin_page(request, site, "recovery_codes_replace", title=_now("Make new recovery codes?"))


def recovery_codes(request: HttpRequest, *, site: Site, as_text: bool = False) -> HttpResponse:
    """Show new recovery codes until the person says that they have them. Never again after that."""
    shown_since = request.session.get(SHOW_CODES, 0)
    next_url = request.session.get(AFTER_CODES) or reverse(f"{site.name}:your_sign_in")
    if request.method == "POST" or not 0 <= time.time() - shown_since < SHOW_CODES_SECONDS:
        request.session.pop(SHOW_CODES, None)
        request.session.pop(AFTER_CODES, None)
        return redirect(next_url)
    codes = [f"{code[:5]} {code[5:]}" for code in unused_recovery_codes(actor_of(request))]
    if as_text:
        return _codes_as_text(request, codes)
    return admin_page(request, site, "recovery_codes", title=_now("Keep these recovery codes"), codes=codes)


def _codes_as_text(request: HttpRequest, codes: list[str]) -> HttpResponse:
    intro = _now("Recovery codes of %(mail)s for %(host)s. Each works once.") % {
        "mail": actor_of(request).mail,
        "host": request.get_host(),
    }
    response = HttpResponse("\n".join([intro, "", *codes, ""]), content_type="text/plain; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="recovery-codes.txt"'
    response["Cache-Control"] = "no-store"
    return response
