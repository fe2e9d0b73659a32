import json
import uuid
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

from django.db import models
from django.utils import timezone

from directory.encryption import EncryptedTextField
from directory.models import IdentityProvider, Tenant, User
from userflows.models.journey import Journey

LIFETIME = timedelta(minutes=15)


def default_expiry() -> datetime:
    return timezone.now() + LIFETIME


class Handshake(models.Model):
    """One trip to an identity provider and back: what was asked there, so that only its own answer counts.

    It belongs to a journey or to an administrator's test of the connection. `state_hash` is the SHA-256 of what travels
    as `state` or RelayState; `secrets` seals the rest: nonce, code_verifier (RFC 7636), request_id (SAML).
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="+")
    identity_provider = models.ForeignKey(IdentityProvider, on_delete=models.CASCADE, related_name="+")
    journey = models.ForeignKey(Journey, null=True, on_delete=models.CASCADE, related_name="handshakes")
    tested_by = models.ForeignKey(User, null=True, on_delete=models.CASCADE, related_name="+")
    browser_hash = models.CharField(max_length=64)
    state_hash = models.CharField(max_length=64, unique=True)
    kept = EncryptedTextField(blank=True, default="")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(default=default_expiry, db_index=True)
    # An answer counts once.
    used_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "handshake"

    def __str__(self) -> str:
        return str(self.id)

    @property
    def secrets(self) -> dict[str, Any]:
        return dict(json.loads(self.kept)) if self.kept else {}

    def keep(self, **secrets: Any) -> None:
        """Add to `secrets`. The caller saves."""
        self.kept = json.dumps(self.secrets | secrets)

    @property
    def wants_sign_in_anew(self) -> bool:
        """An application that wants its person to sign in anew wants it at the provider, too (prompt=login; max_age=0
        means the same)."""
        if self.journey is None:
            return False
        asked = parse_qs(urlsplit(self.journey.return_path).query)
        return "login" in " ".join(asked.get("prompt", [])).split() or asked.get("max_age") == ["0"]

    @property
    def is_expired(self) -> bool:
        return self.expires_at <= timezone.now()
