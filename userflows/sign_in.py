"""Signing a person in to this tenant: the session that single sign-on and tokens rest on."""

import secrets
import time
from collections.abc import Sequence

from django.contrib.auth import login
from django.db import models
from django.http import HttpRequest

from directory import audit
from directory.models import User


def sign_in(
    request: HttpRequest,
    user: User,
    *,
    methods: Sequence[str],
    identity_provider: str,
    target: models.Model | None = None,
) -> None:
    """Begin a session.

    `methods` are Authentication Method Reference values (RFC 8176), `identity_provider` becomes the `idp` claim.
    A session of somebody else in this browser ends; the session's key is new in any case.
    """
    csrf_secret = request.META.get("CSRF_COOKIE")
    login(request, user)
    if csrf_secret:
        # Django's login() makes a new one, and a form that is open in a second tab would be refused. The Origin header
        # is checked besides, and the session's key is new: keeping it opens nothing.
        request.META |= {"CSRF_COOKIE": csrf_secret, "CSRF_COOKIE_NEEDS_UPDATE": False}
    request.session["auth_time"] = int(time.time())
    request.session["sid"] = secrets.token_urlsafe(16)
    request.session["amr"] = list(methods)
    request.session["idp"] = identity_provider
    audit.record("user.signed_in", tenant=user.tenant, actor=user, target=target, details={"methods": list(methods)})
