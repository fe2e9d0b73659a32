"""Values for people's eyes. What strangers typed is always escaped: these build with format_html only."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from directory.models import AuditEvent

BEFORE, AFTER, CHANGED = "before", "after", "changed"
ROWS = {"added": "after", "edited": "", "removed": "before"}


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
        return ", ".join(readable(part) for part in value) or "–"
    return "–" if value in (None, "") else str(value)


def event_details(event: AuditEvent) -> SafeString | str:
    """Return what an event tells: a table of what was before and after, and the rest as a list. "" when nothing."""
    details = dict(event.details)
    model = model_named(event.target_type)
    before, after = details.get(BEFORE), details.get(AFTER)
    tables: list[Any] = []
    if isinstance(before, Mapping) or isinstance(after, Mapping):
        rows = _compared(before or {}, after or {}, model)
        tables.append(_table(_("Field"), rows))
        for name in (BEFORE, AFTER, CHANGED):
            details.pop(name, None)
    rows_inside = [row for how in ("added", "edited", "removed") for row in _rows_inside(details, how)]
    if rows_inside:
        tables.append(_table(_("Inside it"), rows_inside))
    return format_html(
        "{}{}", format_html_join("", "{}", ((table,) for table in tables)), definition_list(_named(details))
    )


def model_named(model_name: str) -> type[models.Model] | None:
    """Return the model that an event calls by its bare name."""
    return next((model for model in apps.get_models() if model._meta.model_name == model_name), None)


def kind_of(model_name: str) -> str:
    """Return what people call the things of a model: “user flow”."""
    model = model_named(model_name)
    return str(model._meta.verbose_name) if model else model_name


def _compared(before: Any, after: Any, model: type[models.Model] | None) -> list[tuple[str, str, str]]:
    if not isinstance(before, Mapping) or not isinstance(after, Mapping):
        return [(_("Value"), readable(before), readable(after))]
    names = dict.fromkeys((*before, *after))
    return [(_field_label(model, name), readable(before.get(name)), readable(after.get(name))) for name in names]


def _rows_inside(details: dict[str, Any], how: str) -> list[tuple[str, str, str]]:
    """Take the rows that were added, edited or removed inside the target out of `details`."""
    if not all(isinstance(row, Mapping) for row in details.get(how, [])):
        return []
    compared = []
    for row in details.pop(how, []):
        for name, before, after in _compared(row.get(BEFORE, {}), row.get(AFTER, {}), None):
            compared.append((f"{row.get('row', '')} · {name}", before, after))
    return compared


def _table(title: str, rows: Iterable[tuple[str, str, str]]) -> SafeString:
    body = format_html_join("", '<tr><th scope="row">{}</th><td>{}</td><td>{}</td></tr>', rows)
    return format_html(
        '<table class="changes"><thead><tr><th scope="col">{}</th><th scope="col">{}</th><th scope="col">{}</th></tr>'
        "</thead><tbody>{}</tbody></table>",
        title,
        _("Before"),
        _("After"),
        body,
    )


def _named(details: Mapping[str, Any]) -> list[tuple[str, Any]]:
    return [(str(capfirst(name.replace("_", " "))), value) for name, value in details.items()]


def _field_label(model: type[models.Model] | None, name: str) -> str:
    try:
        field = model._meta.get_field(name) if model else None
    except FieldDoesNotExist:
        field = None
    return str(capfirst(getattr(field, "verbose_name", "") or name.replace("_", " ")))
