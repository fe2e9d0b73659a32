"""What is done in the admin goes into the portal's own audit log, and the history pages read from there."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import HttpRequest, HttpResponse

from directory import audit
from directory.admin.activities import activity_in_words
from directory.admin.readable import event_details
from directory.models import AuditEvent, Tenant, User

HISTORY_LENGTH = 200


def actor_of(request: HttpRequest) -> User:
    """Return who is at work. The admin lets nobody else in: this is for the type."""
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user


class AuditedModelAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Writes one audit event for each change, with the values before and after, in its transaction, in the place of
    Django's own log.

    `audit_subject` is the first half of the activity. `added_by_verb` and `inlines_by_verb` name what verbs do:
    they write the log themselves.
    """

    audit_subject = ""
    added_by_verb = False
    inlines_by_verb: tuple[type[models.Model], ...] = ()

    def audited_tenant(self, request: HttpRequest, obj: models.Model) -> Tenant | None:
        """Return whose log tells of `obj`; None is the platform's."""
        raise NotImplementedError

    def activity(self, form: Any) -> str:
        return f"{self.audit_subject}.updated"

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: Any) -> None:
        super().save_related(request, form, formsets, change)
        details = _rows_changed([formset for formset in formsets if formset.model not in self.inlines_by_verb])
        if change:
            details |= self._fields_changed(form)
        if not change and not self.added_by_verb:
            added = {"after": audit.values_of(form.instance)}
            self._record(request, f"{self.audit_subject}.created", form.instance, added | details)
        elif details:
            self._record(request, self.activity(form), form.instance, details)

    def _fields_changed(self, form: Any) -> dict[str, Any]:
        columns = {field.name for field in self.opts.fields}
        names = [name for name in form.changed_data if name in columns]
        return {"changed": names, **_before_and_after(form, names)} if names else {}

    def _record(self, request: HttpRequest, activity: str, obj: models.Model, details: dict[str, Any]) -> None:
        tenant = self.audited_tenant(request, obj)
        audit.record(activity, tenant=tenant, actor=actor_of(request), target=obj, details=details)

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> None:  # type: ignore[override]
        """Done in `save_related`, where what was sent is known."""

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> None:  # type: ignore[override]
        """Done in `save_related`, where what was sent is known."""

    def log_deletions(self, request: HttpRequest, queryset: Iterable[Any]) -> None:  # type: ignore[override]
        for obj in queryset:
            self._record(request, f"{self.audit_subject}.deleted", obj, {"before": audit.values_of(obj)})

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        obj = self.get_object(request, unquote(object_id))
        events = self._history(request, obj) if obj else []
        history = [(event, activity_in_words(event.activity), event_details(event)) for event in events]
        context = {"history": history, "title": str(obj), **(extra_context or {})}
        return super().history_view(request, object_id, context)

    def _history(self, request: HttpRequest, obj: models.Model) -> Iterable[AuditEvent]:
        events = AuditEvent.objects.filter(
            tenant=self.audited_tenant(request, obj), target_type=self.opts.model_name, target_id=str(obj.pk)
        )
        return events.order_by("-at")[:HISTORY_LENGTH]


def _rows_changed(formsets: Iterable[Any]) -> dict[str, list[dict[str, Any]]]:
    """Return which inline rows were added, edited and removed: “question First name”, and their values."""
    rows: dict[str, list[dict[str, Any]]] = {"added": [], "edited": [], "removed": []}
    for formset in formsets:
        forms = {id(form.instance): form for form in formset.initial_forms}
        rows["added"] += [{**_row(row), "after": _values(formset, row)} for row in formset.new_objects]
        rows["edited"] += [
            {**_row(row), **_before_and_after(forms[id(row)], names)} for row, names in formset.changed_objects
        ]
        rows["removed"] += [{**_row(row), "before": _values(formset, row)} for row in formset.deleted_objects]
    return {how: changed for how, changed in rows.items() if changed}


def _row(row: models.Model) -> dict[str, str]:
    return {"row": f"{row._meta.verbose_name_raw} {row}"}


def _values(formset: Any, row: models.Model) -> dict[str, Any]:
    values = audit.values_of(row)
    # What it is a part of is the target of the event.
    values.pop(formset.fk.name, None)
    return values


def _before_and_after(form: Any, names: Iterable[str]) -> dict[str, dict[str, Any]]:
    return {
        "before": {name: form.initial.get(name) for name in names},
        "after": {name: _key(form.cleaned_data.get(name)) for name in names},
    }


def _key(value: Any) -> Any:
    """A foreign key reads the same before and after: by the id."""
    return value.pk if isinstance(value, models.Model) else value
