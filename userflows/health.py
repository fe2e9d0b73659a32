"""Is a user flow fit for people? Rules on a definition, the draft's or the live one's.

What the rules look at beside it is read at once for many flows: Surroundings.
"""

import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext as _

from directory.application_health import LACKS_REDIRECT_URI, LACKS_SECRET, examine_application, with_secrets
from directory.health import Finding, Severity
from directory.identity_provider_health import findings_of
from directory.models import Application, IdentityProvider, Tenant, UserAttribute
from userflows.definition import Definition, questions_in
from userflows.models import Admission, ApplicationAssignment, AttributeAssignment, UserFlow

# A page that tells of more helps nobody.
MAX_APPLICATIONS = 20


@dataclass(frozen=True)
class Surroundings:
    """Providers by id, attributes by name, applications with problems by flow, and the flows that have any."""

    providers: dict[str, IdentityProvider]
    attributes: dict[str, UserAttribute]
    applications: dict[uuid.UUID, list[Any]]
    assigned: frozenset[uuid.UUID]


@dataclass(frozen=True)
class LiveFlows:
    """What is wrong with the flows that people meet. `is_cut`: there are more than were looked at."""

    findings: list[Finding]
    is_cut: bool


def examine_flow(user_flow: UserFlow, definition: Definition) -> list[Finding]:
    """Return what is wrong with `definition` as the flow's draft or live version, errors first."""
    rules = (_ways, _providers, _attributes, _inputs, _domains, _assigned, _paused, _switch, _applications)
    around = _surroundings([user_flow], [definition])
    return by_severity(finding for rule in rules for finding in rule(user_flow, definition, around))


def examine_live_flows(tenant: Tenant, *, limit: int) -> LiveFlows:
    """Look at the tenant's first `limit` flows, those with applications before others, in a fixed number of queries.

    What concerns applications, identity providers and the tenant's switch is told once, not for each flow.
    """
    has_application = Exists(ApplicationAssignment.objects.filter(user_flow=OuterRef("pk")))
    flows = (
        UserFlow.objects.filter(tenant=tenant)
        .annotate(has_application=has_application)
        .filter(Q(live_version__isnull=False) | Q(has_application=True))
        .select_related("live_version")
        .order_by("-has_application", "name")
    )
    found = list(flows[: limit + 1])
    examined = found[:limit]
    live = [(flow, flow.live_version.definition) for flow in examined if flow.live_version]
    around = _surroundings(examined, [definition for _flow, definition in live])
    rules = (_ways, _attributes, _inputs, _domains, _assigned, _paused)
    findings = [
        replace(finding, about=flow.name)
        for flow, definition in live
        for rule in rules
        for finding in rule(flow, definition, around)
    ]
    findings += _findings_on_providers([definition for _flow, definition in live], around)
    findings += [_unpublished(flow) for flow in examined if flow.live_version is None]
    return LiveFlows(findings, is_cut=len(found) > limit)


def by_severity(findings: Iterable[Finding]) -> list[Finding]:
    """Errors first; otherwise in their order."""
    return sorted(findings, key=lambda finding: finding.severity is not Severity.ERROR)


def switched_off(tenant: Tenant) -> Finding:
    """What is found where a tenant's flows wait behind its closed door."""
    return Finding(
        "directory.W001",
        Severity.WARNING,
        _("Guest self-service sign-up is switched off: only people who have an account can sign in."),
        _("Switch it on in the tenant's settings."),
        ("tenant_admin:directory_tenant_change", str(tenant.pk)),
        subject="userflow",
    )


def _surroundings(flows: Sequence[UserFlow], definitions: list[Definition]) -> Surroundings:
    tenant_id = flows[0].tenant_id if flows else None
    names = {question["name"] for definition in definitions for question in questions_in(definition)}
    assignments = ApplicationAssignment.objects.filter(user_flow__in=flows)
    return Surroundings(
        providers={str(provider.pk): provider for provider in IdentityProvider.objects.filter(tenant=tenant_id)},
        attributes={
            attribute.name: attribute
            for attribute in UserAttribute.objects.filter(tenant=tenant_id, name__in=sorted(names))
        },
        applications=_with_problems(flows),
        assigned=frozenset(assignments.values_list("user_flow_id", flat=True).distinct()),
    )


def _with_problems(flows: Sequence[UserFlow]) -> dict[uuid.UUID, list[Any]]:
    problem = Q(is_enabled=False) | LACKS_REDIRECT_URI | LACKS_SECRET
    applications = with_secrets(Application.objects.filter(flow_assignment__user_flow__in=flows)).filter(problem)
    found: dict[uuid.UUID, list[Any]] = {}
    for application in applications.select_related("flow_assignment").order_by("name")[:MAX_APPLICATIONS]:
        found.setdefault(application.flow_assignment.user_flow_id, []).append(application)
    return found


def _finding(user_flow: UserFlow, finding_id: str, message: str, fix: str) -> Finding:
    severity = Severity.ERROR if ".E" in finding_id else Severity.WARNING
    page = ("tenant_admin:userflows_userflow_change", str(user_flow.pk))
    return Finding(finding_id, severity, message, fix, page, subject="userflow")


