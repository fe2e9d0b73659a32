"""What the lists and forms of both admin sites have in common."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.options import BaseModelAdmin
from django.contrib.admin.widgets import AdminTextareaWidget
from django.core.paginator import Paginator
from django.db import models
from django.db.models.constants import LOOKUP_SEP
from django.http import HttpRequest, HttpResponse
from django.utils.functional import Promise, cached_property
from django.utils.text import capfirst

from directory.admin.auditing import AuditedModelAdmin

MAX_COUNT = 10_000


class BoundedPaginator(Paginator):  # type: ignore[type-arg]
    """Counts no further than MAX_COUNT rows, so that a list costs the same with ten thousand rows and ten million.

    Whoever looks for something further down searches or filters.
    """

    object_list: Any

    @cached_property
    def count(self) -> int:
        return int(self.object_list.order_by()[:MAX_COUNT].count())

    @property
    def is_cut(self) -> bool:
        return self.count >= MAX_COUNT


class PlainLabels:
    """For a form: labels without the colon."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"label_suffix": "", **kwargs})


class PlainModelForm(PlainLabels, forms.ModelForm):  # type: ignore[type-arg]
    """What the admin's forms on models are made of."""


class PortalModelAdmin(AuditedModelAdmin):
    """`menu_name` stands in the menu if it isn't the model's name. `summary` says on the front page what the list is
    for, `empty_text` stands in its place while it has no rows.
    """

    menu_name: str | Promise = ""
    summary: str | Promise = ""
    empty_text: str | Promise = ""
    form = PlainModelForm
    formfield_overrides = {
        models.TextField: {"widget": AdminTextareaWidget(attrs={"rows": 4})},
        models.URLField: {"assume_scheme": "https"},
    }
    actions = None
    list_per_page = 50
    paginator = BoundedPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        return [self._bounded(list_filter) for list_filter in super().get_list_filter(request)]

    def _bounded(self, list_filter: Any) -> Any:
        # Django's filter on a relation lists the rows of all tenants; this one those that the list itself shows.
        if isinstance(list_filter, str) and self.opts.get_field(list_filter).is_relation:
            return (list_filter, admin.RelatedOnlyFieldListFilter)
        return list_filter

    def lookup_allowed(self, lookup: str, value: str, request: Any = None) -> bool:
        """Only what the list's own filters ask. Django's rule lets ?password__startswith= be guessed."""
        filters = {entry if isinstance(entry, str) else entry[0] for entry in self.get_list_filter(request)}
        name, *rest = lookup.split(LOOKUP_SEP)
        return name in filters and len(rest) <= 1

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        title = capfirst(str(self.opts.verbose_name_plural))
        return super().changelist_view(request, {"title": title, **(extra_context or {})})

    def what_deleting_hits(self, request: HttpRequest, obj: Any) -> list[str]:
        """Return sentences for the confirmation."""
        return []

    def why_not_deleted(self, request: HttpRequest, obj: Any) -> list[str]:
        """Return what stands against deleting `obj`; with anything in it, it is not deleted."""
        return []

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        """In sentences: Django's way loads every row that hangs on the object, a million tokens too."""
        obj = objs[0]
        return self.what_deleting_hits(request, obj), {}, set(), self.why_not_deleted(request, obj)

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], **kwargs: Any) -> HttpResponse:  # type: ignore[override]
        context.setdefault("show_save_and_add_another", False)
        return super().render_change_form(request, context, **kwargs)


class ReadOnly(BaseModelAdmin):  # type: ignore[type-arg]
    """For what the admin only shows."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
