"""The verbs on applications."""

import secrets
from datetime import timedelta

from django.contrib.auth.hashers import make_password
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from directory import audit
from directory.models import Application, ClientSecret

# A prefix lets secret scanners find a leaked one.
SECRET_PREFIX = "ip_cs_"  # noqa: S105
SECRET_BYTES = 32
DEFAULT_SECRET_LIFETIME = timedelta(days=180)
HINT_LENGTH = len(SECRET_PREFIX) + 4


@transaction.atomic
def create_application(application: Application, *, actor: models.Model | None = None) -> str | None:
    """Save a new application.

    Returns its first client secret, which can't be read again; None for kinds that can't keep one.
    Raises ValidationError.
    """
    application.full_clean()
    application.save(force_insert=True)
    audit.record(
        "application.created",
        tenant=application.tenant,
        actor=actor,
        target=application,
        details={"after": audit.values_of(application)},
    )
    return add_client_secret(application, actor=actor) if application.keeps_secret else None


@transaction.atomic
def add_client_secret(
    application: Application,
    *,
    description: str = "",
    lifetime: timedelta = DEFAULT_SECRET_LIFETIME,
    actor: models.Model | None = None,
) -> str:
    """Make another secret, valid beside the ones there are. Returns it; only its hash is kept.

    Raises ValidationError for kinds of applications that can't keep one.
    """
    if not application.keeps_secret:
        raise ValidationError(_("Only web applications and daemons have a secret: in others everybody can read it."))
    secret = SECRET_PREFIX + secrets.token_urlsafe(SECRET_BYTES)
    ClientSecret.objects.create(
        application=application,
        description=description,
        hint=secret[:HINT_LENGTH],
        secret_hash=make_password(secret, hasher="sha256_secret"),
        expires_at=timezone.now() + lifetime,
    )
    audit.record("client_secret.created", tenant=application.tenant, actor=actor, target=application)
    return secret


@transaction.atomic
def remove_client_secret(client_secret: ClientSecret, *, actor: models.Model | None = None) -> None:
    """End a secret at once."""
    application = client_secret.application
    audit.record(
        "client_secret.removed",
        tenant=application.tenant,
        actor=actor,
        target=application,
        details={"hint": client_secret.hint},
    )
    client_secret.delete()
