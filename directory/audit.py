"""The only way to write the audit log, and the only way to delete from it: what is older than its time."""

import json
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models

from directory.correlation import current_correlation_id
from directory.encryption import EncryptedTextField
from directory.models import AuditEvent, Tenant

REDACTED = "******"
# What never enters the log, whatever a caller passes.
SECRET_WORDS = ("secret", "password", "code", "token", "private", "hash")
HARMLESS = (
    *("postal_code", "postalcode", "secret_expires_on"),
    *("token_auth_method", "code_length", "code_minutes"),
)
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
MAX_SEARCH_TEXT = 2000
# Columns that say nothing which the others don't.
DERIVED = ("search_text",)
# What happened outside all tenants.
PLATFORM_RETENTION = timedelta(days=3650)
PURGED_AT_ONCE = 5000


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

    What changed stands in the details as `before` and `after`: values by the names of fields. Secrets are blacked out.
    Call it in the transaction of the change it tells of, so that neither stands without the other.
    """
    named = {**_named("actor", actor), **_named("target", target)}
    kept = _redacted(plain(details or {}))
    words = [activity, reason, named.get("actor_name", ""), named.get("target_name", ""), *_words(kept)]
    return AuditEvent.objects.create(
        tenant=tenant,
        activity=activity,
        result=AuditEvent.Result.FAILURE if reason else AuditEvent.Result.SUCCESS,
        reason=reason,
        correlation_id=current_correlation_id(),
        details=kept,
        search_text="\n".join(dict.fromkeys(word.lower() for word in words if word))[:MAX_SEARCH_TEXT],
        **named,
    )


def plain(value: Any) -> Any:
    """Return `value` as it can stand in JSON: times, ids, rows and what else a form may hold become text."""
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset | models.QuerySet):
        return [plain(inner) for inner in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    try:
        return str(json.loads(json.dumps(value, cls=DjangoJSONEncoder))).replace("\0", "")
    except TypeError:
        return str(value).replace("\0", "")


def values_of(instance: models.Model) -> dict[str, Any]:
    """Return the values of a row for the log, by the names of its fields: what was added or deleted."""
    values = {}
    for field in instance._meta.concrete_fields:
        if field.primary_key or field.name in DERIVED or field.name == "tenant":
            continue
        value = field.value_from_object(instance)
        if value not in (None, "", [], {}):
            values[field.name] = REDACTED if isinstance(field, EncryptedTextField) else plain(value)
    return values


def purge_audit_events(now: datetime) -> int:
    """Delete the events that are older than their tenant keeps them, in batches; returns how many."""
    kept = [
        (AuditEvent.objects.filter(tenant__audit_retention_days=days), timedelta(days=days))
        for days in set(Tenant.objects.values_list("audit_retention_days", flat=True))
    ]
    kept.append((AuditEvent.objects.filter(tenant=None), PLATFORM_RETENTION))
    deleted = 0
    for events, retention in kept:
        while batch := events.delete_expired(before=now - retention, limit=PURGED_AT_ONCE):
            deleted += batch
    return deleted


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
    return [_redacted(inner) for inner in value] if isinstance(value, list) else value


def _is_secret(key: str) -> bool:
    name = key.lower()
    return name not in HARMLESS and any(word in name for word in SECRET_WORDS)


def _words(value: Any) -> list[str]:
    """Return the texts in `value` that somebody may search for. Ids are found by their own indexes."""
    if isinstance(value, dict):
        return [word for inner in value.values() for word in _words(inner)]
    if isinstance(value, list):
        return [word for inner in value for word in _words(inner)]
    return [value] if isinstance(value, str) and value != REDACTED and not UUID.fullmatch(value) else []
