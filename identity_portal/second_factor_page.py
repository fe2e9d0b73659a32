"""The pages that ask for the second factor: after the password, and again before something dangerous."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from directory import audit
from directory.admin.auditing import actor_of
from directory.admin.pages import PlainLabels
from directory.admin.step_up import mark_proven
from directory.models import User
from identity_portal.admin_sign_in import PENDING, Site, admin_page, checked_next, finish_sign_in, pending_person
from identity_portal.second_factor import (
    APP,
    RECOVERY_CODES,
    app_proves,
    factors_of,
    has_second_factor,
    recovery_code_proves,
)
from identity_portal.security_notice import Change, tell
from identity_portal.tenant_switcher import remember_tenant
from userflows.errors import TooManyRequests
from userflows.passkey import PASSKEY, may_have_passkeys, passkey_proves, passkey_to_use
from userflows.passkey_challenge import keep_challenge, take_challenge
from userflows.rate_limit import Limit, count_attempt, network_of
from userflows.requests import client_address

# Nobody comes here without the password, so a stranger can't use these up. Three of a million codes are right at any
# time: at 50 tries a day, one chance in two takes 12 years. The log tells of each try, a mail of the first too many.
SENDER_LIMIT = Limit("second_factor.sender", count=10, seconds=900)
PERSON_LIMIT = Limit("second_factor.person", count=50, seconds=24 * 3600)
WARNING_LIMIT = Limit("second_factor.warning", count=1, seconds=24 * 3600)

# RFC 8176: a one-time password, a key in hardware.
METHODS = {APP: "otp", RECOVERY_CODES: "otp", PASSKEY: "hwk"}
REFUSALS = {
    APP: _("This code is wrong, or it was used already. Wait for the next one and enter that."),
    RECOVERY_CODES: _("This is not one of your recovery codes, or it was used already."),
    PASSKEY: _("Your passkey could not be checked. Try again, or use another way."),
}


class CodeForm(PlainLabels, forms.Form):
    answer = forms.CharField(
        label=_("Code from your authenticator app"),
        max_length=40,
        widget=forms.TextInput(
            attrs={
                "autocomplete": "one-time-code",
                "inputmode": "numeric",
                "autofocus": True,
                "class": "vTextField",
            }
        ),
    )


class RecoveryCodeForm(CodeForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["answer"].label = _("One of your recovery codes")
        self.fields["answer"].widget.attrs["autocomplete"] = "off"


class PasskeyForm(PlainLabels, forms.Form):
    """What the browser's passkey says: JSON, filled in by passkey.js."""

    answer = forms.CharField(
        max_length=20_000, widget=forms.HiddenInput, error_messages={"required": _("Your browser sent no passkey.")}
    )


FORMS: dict[str, type[forms.Form]] = {APP: CodeForm, RECOVERY_CODES: RecoveryCodeForm, PASSKEY: PasskeyForm}


def ways_of(user: User) -> list[str]:
    """Return the ways in which the person can prove themselves, the strongest first."""
    kinds = {factor.kind for factor in factors_of(user)}
    ways = [PASSKEY] if PASSKEY in kinds and may_have_passkeys() else []
    return [*ways, *([APP] if APP in kinds else []), RECOVERY_CODES]


def _proves(request: HttpRequest, user: User, way: str, answer: str) -> bool:
    """Check one answer. Raises TooManyRequests."""
    sender = f"{user.pk}|{network_of(client_address(request))}"
    try:
        count_attempt((SENDER_LIMIT, sender), *([] if way == PASSKEY else [(PERSON_LIMIT, str(user.pk))]))
    except TooManyRequests:
        _warn(user)
        raise
    if way == APP:
        return app_proves(user, answer)
    if way == PASSKEY:
        state = take_challenge(request, user, purpose="use")
        return state is not None and passkey_proves(user, state=state, answer=answer)
    if not recovery_code_proves(user, answer):
        return False
    tell(user, Change.RECOVERY_CODE_USED)
    return True


def _warn(user: User) -> None:
    """Tell the person, once a day: whoever guesses codes knows their password."""
    with suppress(TooManyRequests):
        count_attempt((WARNING_LIMIT, str(user.pk)))
        tell(user, Change.CODES_GUESSED)


def ask(
    request: HttpRequest, site: Site, user: User, *, name: str, then: Callable[[str], HttpResponse], **context: Any
) -> HttpResponse:
    """Show the page `name` until the person has proven themselves; `then` is told how (RFC 8176)."""
    ways = ways_of(user)
    way = request.GET.get("way", "")
    way = way if way in ways else ways[0]
    form = FORMS[way]()
    if request.method == "POST":
        form = FORMS[way](request.POST)
        if form.is_valid():
            if _proves(request, user, way, form.cleaned_data["answer"]):
                return then(METHODS[way])
            audit.record(
                "sign_in.refused",
                tenant=user.tenant,
                actor=user,
                reason="second_factor_refused",
                details={"way": way},
            )
            form.add_error(None, REFUSALS[way])
    options = ""
    if way == PASSKEY:
        options, state = passkey_to_use(user)
        keep_challenge(request, user, purpose="use", state=state)
    others = [other for other in ways if other != way]
    return admin_page(request, site, name, form=form, way=way, others=others, options=options, **context)


def second_factor(request: HttpRequest, *, site: Site) -> HttpResponse:
    """The second page of signing in."""
    user = pending_person(request, site)
    if user is None:
        # Who never began is told nothing, and gets no session.
        if request.session.pop(PENDING, None):
            messages.warning(request, _now("That took too long, or your account was changed. Start again."))
        return redirect(f"{site.name}:login")
    if not has_second_factor(user):
        return redirect(f"{site.name}:set_up_factor")
    person = user

    def go_on(method: str) -> HttpResponse:
        return remember_tenant(request, redirect(finish_sign_in(request, person, method=method)))

    return ask(request, site, user, name="second_factor", then=go_on, title=_now("Confirm that it is you"))


def step_up(request: HttpRequest, *, site: Site) -> HttpResponse:
    """Is it still the person who signed in? Then back to where they came from."""
    next_url = checked_next(request, prefix=reverse(f"{site.name}:index"))

    def go_back(method: str) -> HttpResponse:
        mark_proven(request)
        audit.record("user.stepped_up", tenant=actor_of(request).tenant, actor=actor_of(request))
        return redirect(next_url)

    return ask(
        request,
        site,
        actor_of(request),
        name="step_up",
        then=go_back,
        title=_now("Confirm that it is still you"),
        next=next_url,
        again="again" in request.GET,
    )
