"""Which language a hosted page speaks: the application's wish, then the browser's, then the tenant's."""

from django.conf import settings
from django.utils import translation

from userflows.requests import TenantRequest


def activate_language(request: TenantRequest, ui_locales: str) -> None:
    """Speak the first language of `ui_locales` (space-separated RFC 5646 tags) that there is; pt-BR may find pt.

    Without one it stays with what the browser asks for, or with the tenant's default if that isn't there either.
    """
    for tag in ui_locales.split():
        language = _supported(tag)
        if language:
            translation.activate(language)
            return
    if not request.headers.get("Accept-Language"):
        translation.activate(request.tenant.default_language)


def _supported(tag: str) -> str:
    try:
        language = translation.get_supported_language_variant(tag.lower())
    except LookupError:
        return ""
    return language if language in dict(settings.LANGUAGES) else ""
