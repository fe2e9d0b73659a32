"""The pages on both admin sites with which people sign in and look after their sign-in."""

from collections.abc import Callable
from functools import partial

from django.contrib.admin import AdminSite
from django.http import HttpResponse
from django.urls import URLPattern, path
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from identity_portal import second_factor_page, second_factor_setup, set_password, your_sign_in

View = Callable[..., HttpResponse]

# Name: route and view. Before anybody is signed in.
OPEN: dict[str, tuple[str, View]] = {
    "second_factor": ("second-factor/", second_factor_page.second_factor),
    "set_up_factor": ("set-up/", second_factor_setup.set_up),
    "set_up_app": ("set-up/app/", second_factor_setup.set_up_app),
    "set_up_passkey": ("set-up/passkey/", second_factor_setup.set_up_passkey),
    "forgot_password": ("forgot-password/", set_password.forgot_password),
    "set_password": ("set-password/", set_password.choose_password),
    "one_time_link": ("set-password/<str:uid>/<str:token>/", set_password.open_link),
}
# For whoever may enter the site.
OWN: dict[str, tuple[str, View]] = {
    "step_up": ("step-up/", second_factor_page.step_up),
    "your_sign_in": ("your-sign-in/", your_sign_in.your_sign_in),
    "remove_factor": ("your-sign-in/factors/<int:factor_id>/remove/", your_sign_in.remove_own_factor),
    "end_session": ("your-sign-in/sessions/end/", your_sign_in.end_session),
    "replace_recovery_codes": ("your-sign-in/recovery-codes/new/", second_factor_setup.replace_recovery_codes),
    "recovery_codes": ("your-sign-in/recovery-codes/", second_factor_setup.recovery_codes),
    "recovery_codes_text": (
        "your-sign-in/recovery-codes/recovery-codes.txt",
        partial(second_factor_setup.recovery_codes, as_text=True),
    ),
}


def account_urls(site: AdminSite) -> list[URLPattern]:
    """Return the pages of `site`. Passwords and codes stay out of error reports."""
    private = sensitive_post_parameters()
    views = {name: (route, never_cache(partial(view, site=site))) for name, (route, view) in OPEN.items()}
    views |= {name: (route, site.admin_view(partial(view, site=site))) for name, (route, view) in OWN.items()}
    return [path(route, private(view), name=name) for name, (route, view) in views.items()]
