"""Is the portal fit to work? The platform's rules, each with words and a way to mend it; `manage.py doctor` tells them.

What settings alone can tell stops the start (identity_portal.settings) or is one of Django's checks
(identity_portal.checks). A tenant's rules: identity_portal.health_checks.
"""

from collections.abc import Callable, Iterator
from datetime import timedelta
from ipaddress import ip_network
from smtplib import SMTPException

from django.conf import settings
from django.core.mail import get_connection
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone
from django.utils.translation import gettext as _
from django_tasks_db.models import DBTaskResult

from directory.health import Finding, Severity
from userflows.models import Journey

# These keep or show mail instead of sending it.
DEAD_MAIL_BACKENDS = ("console", "dummy", "filebased", "locmem")
# A worker takes mail within seconds.
MAIL_WAITS_AT_MOST = timedelta(minutes=10)
# `purge_expired` deletes a journey a day after its end, and runs every hour.
PURGED_AT_THE_LATEST = timedelta(days=3)
# 10.0.0.0/8 and fc00::/7 are the largest that are anybody's own.
WIDEST_NETWORK = {4: 8, 6: 7}


def examine_platform() -> list[Finding]:
    """Go through the platform's rules. What rests on the database is left out when there is none."""
    findings = [*examine_settings(), *examine_database()]
    if any(finding.id in ("portal.E001", "portal.E002") for finding in findings):
        return findings
    rules: tuple[Callable[[], Iterator[Finding]], ...] = (_mail_server, examine_mail_queue, _leftovers)
    return findings + [finding for rule in rules for finding in rule()]


def examine_settings() -> Iterator[Finding]:
    """What the settings alone can tell."""
    if settings.PORTAL_MODE != "production":
        return
    if settings.EMAIL_BACKEND.split(".")[-2] in DEAD_MAIL_BACKENDS:
        yield Finding("portal.E005", Severity.ERROR, "Mail is not configured: nobody gets any.", "Set EMAIL_URL.")
    if settings.TASKS_BACKEND == "immediate":
        yield Finding(
            "portal.W001",
            Severity.WARNING,
            "Mail is sent while people wait for their page.",
            "Set TASKS_BACKEND=database and run manage.py db_worker.",
        )
    yield from _outgoing_networks()


def _outgoing_networks() -> Iterator[Finding]:
    """A partner's network is one thing, all that there are is another: administrators write the URLs that are asked."""
    for network in map(ip_network, settings.OUTGOING_NETWORKS):
        if network.is_loopback or network.prefixlen < WIDEST_NETWORK[network.version]:
            yield Finding(
                "portal.W005",
                Severity.WARNING,
                f"By an identity provider's URLs, administrators of every tenant reach what listens in {network}.",
                "List only the networks of identity providers in OUTGOING_NETWORKS.",
            )


def examine_database() -> Iterator[Finding]:
    """Is it there, and up to date?"""
    try:
        connection.ensure_connection()
        executor = MigrationExecutor(connection)
    except DatabaseError as error:
        yield Finding("portal.E001", Severity.ERROR, f"The database can't be reached: {error}", "Check DATABASE_URL.")
        return
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        yield Finding("portal.E002", Severity.ERROR, "The database is not up to date.", "Run manage.py migrate.")


def examine_mail_queue() -> Iterator[Finding]:
    """Does mail leave the house? Tenants are told too, so it says nothing of whose mail it is, or how much."""
    now = timezone.now()
    waiting = DBTaskResult.objects.ready().filter(enqueued_at__lt=now - MAIL_WAITS_AT_MOST)
    if waiting.exists():
        yield Finding(
            "portal.E006",
            Severity.ERROR,
            _("Mail is waiting to be sent for more than ten minutes. Nobody can sign up."),
            _("The operator of the portal sees to it that manage.py db_worker is running."),
        )
    if DBTaskResult.objects.failed().filter(finished_at__gt=now - timedelta(days=1)).exists():
        yield Finding(
            "portal.W002",
            Severity.WARNING,
            _("Mail could not be delivered in the last 24 hours."),
            _("The operator of the portal finds the reason in the log."),
        )


def _mail_server() -> Iterator[Finding]:
    try:
        mail = get_connection(timeout=5)
        mail.open()
        mail.close()
    except (OSError, SMTPException) as error:
        yield Finding(
            "portal.E003", Severity.ERROR, f"Mail can't be sent: {error}", "Check EMAIL_URL. Nobody can sign up."
        )


def _leftovers() -> Iterator[Finding]:
    if Journey.objects.filter(expires_at__lt=timezone.now() - PURGED_AT_THE_LATEST).exists():
        yield Finding(
            "portal.W003",
            Severity.WARNING,
            "What has ended is not being deleted.",
            "Run manage.py purge_expired every hour.",
        )