def _ways(user_flow: UserFlow, definition: Definition, around: Surroundings) -> Iterator[Finding]:
    known = [around.providers[way["id"]] for way in definition["ways"] if way["id"] in around.providers]
    if not any(provider.is_enabled for provider in known):
        finding = _finding(
            user_flow,
            "userflows.E001",
            _("There is no way to sign in: nobody can get in."),
            _("Switch its identity provider on.") if known else _("Choose one under “Ways to sign in”."),
        )
        page = ("tenant_admin:directory_identityprovider_change", str(known[0].pk)) if known else finding.page
        yield replace(finding, page=page)
        return
    for provider in known:
        if not provider.is_enabled:
            yield replace(
                _finding(
                    user_flow,
                    "userflows.W001",
                    _("The identity provider %(name)s is switched off, so nobody is offered it.") % {"name": provider},
                    _("Switch it on, or take it out of “Ways to sign in”."),
                ),
                page=("tenant_admin:directory_identityprovider_change", str(provider.pk)),
            )
    if not any(provider.is_enabled and _takes_strangers(provider) for provider in known):
        yield _finding(
            user_flow,
            "userflows.W006",
            _("Nobody new can sign up: its ways to sign in are for people who have an account."),
            _("Add another way, such as a code by email."),
        )


def _takes_strangers(provider: IdentityProvider) -> bool:
    return provider.is_known_kind and provider.about.may_create_accounts and provider.may_create_accounts


def _providers(user_flow: UserFlow, definition: Definition, around: Surroundings) -> Iterator[Finding]:
    yield from _findings_on_providers([definition], around)


def _findings_on_providers(definitions: Iterable[Definition], around: Surroundings) -> Iterator[Finding]:
    """What is wrong with the providers that people meet in these flows, once for each."""
    offered = {way["id"] for definition in definitions for way in definition["ways"]}
    for key, provider in around.providers.items():
        if key in offered and provider.is_enabled:
            yield from findings_of(provider)


def _attributes(user_flow: UserFlow, definition: Definition, around: Surroundings) -> Iterator[Finding]:
    for name in sorted({question["name"] for question in questions_in(definition)} - set(around.attributes)):
        yield _finding(
            user_flow,
            "userflows.E002",
            _("It asks for %(name)s, an attribute that was deleted.") % {"name": name},
            _("Remove the question, or create the attribute again."),
        )


def _inputs(user_flow: UserFlow, definition: Definition, around: Surroundings) -> Iterator[Finding]:
    for question in questions_in(definition):
        attribute = around.attributes.get(question["name"])
        if attribute is None:
            continue
        asked = AttributeAssignment(
            user_flow=user_flow,
            user_attribute=attribute,
            input_type=question["input_type"],
            choices=question["choices"],
        )
        try:
            asked.clean()
        except ValidationError as problem:
            yield _finding(
                user_flow,
                "userflows.E003",
                _("The question “%(label)s” can't be answered: %(problem)s")
                % {"label": question["label"], "problem": " ".join(problem.messages)},
                _("Correct the question's input type or choices."),
            )


def _domains(user_flow: UserFlow, definition: Definition, around: Surroundings) -> Iterator[Finding]:
    if definition["admission"] == Admission.ANYONE or definition["domains"]:
        return
    only = definition["admission"] == Admission.ALLOWED_DOMAINS
    yield _finding(
        user_flow,
        "userflows.E004",
        _("It lets in only people of certain email domains, and names none: nobody can sign up.")
        if only
        else _("It keeps out people of certain email domains, and names none: everybody can sign up."),
        _("Name the domains under “Who gets in”, or let in anyone."),
    )


def _assigned(user_flow: UserFlow, definition: Definition, around: Surroundings) -> Iterator[Finding]:
    if user_flow.pk not in around.assigned:
        yield _finding(
            user_flow,
            "userflows.W002",
            _("No application uses it, so nobody comes here."),
            _("Choose an application under “Applications”."),
        )


def _paused(user_flow: UserFlow, definition: Definition, around: Surroundings) -> Iterator[Finding]:
    if not user_flow.sign_up_enabled:
        yield _finding(
            user_flow,
            "userflows.W004",
            _("Sign-up is paused: only people who have an account can sign in."),
            _("Resume it when new people may sign up again."),
        )


def _switch(user_flow: UserFlow, definition: Definition, around: Surroundings) -> Iterator[Finding]:
    if not user_flow.tenant.sign_up_enabled:
        yield switched_off(user_flow.tenant)


def _applications(user_flow: UserFlow, definition: Definition, around: Surroundings) -> Iterator[Finding]:
    for application in around.applications.get(user_flow.pk, []):
        if application.is_enabled:
            yield from examine_application(application)
            continue
        yield Finding(
            "userflows.W003",
            Severity.WARNING,
            _("It is switched off: nobody can sign in to it."),
            _("Switch the application on, or remove it from this user flow."),
            ("tenant_admin:directory_application_change", str(application.pk)),
            subject="application",
            about=application.name,
        )


def _unpublished(user_flow: UserFlow) -> Finding:
    finding = _finding(
        user_flow,
        "userflows.W005",
        _("Applications use it, but it was never published: nobody can sign up."),
        _("Publish it."),
    )
    return replace(finding, about=user_flow.name)
