"""A list as a CSV file: what its search and filters show, all pages of it."""

from collections.abc import Iterator
from typing import Any

from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_POST

from directory import audit
from directory.admin.auditing import actor_of
from directory.admin.pages import PortalModelAdmin
from directory.admin.step_up import recently_proven, to_step_up
from directory.csv_export import csv_response

ROWS_AT_ONCE = 2000


class ExportedList(PortalModelAdmin):
    """Who may see the list may take it away; `export_activity` says in the audit log who did, and with which filters.

    `export_columns` are names of columns; `export_row` may put other things in their place.
    """

    change_list_template = "admin/exported_change_list.html"
    export_activity = ""
    export_columns: tuple[str, ...] = ()

    def get_urls(self) -> list[URLPattern]:
        name = f"{self.opts.app_label}_{self.opts.model_name}_export"
        view = self.admin_site.admin_view(self.export_view)
        return [path("export/", view, name=name), *super().get_urls()]

    @method_decorator(require_POST)
    def export_view(self, request: HttpRequest) -> HttpResponseBase:
        if not self.has_view_permission(request):
            raise PermissionDenied
        if not recently_proven(request):
            return to_step_up(request, back=request.get_full_path().replace("/export/", "/", 1))
        try:
            changelist = self.get_changelist_instance(request)
        except IncorrectLookupParameters:
            return redirect("..")
        details = {"filters": changelist.params} if changelist.params else {}
        # None on the platform's site.
        tenant = getattr(request, "tenant", None)
        audit.record(self.export_activity, tenant=tenant, actor=actor_of(request), details=details)
        rows = changelist.queryset.iterator(chunk_size=ROWS_AT_ONCE)
        file_name = f"{self.opts.model_name}s-{timezone.now():%Y-%m-%d-%H%M}.csv"
        return csv_response(file_name, self.export_columns, self._export_rows(rows))

    def _export_rows(self, rows: Iterator[Any]) -> Iterator[list[Any]]:
        for row in rows:
            yield self.export_row(row)

    def export_row(self, row: Any) -> list[Any]:
        return [getattr(row, column) for column in self.export_columns]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        name = f"admin:{self.opts.app_label}_{self.opts.model_name}_export"
        return super().changelist_view(request, {"export_url_name": name, **(extra_context or {})})
