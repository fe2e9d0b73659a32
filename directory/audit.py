"""The only way to write the audit log."""

from typing import Any

from django.db import models

from directory.correlation import current_correlation_id
from directory.models import AuditEvent, Tenant

REDACTED = "******"
# What never enters the log, whatever a caller passes.
SECRET_WORDS = ("secret", "password", "code", "token", "private")


def record(
    activity: str,
    *,
    tenant: Tenant | None,
    actor: models.Model | None = None,
    target: models.Model | None = None,
    reason: str = "",
    details: dict[str, Any] | None = None,
) -> AuditEvent:
    """Write one event. `activity` reads subject.past_participle; a `reason` makes it a failure.

    Call it in the transaction of the change it tells of, so that neither stands without the other.
    """
    return AuditEvent.objects.create(
        tenant=tenant,
        activity=activity,
        result=AuditEvent.Result.FAILURE if reason else AuditEvent.Result.SUCCESS,
        reason=reason,
        correlation_id=current_correlation_id(),
        details=_redacted(details or {}),
        **_named("actor", actor),
        **_named("target", target),
    )


def _named(role: str, instance: models.Model | None) -> dict[str, str]:
    if instance is None:
        return {}
    return {
        f"{role}_type": instance._meta.model_name or "",
        f"{role}_id": str(instance.pk),
        f"{role}_name": str(instance)[:256],
    }


def _redacted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: REDACTED if _is_secret(key) else _redacted(inner) for key, inner in value.items()}
    return [_redacted(inner) for inner in value] if isinstance(value, list | tuple) else value


def _is_secret(key: str) -> bool:
    return any(word in key.lower() for word in SECRET_WORDS)
