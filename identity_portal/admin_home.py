"""The front pages of both admin sites: what is left to do until people sign up, and how it goes."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, Subquery
from django.http import HttpRequest
from django.urls import reverse
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from directory.admin.scoping import roles_in, tenant_of
from directory.health import Severity
from directory.models import IdentityProvider, Tenant
from directory.roles import may
from identity_portal.charts import funnel_chart, line_chart
from identity_portal.health_checks import tenant_findings
from identity_portal.health_page import shown_to
from userflows.models import ApplicationAssignment, SignIn, SignUp, UserFlow
from userflows.statistics import DAYS, Numbers, Statistics, statistics_of

NEWEST_TENANTS = 5
SIGN_INS = "userflows_signin_changelist"


@dataclass(frozen=True)
class Item:
    """Something to do before the first sign-up. `url` leads to where it is done, "" for who may not go there."""

    title: str
    hint: str
    is_done: bool
    url: str


@dataclass(frozen=True)
class Checklist:
    items: list[Item]

    @property
    def done_count(self) -> int:
        return sum(item.is_done for item in self.items)

    @property
    def next_item(self) -> Item | None:
        return next((item for item in self.items if not item.is_done), None)


@dataclass(frozen=True)
class Tile:
    """A number of the last days. `url` leads to what it counts; `kind` is how good it is, as in the badges' classes."""

    label: str
    value: str
    note: str
    url: str = ""
    kind: str = ""


def tenant_home(request: HttpRequest) -> dict[str, Any]:
    """Return what a tenant's front page shows to this person, beside the menu."""
    tenant = tenant_of(request)
    if not may(roles_in(request), action="view", subject="userflow"):
        return {}
    statistics = statistics_of(tenant)
    total = statistics.total
    return {
        "checklist": _checklist(request, tenant),
        "tiles": list(_tiles(request, tenant, total)),
        "day_count": DAYS,
        "total": total,
        "has_statistics": bool(total.started),
        **_charts(statistics),
    }


def platform_home() -> dict[str, Any]:
    counts = Tenant.objects.aggregate(
        active=Count("pk", filter=Q(is_active=True)),
        taking_people_in=Count("pk", filter=Q(is_active=True, sign_up_enabled=True)),
        switched_off=Count("pk", filter=Q(is_active=False)),
    )
    tenants = reverse("admin:directory_tenant_changelist")
    return {
        "tiles": [
            Tile(
                _("Active tenants"),
                _grouped(counts["active"]),
                _("Their pages answer."),
                f"{tenants}?is_active__exact=1",
            ),
            Tile(_("Open to sign-ups"), _grouped(counts["taking_people_in"]), _("Guests can sign up by themselves.")),
            Tile(
                _("Switched off"),
                _grouped(counts["switched_off"]),
                _("Every page is “not found”."),
                f"{tenants}?is_active__exact=0",
            ),
        ],
        "newest_tenants": Tenant.objects.order_by("-created_at", "name")[:NEWEST_TENANTS],
    }


def _checklist(request: HttpRequest, tenant: Tenant) -> Checklist | None:
    """Return what is done and what is not; None once somebody has signed up."""
    facts = _facts(tenant)
    if facts["first_sign_up"]:
        return None
    tenant_page = _page(request, "tenant", "directory_tenant_change", tenant.pk)
    providers = _page(request, "identityprovider", "directory_identityprovider_changelist")
    applications = _page(request, "application", "directory_application_changelist")
    flow, build, publish, run = _flow_pages(request, facts["flow"])
    rows = (
        (_("Create the tenant"), _("A directory of its own for your guests."), True, tenant_page),
        (_("Switch sign-up on"), _("In the tenant's settings."), tenant.sign_up_enabled, tenant_page),
        (_("Offer a way to sign in"), _("How people prove who they are."), facts["way_to_sign_in"], providers),
        (_("Build a user flow"), _("Start from a template, and ask what you need."), flow, build),
        (_("Publish it"), _("Until then, people meet none of it."), facts["published"], publish),
        (_("Give it an application"), _("Register one, and let it use the flow."), facts["application"], applications),
        (_("Run the user flow"), _("Go through it yourself. Nothing of it is counted."), facts["run"], run),
        (_("Welcome the first guest"), _("Open your application, and sign up."), False, applications),
    )
    return Checklist([Item(*row) for row in rows])


