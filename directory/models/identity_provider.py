import uuid
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from directory.encryption import EncryptedTextField
from directory.identity_provider_kinds import ProviderKind, kind_choices, kinds
from directory.models.tenant import Tenant

EMAIL_CODE = "EmailOTP"
EMAIL_PASSWORD = "EmailPassword"  # noqa: S105
PASSKEY = "Passkey"


class IdentityProvider(models.Model):
    """A way in which a tenant's people may prove who they are (Graph `identityProviderBase`).

    What is asked of the administrator depends on the kind (directory.identity_provider_kinds). `settings` holds what
    only some kinds have, by the names of `ProviderKind.fields`; `secret` is the client secret, Apple's is a key (PEM).
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="identity_providers", editable=False)
    kind = models.CharField(_("kind"), max_length=40, choices=kind_choices, editable=False)
    name = models.CharField(
        _("name"), max_length=100, help_text=_("Administrators see it; people do where the provider has no name.")
    )
    is_enabled = models.BooleanField(
        _("enabled"), default=True, help_text=_("Off: nobody can use it, in any user flow, from now on.")
    )
    client_id = models.CharField(_("client ID"), max_length=255, blank=True)
    secret = EncryptedTextField(_("client secret"), blank=True, default="")
    secret_expires_on = models.DateField(_("secret ends on"), null=True, blank=True)
    settings = models.JSONField(default=dict, blank=True)
    # E-mail domains whose people belong to this provider: who types such an address is led straight there.
    domains = models.JSONField(_("email domains"), default=list, blank=True)
    # Addresses of these domains count as proven when this provider tells them, whatever it says of them.
    trusted_domains = models.JSONField(_("trusted email domains"), default=list, blank=True)
    may_create_accounts = models.BooleanField(
        _("new people can sign up with it"), default=True, help_text=_("Off: only people who used it before can.")
    )
    # Attribute name to claim name, where it differs from the kind's defaults; an empty claim takes nothing.
    claims_mapping = models.JSONField(_("claims mapping"), default=dict, blank=True)
    signs_out_there = models.BooleanField(
        _("sign out there too"), default=False, help_text=_("Whoever signs out here is offered to sign out there.")
    )
    tested_at = models.DateTimeField(_("tested"), null=True, editable=False)
    test_outcome = models.CharField(max_length=100, blank=True, default="", editable=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("identity provider")
        verbose_name_plural = _("identity providers")
        ordering = ("created_at", "name")
        constraints = [
            models.UniqueConstraint(
                fields=("tenant", "kind"),
                # Those of which a tenant can have several: each has an issuer of its own.
                condition=~models.Q(kind__in=("EntraID", "OpenIdConnect", "Saml")),
                name="one_identity_provider_of_a_kind",
                violation_error_message=_("This tenant has this identity provider."),
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_known_kind(self) -> bool:
        return self.kind in kinds()

    @property
    def about(self) -> ProviderKind:
        """The row of the table of kinds. Raises KeyError for one that was taken out."""
        return kinds()[self.kind]

    @property
    def shown_name(self) -> str:
        """What people read on the button."""
        return self.about.mark.name or self.name

    @property
    def issuer(self) -> str:
        """Who vouches: `issuer` of the identities. With Entra ID it depends on the person's organisation: empty."""
        if self.about.issuer:
            return self.about.issuer
        return str(self.settings.get("issuer") or self.settings.get("entity_id") or "")

    def setting(self, name: str, default: Any = "") -> Any:
        return self.settings.get(name, default)
