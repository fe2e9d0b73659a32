"""One search over everything that an administrator may see. Each group asks the list's own search, and leads to it."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import urlencode

from django.contrib.admin import AdminSite, ModelAdmin
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from directory.models import Application, AuditEvent, Tenant, User
from userflows.models import SignIn, UserFlow

MAX_ROWS = 5
MAX_LENGTH = 200
# Persian and the Indic scripts are spelled with these two, and emoji are put together: they are in names.
JOINERS = dict.fromkeys((0x200C, 0x200D))
# In this order. A site has some of them.
SEARCHED: tuple[type[Model], ...] = (Tenant, UserFlow, User, Application, SignIn, AuditEvent)


@dataclass(frozen=True)
class Row:
    url: str
    title: str
    details: str


@dataclass(frozen=True)
class Group:
    """What was found in one list. `all_url` is the list with the same search, "" when nothing was left off."""

    name: str | Promise
    icon: str
    rows: list[Row]
    all_url: str


def search_urls(site: AdminSite) -> list[URLPattern]:
    return [path("search/", site.admin_view(partial(search, site=site)), name="search")]


@require_safe
def search(request: HttpRequest, *, site: AdminSite) -> HttpResponse:
    query = request.GET.get("q", "").strip()
    problem = _why_not_searched(query)
    groups = list(_groups(request, site, query)) if query and not problem else []
    context: dict[str, Any] = {
        "title": _("Search"),
        "query": "" if problem else query,
        "problem": problem,
        "groups": groups,
        "max_length": MAX_LENGTH,
    }
    request.current_app = site.name
    return TemplateResponse(request, "admin/search.html", {**site.each_context(request), **context})


def _why_not_searched(query: str) -> str:
    if len(query) > MAX_LENGTH:
        return _("Search for at most %(count)d characters.") % {"count": MAX_LENGTH}
    if not query.translate(JOINERS).isprintable():
        return _("Search for words or ids: this holds a character that can't be printed.")
    return ""


def _groups(request: HttpRequest, site: AdminSite, query: str) -> Iterator[Group]:
    """Only what the person may view, and only what has rows."""
    for model in SEARCHED:
        if not site.is_registered(model):
            continue
        model_admin = site.get_model_admin(model)
        if not model_admin.get_search_fields(request) or not model_admin.has_view_permission(request):
            continue
        rows = _found(request, model_admin, query)
        if not rows:
            continue
        base = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        is_cut = len(rows) > MAX_ROWS
        yield Group(
            name=getattr(model_admin, "menu_name", "") or model._meta.verbose_name_plural or "",
            icon=str(model._meta.model_name),
            rows=[Row(reverse(f"{base}_change", args=[row.pk]), *_words(row)) for row in rows[:MAX_ROWS]],
            all_url=f"{reverse(f'{base}_changelist')}?{urlencode({'q': query})}" if is_cut else "",
        )


def _found(request: HttpRequest, model_admin: ModelAdmin[Any], query: str) -> list[Any]:
    rows = model_admin.get_queryset(request)
    own_id = _as_id(query)
    if own_id and model_admin.model in (Tenant, UserFlow):
        # Their lists don't search by id.
        found: QuerySet[Any] = rows.filter(pk=own_id)
    else:
        found, has_duplicates = model_admin.get_search_results(request, rows, query)
        found = found.distinct() if has_duplicates else found
    order = model_admin.get_ordering(request) or model_admin.opts.ordering or ("pk",)
    related = model_admin.list_select_related
    found = found.select_related(*related) if isinstance(related, list | tuple) and related else found
    return list(found.order_by(*order)[: MAX_ROWS + 1])


def _as_id(query: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(query)
    except ValueError:
        return None


def _words(row: Any) -> tuple[str, str]:
    """Return what a row is called, and what tells it from its neighbours."""
    match row:
        case Tenant():
            return row.name, row.slug
        case UserFlow():
            return row.name, row.description
        case User():
            return str(row), row.mail if row.display_name else ""
        case Application():
            return row.name, row.client_id
        case SignIn():
            return row.mail or _("Unknown person"), f"{row.started_at:%Y-%m-%d %H:%M} · {row.get_outcome_display()}"
        case _:
            return f"{row.activity} · {row.target_name or row.actor_name}", f"{row.at:%Y-%m-%d %H:%M}"
