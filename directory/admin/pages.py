"""What the lists and forms of both admin sites have in common."""

import uuid
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.options import BaseModelAdmin
from django.contrib.admin.widgets import AdminTextareaWidget
from django.db import models
from django.db.models.constants import LOOKUP_SEP
from django.http import HttpRequest, HttpResponse, QueryDict
from django.utils.functional import Promise
from django.utils.text import capfirst

from directory.admin.auditing import AuditedModelAdmin
from directory.admin.keyset import IS_CUT, BoundedPaginator, KeysetChangeList, found

MAX_SEARCH_LENGTH = 200


class AdminURL(forms.URLInput):
    """As wide as the other fields."""

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__({"class": "vURLField", **(attrs or {})})


def _without_nul(query: QueryDict) -> QueryDict:
    """PostgreSQL takes no NUL in a text. With another character in its place nothing is found; the search says it."""
    if not any("\x00" in value for name, values in query.lists() if name != "q" for value in values):
        return query
    clean = query.copy()
    for name, values in query.lists():
        if name != "q":
            clean.setlist(name, [value.replace("\x00", "\ufffd") for value in values])
    return clean


class PlainLabels:
    """For a form: labels without the colon."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"label_suffix": "", **kwargs})


class PlainModelForm(PlainLabels, forms.ModelForm):  # type: ignore[type-arg]
    """What the admin's forms on models are made of."""


class PortalModelAdmin(AuditedModelAdmin):
    """`menu_name` stands in the menu if it isn't the model's name. `summary` says on the front page what the list is
    for, `empty_text` stands in its place while it has no rows. With `search_column`, the search is over that column
    of lower-case text instead of the `search_fields`, and an id finds the rows that have it in one of `id_columns`.
    """

    menu_name: str | Promise = ""
    summary: str | Promise = ""
    empty_text: str | Promise = ""
    search_column = ""
    id_columns: tuple[str, ...] = ()
    form = PlainModelForm
    formfield_overrides = {
        models.TextField: {"widget": AdminTextareaWidget(attrs={"rows": 4})},
        # Django's own widget says the address a second time, as a link.
        models.URLField: {"assume_scheme": "https", "widget": AdminURL},
    }
    empty_value_display = "–"
    actions = None
    list_per_page = 50
    paginator = BoundedPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[KeysetChangeList]:
        return KeysetChangeList

    def get_search_results(
        self, request: HttpRequest, queryset: models.QuerySet[Any], search_term: str
    ) -> tuple[models.QuerySet[Any], bool]:
        if not self.search_column:
            return super().get_search_results(request, queryset, search_term)
        try:
            wanted = str(uuid.UUID(search_term.strip()))
        except ValueError:
            rows, is_cut = found(queryset, search_term[:MAX_SEARCH_LENGTH], column=self.search_column)
            setattr(request, IS_CUT, is_cut)
            return rows, False
        has_id = models.Q(pk__in=[])
        for column in self.id_columns:
            has_id |= models.Q(**{column: wanted})
        return queryset.filter(has_id), False

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        return [self._bounded(list_filter) for list_filter in super().get_list_filter(request)]

    def _bounded(self, list_filter: Any) -> Any:
        # Django's filter on a relation lists the rows of all tenants; this one those that the list itself shows.
        if isinstance(list_filter, str) and self.opts.get_field(list_filter).is_relation:
            return (list_filter, admin.RelatedOnlyFieldListFilter)
        return list_filter

    def lookup_allowed(self, lookup: str, value: str, request: Any = None) -> bool:
        """Only what the list's own filters ask. Django's rule lets ?password__startswith= be guessed."""
        filters = {_filter_name(entry) for entry in self.get_list_filter(request)}
        name, *rest = lookup.split(LOOKUP_SEP)
        return name in filters and len(rest) <= 1

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        request.GET = _without_nul(request.GET)  # type: ignore[assignment]
        title = capfirst(str(self.menu_name or self.opts.verbose_name_plural))
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


def _filter_name(list_filter: Any) -> str:
    """Return what an entry of `list_filter` is called in the query string, without the lookup."""
    if isinstance(list_filter, str):
        return list_filter
    return str(list_filter[0] if isinstance(list_filter, tuple) else list_filter.parameter_name)


class ReadOnly(BaseModelAdmin):  # type: ignore[type-arg]
    """For what the admin only shows."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