def _flow_pages(request: HttpRequest, flow: uuid.UUID | None) -> tuple[bool, str, str, str]:
    """Return whether there is a user flow, and where the first one is built, published and run."""
    if flow is None:
        add = _page(request, "userflow", "userflows_userflow_add", action="add")
        return False, add, add, add
    publish, run = (
        _page(request, "userflow", f"userflows_userflow_{page}", flow, action="change") for page in ("publish", "run")
    )
    return True, _page(request, "userflow", "userflows_userflow_change", flow), publish, run


def _facts(tenant: Tenant) -> dict[str, Any]:
    """Return whether there is one of each (`flow`: the first one's id), in one query."""
    own = {"tenant": OuterRef("pk")}
    assigned = ApplicationAssignment.objects.filter(application__tenant=OuterRef("pk"))
    return dict(
        Tenant.objects.filter(pk=tenant.pk)
        .values(
            way_to_sign_in=Exists(IdentityProvider.objects.filter(**own, is_enabled=True)),
            flow=Subquery(UserFlow.objects.filter(**own).order_by("created_at").values("pk")[:1]),
            published=Exists(UserFlow.objects.filter(**own, live_version__isnull=False)),
            application=Exists(assigned),
            run=Exists(SignIn.objects.filter(**own, is_test=True)),
            first_sign_up=Exists(SignUp.objects.filter(**own, user__is_test=False)),
        )
        .get()
    )


def _tiles(request: HttpRequest, tenant: Tenant, total: Numbers) -> Iterator[Tile]:
    guests = _page(request, "user", "directory_user_changelist")
    sign_ins = _page(request, "signin", SIGN_INS)
    yield Tile(
        _("New accounts"),
        _grouped(total.signed_up),
        _("Guests who signed up."),
        guests and f"{guests}?user_type__exact=Guest",
    )
    yield Tile(
        _("Finish sign-up"),
        "–" if total.finish_rate is None else _("%(number)d %%") % {"number": total.finish_rate},
        _("%(finished)s of %(attempts)s who began.")
        % {"finished": _grouped(total.signed_up), "attempts": _grouped(total.attempts)},
    )
    yield Tile(
        _("Sign-ins"),
        _grouped(total.signed_in),
        _("By people who have an account."),
        sign_ins and f"{sign_ins}?outcome__exact=signedIn",
    )
    findings = shown_to(request, tenant_findings(tenant))
    errors = sum(finding.severity is Severity.ERROR for finding in findings)
    if errors:
        note, kind = _("%(errors)d keep people out.") % {"errors": errors}, "failure"
    elif findings:
        note, kind = _("To look at. Nothing keeps people out."), "warning"
    else:
        note, kind = _("Nothing is wrong."), "success"
    yield Tile(_("Problems"), _grouped(len(findings)), note, reverse("admin:health"), kind=kind)


def _charts(statistics: Statistics) -> dict[str, Any]:
    if not statistics.total.started:
        return {}
    days = [(day, numbers.attempts, numbers.signed_up) for day, numbers in statistics.days]
    charts: dict[str, Any] = {"line": line_chart(days)}
    if statistics.busiest:
        flow, numbers = statistics.busiest
        steps = [(str(step.label), count) for step, count in numbers.funnel()]
        charts |= {"busiest_flow": flow, "funnel": funnel_chart(steps)}
    return charts


def _grouped(number: int) -> str:
    return number_format(number, force_grouping=True)


def _page(request: HttpRequest, subject: str, name: str, *args: Any, action: str = "view") -> str:
    """Return the address of an admin page, "" for who may not go there."""
    if not may(roles_in(request), action=action, subject=subject):
        return ""
    return reverse(f"admin:{name}", args=args)
