"""The people of a list as a CSV file: those that the filter shows, with the columns that the role may see."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _now

from directory import audit
from directory.admin.auditing import actor_of
from directory.admin.person import PersonPages
from directory.admin.scoping import roles_in, tenant_of
from directory.admin.step_up import require_step_up
from directory.csv_export import csv_response
from directory.models import User, UserAttribute
from directory.models.user_attribute import AttributeType
from directory.roles import may

ROWS_AT_ONCE = 1000


@dataclass(frozen=True)
class Column:
    """`subject` is what one must be allowed to view to get it (directory.roles)."""

    title: str
    value: Callable[[Any], Any]
    subject: str = "user"


def _state(user: User) -> str:
    return "enabled" if user.account_enabled else "disabled"


def _of_field(name: str) -> Column:
    return Column(name, lambda user: getattr(user, name))


# The titles are the names of Graph's user: a script that reads one reads the other.
BEFORE_ORIGIN = (
    Column("id", lambda user: str(user.pk)),
    Column("displayName", lambda user: user.display_name),
    Column("mail", lambda user: user.mail),
    Column("userType", lambda user: user.user_type),
    Column("state", _state),
    Column("isTest", lambda user: user.is_test),
    Column("creationType", lambda user: user.creation_type),
    Column("createdDateTime", lambda user: user.created_at),
    Column("lastSignInDateTime", lambda user: user.last_login),
)
AFTER_ORIGIN = (
    Column("preferredLanguage", lambda user: user.preferred_language),
    Column("givenName", lambda user: user.given_name),
    Column("surname", lambda user: user.surname),
    Column("jobTitle", lambda user: user.job_title),
    Column("streetAddress", lambda user: user.street_address),
    Column("city", lambda user: user.city),
    Column("state or province", lambda user: user.state),
    Column("postalCode", lambda user: user.postal_code),
    Column("country", lambda user: user.country),
)


def _of_attribute(name: str) -> Column:
    return Column(name, lambda user: user.extension_values.get(name))


def newest_first(people: models.QuerySet[Any]) -> Iterator[Any]:
    """Walk through any number of people, a thousand in memory at a time: each query goes on where the last ended."""
    people = people.prefetch_related(None).order_by("-created_at", "-pk")
    batch: list[Any] = list(people[:ROWS_AT_ONCE])
    yield from batch
    while len(batch) == ROWS_AT_ONCE:
        at, last = batch[-1].created_at, batch[-1].pk
        beyond = models.Q(created_at__lt=at) | models.Q(created_at=at, pk__lt=last)
        batch = list(people.filter(beyond, created_at__lte=at)[:ROWS_AT_ONCE])
        yield from batch


class PeopleExport(PersonPages):
    # What other floors know of how people came.
    origin_columns: tuple[Column, ...] = ()

    def get_urls(self) -> list[URLPattern]:
        export = path("export/", self.admin_site.admin_view(self.export_view), name="directory_user_export")
        return [export, *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return super().changelist_view(request, {"may_export": True, **(extra_context or {})})

    def columns(self, request: HttpRequest) -> list[Column]:
        attributes = UserAttribute.objects.filter(tenant=tenant_of(request), attribute_type=AttributeType.CUSTOM)
        answers = [_of_attribute(name) for name in attributes.order_by("name").values_list("name", flat=True)]
        roles = roles_in(request)
        columns = [*BEFORE_ORIGIN, *self.origin_columns, *AFTER_ORIGIN, *answers]
        return [column for column in columns if may(roles, action="view", subject=column.subject)]

    @method_decorator(require_step_up)
    def export_view(self, request: HttpRequest) -> HttpResponseBase:
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            changelist = self.get_changelist_instance(request)
        except IncorrectLookupParameters:
            return redirect(f"{self.admin_site.name}:directory_user_changelist")
        columns, count = self.columns(request), changelist.queryset.count()
        if request.method == "POST":
            return self._file(request, changelist, columns, count)
        request.current_app = self.admin_site.name
        context = {
            "title": _now("Export people?"),
            "opts": self.opts,
            "count": count,
            "columns": [column.title for column in columns],
            "filters": filters_in_words(changelist),
            "query": changelist.get_query_string(),
        }
        return TemplateResponse(
            request, "admin/directory/user/export.html", {**self.admin_site.each_context(request), **context}
        )

    def _file(self, request: HttpRequest, changelist: Any, columns: list[Column], count: int) -> HttpResponseBase:
        details = {"count": count, "filters": changelist.params, "columns": [column.title for column in columns]}
        tenant = tenant_of(request)
        audit.record("people.exported", tenant=tenant, actor=actor_of(request), target=tenant, details=details)
        rows = ([column.value(user) for column in columns] for user in newest_first(changelist.queryset))
        name = f"{tenant.slug}-people-{timezone.now():%Y-%m-%d-%H%M}.csv"
        return csv_response(name, [column.title for column in columns], rows)


def filters_in_words(changelist: Any) -> list[str]:
    """Return the search and each filter that is on: “By user type: Guest”."""
    words = [_now("Search: %(words)s") % {"words": changelist.query}] if changelist.query else []
    for spec in changelist.filter_specs:
        first, *others = spec.choices(changelist)
        chosen = [choice["display"] for choice in others if choice["selected"]]
        words += [f"{spec.title}: {display}" for display in chosen]
    return words
