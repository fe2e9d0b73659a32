"""Is the portal fit to work? The rules, each with words and a way to mend it; `manage.py doctor` tells them.

Broken settings stop the start (identity_portal.settings, Django's checks). These need the database or the network.
"""

from collections.abc import Callable, Iterator
from smtplib import SMTPException

from django.conf import settings
from django.core.mail import get_connection
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from directory.encryption import UnsealError
from directory.health import Finding, Severity
from directory.models import Application, ApplicationKind, Tenant
from identity_portal.oidc.models import SigningKey
from userflows.models import UserFlow


def examine() -> list[Finding]:
    """Go through all rules. What rests on the database is left out when there is none."""
    findings = list(_database())
    if findings:
        return findings
    rules: tuple[Callable[[], Iterator[Finding]], ...] = (_mail, _keys, _tenants, _applications)
    return [finding for rule in rules for finding in rule()]


def _database() -> Iterator[Finding]:
    try:
        connection.ensure_connection()
        executor = MigrationExecutor(connection)
    except DatabaseError as error:
        yield Finding("portal.E001", Severity.ERROR, f"The database can't be reached: {error}", "Check DATABASE_URL.")
        return
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        yield Finding("portal.E002", Severity.ERROR, "The database is not up to date.", "Run manage.py migrate.")


def _mail() -> Iterator[Finding]:
    try:
        mail = get_connection(timeout=5)
        mail.open()
        mail.close()
    except (OSError, SMTPException) as error:
        yield Finding(
            "portal.E003", Severity.ERROR, f"Mail can't be sent: {error}", "Check EMAIL_URL. Nobody can sign up."
        )
    if settings.TASKS_BACKEND == "immediate" and settings.PORTAL_MODE == "production":
        yield Finding(
            "portal.W001",
            Severity.WARNING,
            "Mail is sent while people wait for their page.",
            "Set TASKS_BACKEND=database and run manage.py db_worker.",
        )


def _keys() -> Iterator[Finding]:
    ids = SigningKey.objects.values_list("pk", flat=True)
    for pk in ids.iterator():
        try:
            SigningKey.objects.get(pk=pk)
        except UnsealError as error:
            yield Finding(
                "portal.E004",
                Severity.ERROR,
                f"Signing key {pk} can't be opened: {error}",
                "Put the key that sealed it back into ENCRYPTION_KEYS.",
            )


def _tenants() -> Iterator[Finding]:
    with_flows = UserFlow.objects.filter(sign_up_enabled=True, application_assignments__isnull=False)
    for tenant in Tenant.objects.filter(is_active=True, sign_up_enabled=False, user_flows__in=with_flows).distinct():
        yield Finding(
            "directory.W001",
            Severity.WARNING,
            f"{tenant.slug}: user flows have applications, but guest self-service sign-up is off.",
            "Switch it on in the tenant's settings.",
        )


def _applications() -> Iterator[Finding]:
    without = Application.objects.exclude(kind=ApplicationKind.DAEMON).filter(redirect_uris="", is_enabled=True)
    for application in without.select_related("tenant"):
        yield Finding(
            "directory.W002",
            Severity.WARNING,
            f"{application.tenant.slug}: the application {application.name} has no redirect URI.",
            "Add one: without it nobody can sign in.",
        )
