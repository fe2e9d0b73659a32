"""Lists that cost the same on every page: paging by the key of the last row seen, and counts that stop early.

OFFSET reads all rows before the page, COUNT all rows of the list: at a million, seconds.
"""

import re
from typing import Any

from django.contrib.admin import SimpleListFilter
from django.contrib.admin.views.main import PAGE_VAR, ChangeList
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.core.paginator import Paginator
from django.db.models import F, OrderBy, Q, QuerySet, TextField, Value
from django.db.models.functions import Concat
from django.http import HttpRequest
from django.utils.functional import cached_property

MAX_COUNT = 1000
# ?p=after.<key of the last row seen>, ?p=before.<key of the first one>
AFTER, BEFORE = "after", "before"
# Set on the request where a search has counted already.
IS_CUT = "_search_is_cut"
THREE_IN_A_ROW = re.compile(r"[^\W_]{3}")
# Few enough characters that PostgreSQL can look up what follows them.
BEGINNING_OF_WORD = "(^|[ \n.@_-])"


class BoundedPaginator(Paginator):  # type: ignore[type-arg]
    """Counts no further than MAX_COUNT rows. Pages by number are left for the choices of autocompletion only."""

    object_list: Any

    @cached_property
    def count(self) -> int:
        return int(self.object_list.order_by()[:MAX_COUNT].count())


class KeysetChangeList(ChangeList):
    """Django's, with `previous_url` and `next_url` ("" where there is none) instead of page numbers.

    The key in the URL is a row's id. Its values are looked up among the rows that the person may see, so neither
    does the URL carry personal data, nor does a key of somebody else's row tell anything.
    """

    previous_url = next_url = ""
    is_cut = False

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[Any]:
        """A filter may know a column that puts its rows in the same order, and has an index with them."""
        self._same_order = {
            name: other
            for spec in self.filter_specs
            if isinstance(spec, SimpleListFilter) and spec.value()
            for name, other in getattr(spec, "same_order", {}).items()
        }
        ordering: list[Any] = super().get_ordering(request, queryset)
        return [self._replaced(order) if isinstance(order, str) else order for order in ordering]

    def _replaced(self, order: str) -> str:
        name = order.removeprefix("-")
        return order.replace(name, self._same_order.get(name, name))

    def get_results(self, request: HttpRequest) -> None:
        self.is_cut = getattr(request, IS_CUT, False)
        if not self.is_cut:
            count = int(self.queryset.order_by()[: MAX_COUNT + 1].count())
            self.is_cut = count > MAX_COUNT
        self.result_count = MAX_COUNT if self.is_cut else count
        self.result_list = self._page(request.GET.get(PAGE_VAR, ""))
        self.show_full_result_count = False
        self.full_result_count = None
        self.show_admin_actions = True
        self.can_show_all = self.multi_page = False
        self.paginator = self.model_admin.get_paginator(request, self.queryset, self.list_per_page)

    def _page(self, key: str) -> list[Any]:
        keys = [_as_expression(order) for order in self.queryset.query.order_by]
        for order in keys:
            # Databases disagree on where nothing stands, and a comparison with nothing is never true.
            order.nulls_last = self._may_be_null(order.expression) or None
        queryset = self.queryset.order_by(*keys)
        direction, _dot, row_id = key.partition(".")
        row = self._row(row_id, keys) if direction in (AFTER, BEFORE) else None
        size = self.list_per_page
        if row is not None and direction == BEFORE:
            rows = list(queryset.filter(_beyond(keys, row, after=False)).reverse()[: size + 1])
            if len(rows) > size:
                return self._linked(rows[:size][::-1], previous=True, following=True)
            row = None
        if row is not None:
            queryset = queryset.filter(_beyond(keys, row, after=True))
        rows = list(queryset[: size + 1])
        return self._linked(rows[:size], previous=row is not None, following=len(rows) > size)

    def _linked(self, rows: list[Any], *, previous: bool, following: bool) -> list[Any]:
        """Set the links to the pages beside this one."""
        if previous:
            self.previous_url = self.get_query_string({PAGE_VAR: f"{BEFORE}.{rows[0].pk}"} if rows else {})
        if following:
            self.next_url = self.get_query_string({PAGE_VAR: f"{AFTER}.{rows[-1].pk}"})
        return rows

    def _row(self, row_id: str, keys: list[Any]) -> list[Any] | None:
        """Return the values by which the list is ordered, of the row with this id; None when there is no such row."""
        try:
            row = self.root_queryset.order_by().filter(pk=row_id).values_list(*(key.expression.name for key in keys))
            return next((list(values) for values in row[:1]), None)
        except (ValueError, ValidationError):
            return None

    def _may_be_null(self, column: F) -> bool:
        if column.name in self._same_order.values():
            # The filter lets only rows pass that have it.
            return False
        try:
            return column.name != "pk" and bool(getattr(self.opts.get_field(column.name), "null", True))
        except FieldDoesNotExist:
            # Something annotated, or of a row that may be missing.
            return True


