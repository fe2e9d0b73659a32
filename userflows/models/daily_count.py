from django.db import models

from directory.models import Tenant
from userflows.models.user_flow import UserFlow


class DailyCount(models.Model):
    """How many journeys of one (UTC) day came how far, for one flow: what outlives the sign-in log.

    Each number counts those who came at least so far; test runs are left out.
    """

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="+")
    user_flow = models.ForeignKey(UserFlow, on_delete=models.CASCADE, related_name="+")
    day = models.DateField()
    started = models.PositiveIntegerField(default=0)
    address_given = models.PositiveIntegerField(default=0)
    proven = models.PositiveIntegerField(default=0)
    answered = models.PositiveIntegerField(default=0)
    signed_up = models.PositiveIntegerField(default=0)
    signed_in = models.PositiveIntegerField(default=0)
    refused = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = "daily count"
        constraints = [models.UniqueConstraint(fields=("tenant", "user_flow", "day"), name="one_count_for_each_day")]

    def __str__(self) -> str:
        return f"{self.day} {self.user_flow_id}"
