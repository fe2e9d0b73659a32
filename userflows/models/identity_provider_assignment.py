from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from directory.models import IdentityProvider
from userflows.models.user_flow import UserFlow


class IdentityProviderAssignment(models.Model):
    """The flow offers this way to sign in, at this place among the others."""

    user_flow = models.ForeignKey(UserFlow, on_delete=models.CASCADE, related_name="identity_provider_assignments")
    identity_provider = models.ForeignKey(
        IdentityProvider,
        verbose_name=_("identity provider"),
        on_delete=models.CASCADE,
        related_name="user_flow_assignments",
    )
    order = models.PositiveSmallIntegerField(_("order"), default=0)

    class Meta:
        verbose_name = _("way to sign in")
        verbose_name_plural = _("ways to sign in")
        ordering = ("order", "pk")
        constraints = [
            models.UniqueConstraint(fields=("user_flow", "identity_provider"), name="identity_provider_once_in_flow")
        ]

    def __str__(self) -> str:
        return str(self.identity_provider)

    def clean(self) -> None:
        provider = getattr(self, "identity_provider", None)
        if provider and provider.tenant_id != self.user_flow.tenant_id:
            raise ValidationError({"identity_provider": _("Choose one of this tenant.")})
