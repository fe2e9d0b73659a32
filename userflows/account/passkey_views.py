"""One's own passkeys: another one, another name, one less."""

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from directory.models import PASSKEY, IdentityProvider, User
from userflows.account.done import note_removed, was_removed
from userflows.account.forms import NewPasskeyForm, PasskeyNameForm
from userflows.account.sign_in import freshly_signed_in, signed_in
from userflows.account.ways import take_passkey
from userflows.account_notice import Change, tell
from userflows.passkey import (
    MAX_NAME_LENGTH,
    Passkey,
    add_passkey,
    may_have_passkeys,
    passkey_to_make,
    passkeys_of,
    rename_passkey,
)
from userflows.passkey_challenge import keep_challenge, take_challenge
from userflows.passkey_views import PURPOSE
from userflows.requests import TenantRequest
from userflows.user_agent import device_of

METHODS = ["GET", "HEAD", "POST"]


@require_http_methods(METHODS)
@freshly_signed_in
def add(request: TenantRequest, user: User) -> HttpResponse:
    providers = IdentityProvider.objects.filter(tenant=request.tenant, kind=PASSKEY, is_enabled=True)
    if not may_have_passkeys() or not providers.exists():
        raise Http404("There are no passkeys here.")
    form = NewPasskeyForm(initial={"name": device_of(request.headers.get("User-Agent", ""))[:MAX_NAME_LENGTH]})
    if request.method == "POST":
        form = NewPasskeyForm(request.POST)
        state = take_challenge(request, user, purpose=PURPOSE)
        if form.is_valid():
            if state and _keep(user, state=state, **form.cleaned_data):
                messages.success(request, _("Your passkey is ready. From now on you can sign in with it."))
                return redirect("account")
            form.add_error(None, _("The passkey could not be checked. Try again."))
    options, state = passkey_to_make(user, for_sign_in=True)
    keep_challenge(request, user, purpose=PURPOSE, state=state)
    return render(request, "userflows/account/add_passkey.html", {"form": form, "options": options})


@transaction.atomic
def _keep(user: User, *, state: dict[str, object], name: str, answer: str) -> bool:
    if not add_passkey(user, name=name, state=state, answer=answer, for_sign_in=True):
        return False
    tell(user, Change.PASSKEY_ADDED, way=name)
    return True


@require_http_methods(METHODS)
@signed_in
def rename(request: TenantRequest, user: User, passkey_id: int) -> HttpResponse:
    passkey = _own(user, passkey_id)
    form = PasskeyNameForm(initial={"name": passkey.name})
    if request.method == "POST":
        form = PasskeyNameForm(request.POST)
        if form.is_valid():
            rename_passkey(user, passkey_id, name=form.cleaned_data["name"])
            messages.success(request, _("The passkey has its new name."))
            return redirect("account")
    return render(request, "userflows/account/rename_passkey.html", {"form": form, "passkey": passkey})


@require_http_methods(METHODS)
@freshly_signed_in
def remove(request: TenantRequest, user: User, passkey_id: int) -> HttpResponse:
    if request.method == "POST" and was_removed(request, passkey_id):
        return redirect("account")
    passkey = _own(user, passkey_id)
    if request.method == "POST":
        take_passkey(user, passkey_id)
        note_removed(request, passkey_id)
        messages.success(request, _("The passkey is removed. Delete it on your device too."))
        return redirect("account")
    return render(request, "userflows/account/remove_passkey.html", {"passkey": passkey})


def _own(user: User, passkey_id: int) -> Passkey:
    passkey = next((one for one in passkeys_of(user) if one.id == passkey_id), None)
    if passkey is None:
        raise Http404("There is no such passkey.")
    return passkey