def _as_expression(order: Any) -> Any:
    if isinstance(order, str):
        return OrderBy(F(order.removeprefix("-")), descending=order.startswith("-"))
    return order.copy() if isinstance(order, OrderBy) else OrderBy(order)


def _beyond(keys: list[Any], row: list[Any], *, after: bool) -> Q:
    """Return the condition for what comes after (or before) `row`, where nulls come last.

    (a, b) > (1, 2) is written a >= 1 AND (a > 1 OR b > 2): by the first half an index is read from there on.
    """
    (key, *other_keys), (value, *other_values) = keys, row
    name = key.expression.name
    same = Q(**{f"{name}__isnull": True}) if value is None else Q(**{name: value})
    strictly = _strictly_beyond(name, value, forward=after != key.descending, after=after, nullable=key.nulls_last)
    if not other_keys:
        return strictly
    condition = strictly | (same & _beyond(other_keys, other_values, after=after))
    if value is None or key.nulls_last:
        return condition
    return Q(**{f"{name}__{'gte' if after != key.descending else 'lte'}": value}) & condition


def _strictly_beyond(name: str, value: Any, *, forward: bool, after: bool, nullable: bool | None) -> Q:
    if value is None:
        # Before nothing stands everything that is something; after it stands no more.
        return Q(pk__in=[]) if after else Q(**{f"{name}__isnull": False})
    beyond = Q(**{f"{name}__{'gt' if forward else 'lt'}": value})
    return beyond | Q(**{f"{name}__isnull": True}) if nullable and after else beyond


def found(queryset: QuerySet[Any], search_term: str, *, column: str = "search_text") -> tuple[QuerySet[Any], bool]:
    """Return the rows in whose `column` (lines of lower-case text) every word stands, and whether it is known already
    that they are more than a list counts.

    What has no three letters or digits in a row has no trigram to look up: it is sought at the beginning of words.
    """
    short = []
    for word in search_term.replace("\0", "").lower().split():
        if THREE_IN_A_ROW.search(word):
            queryset = queryset.filter(**{f"{column}__contains": word})
        else:
            short.append(BEGINNING_OF_WORD + re.escape(word))
    return _found_by_beginning(queryset, short, column) if short else (queryset, False)


def _found_by_beginning(queryset: QuerySet[Any], patterns: list[str], column: str) -> tuple[QuerySet[Any], bool]:
    """PostgreSQL takes any regular expression for rare, and sorts a hundred thousand rows that it had not expected.

    So first as many as a list counts are looked up by the index, in no order. Are there more, then the next ones are
    near, whichever order the list has: they are read in that order, and the index is kept out of it.
    """
    by_index, in_order = queryset, queryset.alias(searched=Concat(F(column), Value(""), output_field=TextField()))
    for pattern in patterns:
        by_index = by_index.filter(**{f"{column}__regex": pattern})
        in_order = in_order.filter(searched__regex=pattern)
    ids = list(by_index.order_by().values_list("pk", flat=True)[: MAX_COUNT + 1])
    return (queryset.filter(pk__in=ids), False) if len(ids) <= MAX_COUNT else (in_order, True)
