"""Filters of large lists: their choices are found without reading the rows that they filter."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, ClassVar

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db import connection, models
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

MAX_CHOICES = 100
PERIODS = {
    "hour": (timedelta(hours=1), _("Last hour")),
    "day": (timedelta(days=1), _("Last 24 hours")),
    "week": (timedelta(days=7), _("Last 7 days")),
    "month": (timedelta(days=30), _("Last 30 days")),
}


class PeriodFilter(admin.SimpleListFilter):
    title = _("time")
    parameter_name = "since"
    column = ""

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(name, label) for name, (_length, label) in PERIODS.items()]

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
        if self.value() not in PERIODS:
            return queryset
        length, _label = PERIODS[str(self.value())]
        return queryset.filter(**{f"{self.column}__gte": timezone.now() - length})


class SelectFilter(admin.SimpleListFilter):
    """With more choices than a list of links can hold."""

    template = "admin/filter_select.html"
    other_parameters: tuple[tuple[str, str], ...] = ()

    def choices(self, changelist: Any) -> Iterator[dict[str, Any]]:  # type: ignore[override]
        self.other_parameters = tuple(
            (name, value) for name, value in changelist.params.items() if name != self.parameter_name
        )
        yield {"value": "", "display": _("All"), "selected": not self.value()}
        for value, label in self.lookup_choices:
            yield {"value": value, "display": label, "selected": self.value() == str(value)}


class DistinctFilter(SelectFilter):
    """Filters by the values that a column has in the tenant; there must be an index on tenant and column."""

    column = ""

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        # None on the platform's site.
        tenant = getattr(request, "tenant", None)
        return [
            (value, self.label(value)) for value in distinct_values(model_admin.model, self.column, tenant) if value
        ]

    def label(self, value: str) -> Any:
        return value

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
        return queryset.filter(**{self.column: self.value()}) if self.value() else queryset


class RelationFilter(SelectFilter):
    """Filters by a row that others point to. The first hundred are offered; a link or the search leads to any other."""

    # Of the foreign key; `path` leads to it where it isn't a column of the list's own model.
    relation: type[models.Model]
    path = ""
    label_column = "name"
    # Columns of the list, and those beside the foreign key that have the same order: keyset.KeysetChangeList.
    same_order: ClassVar[dict[str, str]] = {}

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        rows = self.relation._default_manager.filter(tenant=request.tenant)  # type: ignore[attr-defined]
        offered = list(rows.order_by(self.label_column).values_list("pk", self.label_column)[:MAX_CHOICES])
        chosen = self.value()
        if chosen and chosen not in {str(pk) for pk, _label in offered}:
            offered += list(rows.filter(pk=self._key(chosen)).values_list("pk", self.label_column))
        return [(str(pk), label) for pk, label in offered]

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
        if not self.value():
            return queryset
        key = self._key(str(self.value()))
        return queryset.none() if key is None else queryset.filter(**{self.path or self.parameter_name or "": key})

    def _key(self, value: str) -> Any:
        try:
            # With its validators: no database takes a number that is too large for the column.
            return self.relation._meta.pk.clean(value, None)
        except ValidationError:
            return None


def period_filter(column: str) -> type[PeriodFilter]:
    return type("PeriodFilter", (PeriodFilter,), {"column": column})


def relation_filter(
    parameter_name: str, relation: type[models.Model], title: str | Promise, **values: Any
) -> type[RelationFilter]:
    return type(
        "RelationFilter",
        (RelationFilter,),
        {"parameter_name": parameter_name, "relation": relation, "title": title, **values},
    )


def distinct_values(model: type[models.Model], column: str, tenant: models.Model | None) -> list[str]:
    """Return the values of a column in a tenant's rows, jumping from one to the next in the index.

    SELECT DISTINCT reads every entry of the index, a million for sixty values.
    """
    quote = connection.ops.quote_name
    name = quote(str(model._meta.get_field(column).attname))  # type: ignore[union-attr]
    table = quote(model._meta.db_table)
    own = f"{quote('tenant_id')} = %s" if tenant else f"{quote('tenant_id')} IS NULL"
    # Nothing here comes from the request: the names are the model's.
    query = (
        f"WITH RECURSIVE seen(v) AS (SELECT MIN({name}) FROM {table} WHERE {own} UNION ALL "  # noqa: S608
        f"SELECT (SELECT MIN({name}) FROM {table} WHERE {own} AND {name} > seen.v) FROM seen WHERE seen.v IS NOT NULL) "
        "SELECT v FROM seen WHERE v IS NOT NULL"
    )
    key = [tenant._meta.pk.get_db_prep_value(tenant.pk, connection)] if tenant else []
    with connection.cursor() as cursor:
        cursor.execute(query, [*key, *key])
        return [row[0] for row in cursor.fetchall()]
