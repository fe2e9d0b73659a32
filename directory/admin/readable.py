"""Values for people's eyes. What strangers typed is always escaped: these build with format_html only."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _


def definition_list(items: Iterable[tuple[str, Any]]) -> SafeString | str:
    """Return names and values as a <dl>, "" when there are none."""
    rows = format_html_join("", "<div><dt>{}</dt><dd>{}</dd></div>", ((name, readable(value)) for name, value in items))
    return format_html('<dl class="values">{}</dl>', rows) if rows else ""


def readable(value: Any) -> str:
    """Return a JSON value in words."""
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {readable(part)}" for name, part in value.items())
    if isinstance(value, list):
        return ", ".join(readable(part) for part in value)
    return "–" if value in (None, "") else str(value)
