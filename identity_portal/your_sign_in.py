"""“Your sign-in”: the person's own second factors, and where they are signed in."""

from django.contrib import messages
from django.contrib.auth import logout
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _now
from django.views.decorators.http import require_POST

from directory import audit
from directory.admin.auditing import actor_of
from directory.admin.step_up import require_step_up
from directory.models import Session
from directory.people import revoke_sign_in_sessions
from directory.session_store import hashed
from identity_portal.admin_sign_in import Site, admin_page
from identity_portal.second_factor import (
    APP,
    LastFactor,
    factors_of,
    remove_factor,
    unused_recovery_codes,
)
from identity_portal.security_notice import Change, tell
from userflows.passkey import may_have_passkeys
from userflows.user_agent import device_of

SHOWN_SESSIONS = 50


def _own_key(request: HttpRequest) -> str:
    return hashed(request.session.session_key or "")


def your_sign_in(request: HttpRequest, *, site: Site) -> HttpResponse:
    user = actor_of(request)
    factors = factors_of(user)
    sessions = Session.objects.filter(user=user, expire_date__gt=timezone.now()).order_by("-last_seen_at")
    rows = [
        {"session": session, "device": device_of(session.user_agent), "is_this": session.pk == _own_key(request)}
        for session in sessions[:SHOWN_SESSIONS]
    ]
    return admin_page(
        request,
        site,
        "your_sign_in",
        title=_now("Your sign-in"),
        factors=factors,
        has_app=any(factor.kind == APP for factor in factors),
        passkeys=may_have_passkeys(),
        recovery_codes_left=len(unused_recovery_codes(user)),
        sessions=rows,
    )


@require_step_up
def remove_own_factor(request: HttpRequest, factor_id: int, *, site: Site) -> HttpResponse:
    user = actor_of(request)
    factor = next((factor for factor in factors_of(user) if factor.id == factor_id), None)
    if factor is None:
        return redirect(f"{site.name}:your_sign_in")
    if request.method == "POST":
        try:
            removed = remove_factor(user, factor_id)
        except LastFactor:
            messages.error(request, _now("This is your only second factor. Add another one first, then remove it."))
        else:
            if removed:
                tell(user, Change.FACTOR_REMOVED, factor=removed.name or _now("Authenticator app"))
                messages.success(request, _now("It was removed. Nobody can sign in with it any more."))
        return redirect(f"{site.name}:your_sign_in")
    title = _now("Remove this second factor?")
    return admin_page(request, site, "second_factor_remove", title=title, factor=factor)


@require_POST
@transaction.atomic
def end_session(request: HttpRequest, *, site: Site) -> HttpResponse:
    """Sign out one of the person's browsers, or all of them."""
    user = actor_of(request)
    if request.POST.get("session") == "all":
        revoke_sign_in_sessions(user, actor=user)
        return _end_this(request, site)
    session = get_object_or_404(Session, pk=request.POST.get("session", "").replace("\x00", ""), user=user)
    audit.record("user.signed_out", tenant=user.tenant, actor=user, target=user)
    if session.pk == _own_key(request):
        return _end_this(request, site)
    session.delete()
    messages.success(request, _now("That browser is signed out."))
    return redirect(f"{site.name}:your_sign_in")


def _end_this(request: HttpRequest, site: Site) -> HttpResponse:
    logout(request)
    messages.success(request, _now("You are signed out."))
    return redirect(f"{site.name}:login")
