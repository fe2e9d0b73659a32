from django.db import models


class RateCounter(models.Model):
    """How often something was tried in one window of time. The key is a hash: no address is kept here."""

    key = models.CharField(max_length=64, primary_key=True)
    count = models.PositiveIntegerField(default=0)
    window_ends_at = models.DateTimeField(db_index=True)

    class Meta:
        verbose_name = "rate counter"

    def __str__(self) -> str:
        return self.key[:8]
