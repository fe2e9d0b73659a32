import uuid
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from directory.models import User, UserAttribute
from userflows.models.user_flow import UserFlow


class VersionChanged(Exception):
    """A published version is never changed."""


class UserFlowVersion(models.Model):
    """A user flow as it was published: never changed. `definition` is a userflows.definition.Definition."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user_flow = models.ForeignKey(UserFlow, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField(_("version"))
    definition = models.JSONField()
    # So that it can be asked which flows use an attribute.
    attributes = models.ManyToManyField(UserAttribute, related_name="user_flow_versions")
    published_at = models.DateTimeField(_("published"), auto_now_add=True)
    published_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    published_by_name = models.CharField(_("published by"), max_length=256, blank=True)

    class Meta:
        verbose_name = _("version")
        verbose_name_plural = _("versions")
        ordering = ("-number",)
        constraints = [models.UniqueConstraint(fields=("user_flow", "number"), name="version_number_unique_in_flow")]

    def __str__(self) -> str:
        return str(_("Version %(number)d") % {"number": self.number})

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise VersionChanged(f"Version {self.number} can't be changed.")
        super().save(*args, **{**kwargs, "force_insert": True})
