from django.db import models

from directory.models import IdentityProvider


class ProviderDocument(models.Model):
    """What a provider published when it was last reached: its discovery document, its keys. The last good copy."""

    identity_provider = models.ForeignKey(IdentityProvider, on_delete=models.CASCADE, related_name="+")
    url = models.CharField(max_length=500)
    content = models.JSONField()
    fetched_at = models.DateTimeField()

    class Meta:
        verbose_name = "provider document"
        constraints = [
            models.UniqueConstraint(fields=("identity_provider", "url"), name="provider_document_once"),
        ]

    def __str__(self) -> str:
        return self.url
