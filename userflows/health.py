"""Is a user flow fit for people? Rules on a definition, the draft's or the live one's."""

from collections.abc import Iterator

from django.utils.translation import gettext as _

from directory.health import Finding, Severity
from directory.models import IdentityProvider, UserAttribute
from userflows.definition import Definition, questions_in
from userflows.models import UserFlow


def examine_flow(user_flow: UserFlow, definition: Definition) -> list[Finding]:
    """Return what is wrong with `definition` as the flow's draft or live version, errors first."""
    rules = (_ways, _attributes)
    findings = [finding for rule in rules for finding in rule(user_flow, definition)]
    return sorted(findings, key=lambda finding: finding.severity is not Severity.ERROR)


def _flow_page(user_flow: UserFlow) -> tuple[str, ...]:
    return ("tenant_admin:userflows_userflow_change", str(user_flow.pk))


def _ways(user_flow: UserFlow, definition: Definition) -> Iterator[Finding]:
    ids = [way["id"] for way in definition["ways"]]
    if not IdentityProvider.objects.filter(tenant=user_flow.tenant_id, pk__in=ids, is_enabled=True).exists():
        yield Finding(
            "userflows.E001",
            Severity.ERROR,
            _("There is no way to sign in: nobody can get in."),
            _("Choose one under “Ways to sign in”, and see that it is switched on."),
            _flow_page(user_flow),
        )


def _attributes(user_flow: UserFlow, definition: Definition) -> Iterator[Finding]:
    names = [question["name"] for question in questions_in(definition)]
    known = UserAttribute.objects.filter(tenant=user_flow.tenant_id, name__in=names).values_list("name", flat=True)
    for name in sorted(set(names) - set(known)):
        yield Finding(
            "userflows.E002",
            Severity.ERROR,
            _("It asks for %(name)s, an attribute that was deleted.") % {"name": name},
            _("Remove the question, or create the attribute again."),
            _flow_page(user_flow),
        )
