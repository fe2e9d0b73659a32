import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from directory.models.identity_provider import IdentityProvider
from directory.models.tenant import Tenant
from directory.models.user import User
from directory.tenant_scope import check_same_tenant

MAIL_ISSUER = "mail"


class SignInType(models.TextChoices):
    """Graph objectIdentity.signInType."""

    EMAIL_ADDRESS = "emailAddress", _("Email address")
    FEDERATED = "federated", _("Federated")


class Identity(models.Model):
    """One way in which a person proves who they are, at one provider (Graph `objectIdentity`).

    With the e-mail code the issuer is "mail" and the assigned id the address in lower case.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="identities", editable=False)
    user = models.ForeignKey(User, verbose_name=_("user"), on_delete=models.CASCADE, related_name="identities")
    # By which of the tenant's providers it came; the identity outlives it.
    identity_provider = models.ForeignKey(
        IdentityProvider,
        verbose_name=_("identity provider"),
        null=True,
        blank=True,
        editable=False,
        on_delete=models.SET_NULL,
        related_name="identities",
    )
    # The provider's kind: what speaks for the identity once the provider is gone.
    provider_kind = models.CharField(max_length=40, blank=True, default="", editable=False)
    sign_in_type = models.CharField(_("sign-in type"), max_length=20, choices=SignInType)
    issuer = models.CharField(_("issuer"), max_length=255)
    issuer_assigned_id = models.CharField(_("id at the issuer"), max_length=255)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("identity")
        verbose_name_plural = _("identities")
        constraints = [
            models.UniqueConstraint(
                fields=("tenant", "issuer", "issuer_assigned_id"),
                name="identity_unique_in_tenant",
                violation_error_message=_("Somebody in this tenant has this identity."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.issuer}: {self.issuer_assigned_id}"

    def clean(self) -> None:
        check_same_tenant(self, "user")
