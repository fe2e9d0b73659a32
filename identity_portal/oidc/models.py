"""What is issued to applications.

The library's models are ours, so that tokens can carry how the person signed in.
"""

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _
from oauth2_provider.models import (
    AbstractAccessToken,
    AbstractDeviceGrant,
    AbstractGrant,
    AbstractIDToken,
    AbstractRefreshToken,
)

from directory.encryption import EncryptedTextField
from directory.models import Tenant
from userflows.models import UserFlow


class SignInContext(models.Model):
    """How and where the person signed in: goes from the session to the code, and from there to every token."""

    issuer = models.CharField(max_length=255, default="")
    user_flow = models.ForeignKey(UserFlow, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    sid = models.CharField(max_length=64, blank=True, default="")
    auth_time = models.DateTimeField(null=True, blank=True)
    amr = models.JSONField(default=list, blank=True)
    idp = models.CharField(max_length=255, blank=True, default="")

    class Meta:
        abstract = True


class Grant(SignInContext, AbstractGrant):
    """An authorization code, hashed. A redeemed one stays until it is purged, so that a replay is noticed."""

    redeemed_at = models.DateTimeField(null=True, blank=True)

    class Meta(AbstractGrant.Meta):
        abstract = False
        swappable = "OAUTH2_PROVIDER_GRANT_MODEL"


class AccessToken(SignInContext, AbstractAccessToken):
    grant = models.ForeignKey(Grant, null=True, blank=True, on_delete=models.SET_NULL, related_name="access_tokens")

    class Meta(AbstractAccessToken.Meta):
        abstract = False
        swappable = "OAUTH2_PROVIDER_ACCESS_TOKEN_MODEL"


class RefreshToken(SignInContext, AbstractRefreshToken):
    """`scope` is what was granted at first: asking for less once does not narrow the next time (RFC 6749 6)."""

    grant = models.ForeignKey(Grant, null=True, blank=True, on_delete=models.SET_NULL, related_name="refresh_tokens")
    scope = models.TextField(blank=True, default="")

    class Meta(AbstractRefreshToken.Meta):
        abstract = False
        swappable = "OAUTH2_PROVIDER_REFRESH_TOKEN_MODEL"
        indexes = [models.Index(fields=("token_family",), name="refresh_token_family")]


class IDToken(AbstractIDToken):
    """Required by the library. The portal's ID tokens are verified by signature and leave no row."""

    class Meta(AbstractIDToken.Meta):
        abstract = False
        swappable = "OAUTH2_PROVIDER_ID_TOKEN_MODEL"


class DeviceGrant(AbstractDeviceGrant):
    """Required by the library. The portal has no device flow: the grant is refused at the token endpoint."""

    class Meta(AbstractDeviceGrant.Meta):
        abstract = False
        swappable = "OAUTH2_PROVIDER_DEVICE_GRANT_MODEL"


class SigningKey(models.Model):
    """One of a tenant's keys for signing tokens. `next` is published before it signs, `retired` after."""

    class Algorithm(models.TextChoices):
        RS256 = "RS256", "RS256"
        ES256 = "ES256", "ES256"

    class State(models.TextChoices):
        NEXT = "next", _("Next")
        ACTIVE = "active", _("Active")
        RETIRED = "retired", _("Retired")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    tenant = models.ForeignKey(Tenant, verbose_name=_("tenant"), on_delete=models.CASCADE, related_name="signing_keys")
    algorithm = models.CharField(_("algorithm"), max_length=5, choices=Algorithm)
    state = models.CharField(_("state"), max_length=10, choices=State)
    kid = models.CharField(_("key id"), max_length=64, unique=True)
    public_jwk = models.JSONField(_("public key"))
    private_jwk = EncryptedTextField()
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    activated_at = models.DateTimeField(_("active since"), null=True)
    retired_at = models.DateTimeField(_("retired"), null=True)

    class Meta:
        verbose_name = _("signing key")
        verbose_name_plural = _("signing keys")
        ordering = ("-created_at",)
        constraints = [
            models.UniqueConstraint(
                fields=("tenant", "algorithm", "state"),
                condition=~models.Q(state="retired"),
                name="one_active_and_one_next_key",
            )
        ]

    def __str__(self) -> str:
        return f"{self.algorithm} {self.kid[:8]}"
