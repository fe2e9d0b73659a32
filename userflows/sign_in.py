"""Signing a person in to this tenant: the session that single sign-on and tokens rest on."""

import ipaddress
import secrets
import time
from collections.abc import Sequence

from django.contrib.auth import login, update_session_auth_hash
from django.db import models
from django.http import HttpRequest

from directory import audit
from directory.models import User
from directory.session_store import KEPT
from userflows.proofs import SessionFacts
from userflows.requests import client_address
from userflows.user_agent import device_of


def sign_in(
    request: HttpRequest,
    user: User,
    *,
    methods: Sequence[str],
    identity_provider: str,
    target: models.Model | None = None,
    facts: SessionFacts | None = None,
) -> None:
    """Begin a session.

    `methods` are Authentication Method Reference values (RFC 8176), `identity_provider` becomes the `idp` claim.
    `facts` are the journey's: by which provider, what signing out there takes, whether to stay signed in. A session of
    somebody else in this browser ends; the session's key is new in any case.
    """
    csrf_secret = request.META.get("CSRF_COOKIE")
    login(request, user)
    if csrf_secret:
        # Django's login() makes a new one, and a form that is open in a second tab would be refused. The Origin header
        # is checked besides, and the session's key is new: keeping it opens nothing.
        request.META |= {"CSRF_COOKIE": csrf_secret, "CSRF_COOKIE_NEEDS_UPDATE": False}
    request.session["auth_time"] = _auth_time(user)
    # Unlike auth_time, which moves when all other sessions are ended: for pages that want the person anew.
    request.session["proven_at"] = int(time.time())
    request.session["sid"] = secrets.token_urlsafe(16)
    request.session["amr"] = list(methods)
    request.session["idp"] = identity_provider
    request.session[KEPT] = bool(facts and facts["keep_signed_in"])
    if facts:
        request.session["way"] = facts["way"]
        request.session["sign_out"] = facts["sign_out"]
    # For the list of one's sessions. PostgreSQL refuses a NUL.
    request.session["user_agent"] = request.headers.get("User-Agent", "").replace("\x00", "")[:300]
    request.session["address"] = _address_of(request)
    details = {"methods": list(methods), "device": device_of(request.session["user_agent"])}
    audit.record("user.signed_in", tenant=user.tenant, actor=user, target=target, details=details)


def stay_signed_in(request: HttpRequest, user: User) -> None:
    """Keep this browser's session when all others of the person were just ended: it counts from now."""
    update_session_auth_hash(request, user)
    request.session["auth_time"] = _auth_time(user)


def _auth_time(user: User) -> int:
    """Return the time of this sign-in: one in the second in which sessions were revoked comes after that."""
    valid_from = user.sign_in_sessions_valid_from
    return max(int(time.time()), int(valid_from.timestamp()) if valid_from else 0)


def _address_of(request: HttpRequest) -> str | None:
    try:
        return str(ipaddress.ip_address(client_address(request).partition("%")[0]))
    except ValueError:
        return None
