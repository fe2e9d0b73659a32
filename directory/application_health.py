"""Can people sign in to an application? The rules, for all applications of a tenant in one query."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.db import models
from django.db.models import Exists, OuterRef, Q, Subquery
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from directory.health import Finding, Severity
from directory.models import Application, ApplicationKind, ClientSecret

# Who rotates a secret needs this long to find all the places in which it is used.
ENDS_SOON = timedelta(days=30)
KEEPS_SECRET = (ApplicationKind.WEB, ApplicationKind.DAEMON)
LACKS_REDIRECT_URI = Q(redirect_uris="") & ~Q(kind=ApplicationKind.DAEMON)
LACKS_SECRET = Q(kind__in=KEEPS_SECRET, has_lasting_secret=False)


def with_secrets(applications: models.QuerySet[Application]) -> models.QuerySet[Any]:
    """Annotate what the rules look at: whether a secret lasts longer than ENDS_SOON, and when the last one ends."""
    soon = timezone.now() + ENDS_SOON
    secrets = ClientSecret.objects.filter(application=OuterRef("pk"))
    lasting = secrets.filter(Q(expires_at__isnull=True) | Q(expires_at__gt=soon))
    last = secrets.order_by("-expires_at").values("expires_at")[:1]
    annotated: models.QuerySet[Any] = applications.annotate(
        has_lasting_secret=Exists(lasting), last_secret_ends_at=Subquery(last)
    )
    return annotated


def examine_application(application: Any) -> Iterator[Finding]:
    """Yield what is wrong with an enabled application of `with_secrets`."""
    if not application.redirect_uris and application.kind != ApplicationKind.DAEMON:
        yield _finding(
            application,
            "directory.W002",
            _("It has no redirect URI: nobody can sign in to it."),
            _("Add the address to which people return after signing in."),
        )
    if application.kind not in KEEPS_SECRET or application.has_lasting_secret:
        return
    ends_at = application.last_secret_ends_at
    if ends_at is None or ends_at <= timezone.now():
        yield _finding(
            application,
            "directory.W003",
            _("None of its client secrets works any more: it can get no tokens."),
            _("Add a client secret and put it into the application."),
        )
        return
    yield _finding(
        application,
        "directory.W004",
        _("Its last client secret ends on %(date)s.") % {"date": date_format(ends_at)},
        _("Add a second one now, put it into the application, and remove the old one afterwards."),
    )


def _finding(application: Application, finding_id: str, message: str, fix: str) -> Finding:
    return Finding(
        finding_id,
        Severity.WARNING,
        message,
        fix,
        ("tenant_admin:directory_application_change", str(application.pk)),
        subject="application",
        about=application.name,
    )
