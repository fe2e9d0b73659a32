import uuid
from datetime import datetime
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from directory.models.tenant import Tenant


class AuditEventChanged(Exception):
    """Audit events are written once: nobody changes or deletes them."""


class AuditEventQuerySet(models.QuerySet["AuditEvent"]):
    """Deleting a tenant takes its events along, and retention those whose time is over; nothing else deletes one."""

    def delete_expired(self, *, before: datetime, limit: int) -> int:
        """Delete up to `limit` of the oldest events from before a moment. For directory.audit.purge_audit_events."""
        expired = self.filter(at__lt=before).order_by("at").values("pk")[:limit]
        return models.QuerySet(self.model, using=self.db).filter(pk__in=expired).delete()[0]

    def update(self, **values: Any) -> int:
        raise AuditEventChanged("Audit events can't be changed.")

    def delete(self) -> tuple[int, dict[str, int]]:
        raise AuditEventChanged("Audit events can't be deleted.")


class AuditEvent(models.Model):
    """What happened, who did it, to what (Graph `directoryAudit`). Written by directory.audit.record() only."""

    class Result(models.TextChoices):
        SUCCESS = "success", _("Success")
        FAILURE = "failure", _("Failure")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    tenant = models.ForeignKey(Tenant, verbose_name=_("tenant"), null=True, on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField(_("time"), auto_now_add=True)
    activity = models.CharField(_("activity"), max_length=60)
    result = models.CharField(_("result"), max_length=10, choices=Result, default=Result.SUCCESS)
    reason = models.CharField(_("reason"), max_length=100, blank=True)
    actor_type = models.CharField(_("actor's type"), max_length=40, blank=True)
    actor_id = models.CharField(_("actor's id"), max_length=64, blank=True)
    actor_name = models.CharField(_("actor"), max_length=256, blank=True)
    target_type = models.CharField(_("target's type"), max_length=40, blank=True)
    target_id = models.CharField(_("target's id"), max_length=64, blank=True)
    target_name = models.CharField(_("target"), max_length=256, blank=True)
    correlation_id = models.UUIDField(_("correlation id"))
    details = models.JSONField(_("details"), default=dict, blank=True)
    # What a search looks at, in lower case: activity, reason, names, and the details that are words.
    search_text = models.TextField(blank=True, default="", editable=False)

    objects = AuditEventQuerySet.as_manager()

    class Meta:
        verbose_name = _("audit event")
        verbose_name_plural = _("audit events")
        indexes = [
            models.Index(fields=("tenant", "-at"), name="audit_by_tenant_newest"),
            models.Index(fields=("tenant", "correlation_id"), name="audit_by_correlation"),
            models.Index(fields=("tenant", "target_id"), name="audit_by_target"),
            models.Index(fields=("tenant", "actor_id"), name="audit_by_actor"),
            models.Index(fields=("tenant", "activity", "-at"), name="audit_by_activity_newest"),
            models.Index(fields=("tenant", "target_type", "-at"), name="audit_by_kind_newest"),
            models.Index(fields=("tenant", "-at"), condition=models.Q(result="failure"), name="audit_failures_newest"),
            models.Index(
                fields=("tenant", "-at"),
                condition=models.Q(actor_type="application"),
                name="audit_by_applications_newest",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.activity} · {self.target_name or self.actor_name}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise AuditEventChanged(f"Audit event {self.pk} can't be changed.")
        super().save(*args, **{**kwargs, "force_insert": True})

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        raise AuditEventChanged(f"Audit event {self.pk} can't be deleted.")
