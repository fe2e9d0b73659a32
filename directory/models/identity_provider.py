import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from directory.models.tenant import Tenant


class IdentityProviderKind(models.TextChoices):
    """What is at the other end (Graph identityProviderBase.identityProviderType)."""

    EMAIL_CODE = "EmailOTP", _("Email one-time code")


class IdentityProvider(models.Model):
    """A way in which a tenant's people may prove who they are (Graph `identityProviderBase`).

    A tenant has one row of the built-in kind; user flows choose among the tenant's rows.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="identity_providers", editable=False)
    kind = models.CharField(_("kind"), max_length=20, choices=IdentityProviderKind, editable=False)
    name = models.CharField(_("name"), max_length=100, help_text=_("Administrators see it in user flows."))
    is_enabled = models.BooleanField(
        _("enabled"), default=True, help_text=_("Off: nobody can use it, in any user flow, from now on.")
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("identity provider")
        verbose_name_plural = _("identity providers")
        ordering = ("created_at", "name")
        constraints = [
            models.UniqueConstraint(
                fields=("tenant", "kind"),
                condition=models.Q(kind="EmailOTP"),
                name="one_built_in_provider_of_a_kind",
                violation_error_message=_("This tenant has this identity provider."),
            )
        ]

    def __str__(self) -> str:
        return self.name
