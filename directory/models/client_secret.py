import uuid

from django.contrib.auth.hashers import check_password
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from directory.models.application import Application


class ClientSecretQuerySet(models.QuerySet["ClientSecret"]):
    def live(self) -> "ClientSecretQuerySet":
        """Those that still open the door."""
        return self.filter(Q(expires_at__isnull=True) | Q(expires_at__gt=timezone.now()))


class ClientSecret(models.Model):
    """One secret of an application (Graph `passwordCredential`). Several may be live, so that they can be rotated."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    application = models.ForeignKey(Application, on_delete=models.CASCADE, related_name="secrets")
    description = models.CharField(_("description"), max_length=100, blank=True)
    hint = models.CharField(_("begins with"), max_length=12, editable=False)
    secret_hash = models.CharField(max_length=128, editable=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    expires_at = models.DateTimeField(_("ends"), null=True, blank=True)

    objects = ClientSecretQuerySet.as_manager()

    class Meta:
        verbose_name = _("client secret")
        verbose_name_plural = _("client secrets")
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return f"{self.hint}…"

    def matches(self, secret: str) -> bool:
        return check_password(secret, self.secret_hash)
