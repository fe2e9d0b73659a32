"""Who may open “Your account”: people of the tenant who are signed in, and for changes those who just did so.

Nobody signs up here: the journeys are those of an application of the portal's own, which no user flow can be given.
"""

import time
import uuid
from collections.abc import Callable
from functools import wraps
from typing import cast

from django.conf import settings
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from directory import audit
from directory.models import Application, ApplicationKind, Tenant, User
from userflows import journey as journeys
from userflows.browser import browser_of, new_browser, remember_browser
from userflows.models import Journey
from userflows.rate_limit import Limit, count_attempt, network_of
from userflows.requests import TenantRequest, client_address

FRESH_SECONDS = 600
# The same that authorization requests use up.
JOURNEY_LIMIT = Limit("journey.start", count=1000, seconds=3600)

View = Callable[..., HttpResponse]


def signed_in(view: View) -> View:
    """Let in who is signed in to the tenant; everybody else signs in first, and then comes back."""

    @never_cache
    @wraps(view)
    def checked(request: TenantRequest, **kwargs: object) -> HttpResponse:
        if not account_application(request.tenant).is_enabled:
            # An administrator has switched these pages off.
            raise Http404("There are no account pages.")
        if not request.user.is_authenticated:
            return lead_to_sign_in(request, back=_back(request, **kwargs))
        return view(request, person_in(request), **kwargs)

    return checked


def freshly_signed_in(view: View) -> View:
    """Let in who proved who they are in the last ten minutes. What others had sent is not done: they are led back."""

    @wraps(view)
    def checked(request: TenantRequest, user: User, **kwargs: object) -> HttpResponse:
        if is_fresh(request):
            return view(request, user, **kwargs)
        words = _("You are about to change how you sign in. Prove once more that it is you.")
        back = _back(request, **kwargs)
        return lead_to_sign_in(request, back=back, words=words, login_hint=user.mail, is_anew=True)

    return signed_in(checked)


def is_fresh(request: TenantRequest) -> bool:
    return 0 <= time.time() - int(request.session.get("proven_at", 0)) < FRESH_SECONDS


def person_in(request: TenantRequest) -> User:
    """Return the signed-in person as a row of their own: the request's is a lazy stand-in."""
    person: User = User.objects.select_related("tenant").get(pk=cast(User, request.user).pk)
    return person


def lead_to_sign_in(
    request: TenantRequest, *, back: str, words: str = "", login_hint: str = "", is_anew: bool = False
) -> HttpResponse:
    """Begin a journey that ends at `back`, a path of these pages. Raises TooManyRequests.

    `is_anew`: providers are asked not to pass somebody through who is signed in there.
    """
    query = "signed_in=1&prompt=login" if is_anew else "signed_in=1"
    journey, browser = begin_journey(request, back=f"{back}?{query}", words=words, login_hint=login_hint)
    response = redirect("journey-resume", journey.pk)
    remember_browser(response, browser, path=f"/{request.tenant.slug}/")
    return response


def begin_journey(request: TenantRequest, *, back: str, words: str = "", login_hint: str = "") -> tuple[Journey, str]:
    """Start a journey in this browser, and return both. `back` has a query, `words` say why they meet the page."""
    tenant = request.tenant
    count_attempt((JOURNEY_LIMIT, f"{tenant.pk}|{network_of(client_address(request))}"))
    browser = browser_of(request) or new_browser()
    journey = journeys.start(
        tenant=tenant,
        user_flow=None,
        request=journeys.ApplicationRequest(
            application=account_application(tenant),
            return_path=back,
            redirect_uri=settings.BASE_URL + reverse("account-closed"),
            state="",
            issuer="",
            login_hint=login_hint,
        ),
        browser=browser,
    )
    words = words or _("See how you sign in to %(tenant)s, and change it.") % {"tenant": tenant.name}
    journey.definition["introduction"] = words
    journey.save(update_fields=["definition"])
    return journey, browser


def account_application(tenant: Tenant) -> Application:
    """Return the tenant's “Your account”, made at its first use: an application that asks for no tokens."""
    application: Application
    application, is_new = Application.objects.get_or_create(
        client_id=str(uuid.uuid5(tenant.pk, "identity-portal:account")),
        defaults={
            "tenant": tenant,
            "name": _("Your account"),
            "kind": ApplicationKind.SPA,
            "is_first_party": True,
            "redirect_uris": f"{settings.BASE_URL}/{tenant.slug}/account/closed/",
        },
    )
    if is_new:
        audit.record("application.created", tenant=tenant, target=application, details={"kind": application.kind})
    return application


def _back(request: TenantRequest, **kwargs: object) -> str:
    match = request.resolver_match
    return reverse(match.view_name if match else "account", kwargs=kwargs)
