from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models

from directory.models.tenant import Tenant
from directory.models.user import User


class Session(AbstractBaseSession):
    """One signed-in browser. `session_key` is the SHA-256 of the cookie's value, so a stolen table opens no session."""

    session_key = models.CharField(max_length=64, primary_key=True)
    tenant = models.ForeignKey(Tenant, null=True, on_delete=models.CASCADE, related_name="sessions")
    user = models.ForeignKey(User, null=True, on_delete=models.CASCADE, related_name="sessions")
    signed_in_at = models.DateTimeField(null=True)
    last_seen_at = models.DateTimeField(null=True)
    user_agent = models.CharField(max_length=300, blank=True, default="")
    address = models.GenericIPAddressField(null=True)

    class Meta:
        verbose_name = "session"
        verbose_name_plural = "sessions"
