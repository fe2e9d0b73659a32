"""How long client secrets still work, in a badge."""

from collections.abc import Sequence

from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from directory.models import ClientSecret

WARN_DAYS = 30


def _badge(kind: str, words: str) -> SafeString:
    return format_html('<span class="badge badge-{}">{}</span>', kind, words)


def secret_badge(secret: ClientSecret) -> SafeString:
    if secret.expires_at is None:
        return _badge("success", _("Live"))
    left = secret.expires_at - timezone.now()
    if left.total_seconds() <= 0:
        return _badge("failure", _("Ended"))
    if left.days == 0:
        return _badge("warning", _("Ends within a day"))
    if left.days < WARN_DAYS:
        words = ngettext("Ends in %(count)d day", "Ends in %(count)d days", left.days)
        return _badge("warning", words % {"count": left.days})
    return _badge("success", _("Live"))


def secrets_badge(secrets: Sequence[ClientSecret]) -> SafeString:
    """Return how the application stands with the one of its secrets that works the longest."""
    if not secrets:
        return _badge("failure", _("None"))
    for secret in secrets:
        if secret.expires_at is None:
            return secret_badge(secret)
    return secret_badge(max(secrets, key=lambda secret: secret.expires_at or timezone.now()))
