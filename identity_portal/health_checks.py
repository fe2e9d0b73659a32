"""What is wrong in a tenant, in a fixed number of queries: for its Health page, its front page and `manage.py doctor`.

The rules on flows are in userflows.health, those on applications in directory.application_health, the platform's in
identity_portal.doctor.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import TextField
from django.db.models.functions import Cast
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from directory.application_health import LACKS_REDIRECT_URI, LACKS_SECRET, examine_application, with_secrets
from directory.encryption import UnsealError
from directory.health import Finding, Severity
from directory.models import Application, Tenant
from identity_portal.doctor import examine_mail_queue
from identity_portal.oidc.models import SigningKey
from userflows.health import by_severity, examine_live_flows, switched_off
from userflows.models import UserFlow

MAX_FLOWS = 100
MAX_APPLICATIONS = 100
# How long a key signs at most, and how long before its end one is reminded.
KEY_LIFETIME = timedelta(days=365)
KEY_REMINDER = timedelta(days=30)


@dataclass(frozen=True)
class TenantHealth:
    """What was found, errors first, and sentences on what was not looked at."""

    findings: list[Finding]
    notes: list[str]


def tenant_findings(tenant: Tenant) -> list[Finding]:
    """Return what is wrong in `tenant`, errors first."""
    return tenant_health(tenant).findings


def tenant_health(tenant: Tenant) -> TenantHealth:
    """Look at the live flows, the applications, the signing keys and the mail of a tenant."""
    flows = examine_live_flows(tenant, limit=MAX_FLOWS)
    applications = _applications_with_problems(tenant)
    findings = [*_switch(tenant), *flows.findings]
    for application in applications[:MAX_APPLICATIONS]:
        findings += examine_application(application)
    findings += [*_keys(tenant), *examine_mail_queue()]
    notes = []
    if flows.is_cut:
        notes.append(_("Only the first %(count)d user flows were looked at.") % {"count": MAX_FLOWS})
    if len(applications) > MAX_APPLICATIONS:
        notes.append(_("Only the first %(count)d applications with problems are shown.") % {"count": MAX_APPLICATIONS})
    return TenantHealth(by_severity(findings), notes)


def _applications_with_problems(tenant: Tenant) -> list[Application]:
    applications = Application.objects.filter(tenant=tenant, is_enabled=True, is_first_party=False)
    problems = with_secrets(applications).filter(LACKS_REDIRECT_URI | LACKS_SECRET)
    return list(problems.order_by("name")[: MAX_APPLICATIONS + 1])


def _switch(tenant: Tenant) -> Iterator[Finding]:
    """A closed door is only wrong where somebody waits at it."""
    waiting = UserFlow.objects.filter(tenant=tenant, sign_up_enabled=True, application_assignments__isnull=False)
    if not tenant.sign_up_enabled and waiting.exists():
        yield switched_off(tenant)


def _keys(tenant: Tenant) -> Iterator[Finding]:
    keys = SigningKey.objects.filter(tenant=tenant).exclude(state=SigningKey.State.RETIRED)
    # Read as it stands: a key that can't be opened is found, not stumbled over.
    for key in keys.annotate(sealed=Cast("private_jwk", TextField())).defer("private_jwk"):
        try:
            SigningKey._meta.get_field("private_jwk").from_db_value(key.sealed)
        except UnsealError as error:
            yield _key_finding(
                "portal.E004",
                Severity.ERROR,
                _("Signing key %(id)s can't be opened: %(error)s") % {"id": key.pk, "error": error},
                _("Put the key that sealed it back into ENCRYPTION_KEYS."),
            )
            continue
        if key.state == SigningKey.State.ACTIVE:
            yield from _age(key.algorithm, key.activated_at or key.created_at)


def _age(algorithm: str, active_since: datetime) -> Iterator[Finding]:
    ends_at = active_since + KEY_LIFETIME
    now = timezone.now()
    if now >= ends_at:
        message = _("The %(algorithm)s key has signed for more than a year: its rotation is due.")
        yield _key_finding(
            "oidc.W001", Severity.WARNING, message % {"algorithm": algorithm}, _("Rotate the signing keys.")
        )
    elif now >= ends_at - KEY_REMINDER:
        message = _("The %(algorithm)s key is due for rotation by %(date)s.")
        yield _key_finding(
            "oidc.W002",
            Severity.WARNING,
            message % {"algorithm": algorithm, "date": date_format(ends_at)},
            _("Rotate the signing keys."),
        )


def _key_finding(finding_id: str, severity: Severity, message: str, fix: str) -> Finding:
    return Finding(
        finding_id, severity, message, fix, ("tenant_admin:oidc_signingkey_changelist",), subject="signingkey"
    )
