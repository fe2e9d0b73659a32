"""“Your account”: who the person is here, how they sign in, where they are signed in, and what happened lately."""

from django.contrib import messages
from django.contrib.auth import logout
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from directory import audit
from directory.models import EMAIL_PASSWORD, PASSKEY, IdentityProvider, Session, User
from directory.people import revoke_sign_in_sessions
from directory.session_store import hashed
from userflows.account.done import note_removed, was_removed
from userflows.account.history import history_of
from userflows.account.sign_in import signed_in
from userflows.account.ways import ways_in
from userflows.passkey import may_have_passkeys, passkeys_of
from userflows.requests import TenantRequest
from userflows.sign_in import stay_signed_in
from userflows.user_agent import device_of

SHOWN_SESSIONS = 20


@require_safe
@signed_in
def home(request: TenantRequest, user: User) -> HttpResponse:
    enabled = set(
        IdentityProvider.objects.filter(tenant=request.tenant, is_enabled=True).values_list("kind", flat=True)
    )
    return render(
        request,
        "userflows/account/home.html",
        {
            "person": user,
            "ways": ways_in(user),
            "passkeys": passkeys_of(user),
            "offers_passkeys": PASSKEY in enabled and may_have_passkeys(),
            "has_password": user.has_usable_password(),
            "offers_password": EMAIL_PASSWORD in enabled,
            "sessions": _sessions(request, user),
            "history": history_of(user),
        },
    )


def _sessions(request: TenantRequest, user: User) -> list[dict[str, object]]:
    sessions = Session.objects.filter(tenant=request.tenant, user=user, expire_date__gt=timezone.now())
    return [
        {"session": session, "device": device_of(session.user_agent), "is_this": session.pk == _own_key(request)}
        for session in sessions.order_by("-last_seen_at")[:SHOWN_SESSIONS]
    ]


def _own_key(request: TenantRequest) -> str:
    return hashed(request.session.session_key or "")


@require_safe
@never_cache
def closed(request: TenantRequest) -> HttpResponse:
    """Where a sign-in to these pages ends that was cancelled."""
    if request.user.is_authenticated:
        return redirect("account")
    return render(request, "userflows/account/closed.html")


@require_POST
@signed_in
@transaction.atomic
def end_sessions(request: TenantRequest, user: User) -> HttpResponse:
    """Sign out one of the person's browsers, or all but this one."""
    if request.POST.get("session") == "others":
        revoke_sign_in_sessions(user, actor=user)
        stay_signed_in(request, user)
        messages.success(request, _("You are signed out everywhere else."))
        return redirect("account")
    key = request.POST.get("session", "").replace("\x00", "")
    session = Session.objects.filter(tenant=request.tenant, user=user, pk=key).first()
    if session is None and was_removed(request, key):
        return redirect("account")
    if session is None:
        raise Http404("There is no such session.")
    audit.record("user.signed_out", tenant=user.tenant, actor=user, target=user)
    session.delete()
    if session.pk == _own_key(request):
        logout(request)
        return redirect("account-closed")
    note_removed(request, key)
    messages.success(request, _("That browser is signed out."))
    return redirect("account")
