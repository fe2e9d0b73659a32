import uuid

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from directory.models import Tenant

NAME_PREFIX = "B2X_1_"


class UserFlow(models.Model):
    """How people sign up: what is asked of them, for the applications assigned to it (Graph `b2xIdentityUserFlow`)."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    tenant = models.ForeignKey(
        Tenant, verbose_name=_("tenant"), on_delete=models.CASCADE, related_name="user_flows", editable=False
    )
    name = models.CharField(
        _("name"),
        max_length=70,
        validators=[
            RegexValidator(r"\A[A-Za-z0-9_]{1,70}\Z", _("Use letters, digits and underscores, no spaces or hyphens."))
        ],
        help_text=_("Part of the flow's URL; it begins with B2X_1_ (added for you) and can never be changed."),
    )
    sign_up_enabled = models.BooleanField(
        _("new people can sign up"),
        default=True,
        help_text=_("Off: only people who already have an account can sign in."),
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("user flow")
        verbose_name_plural = _("user flows")
        ordering = ("name",)
        constraints = [
            models.UniqueConstraint(
                "tenant",
                Lower("name"),
                name="user_flow_name_unique_in_tenant",
                violation_error_message=_("This tenant has a user flow with this name."),
            ),
            models.CheckConstraint(condition=models.Q(name__startswith=NAME_PREFIX), name="user_flow_name_has_prefix"),
        ]

    def __str__(self) -> str:
        return self.name

    def clean_fields(self, exclude: object = None) -> None:
        own = self.name[len(NAME_PREFIX) :] if self.name.upper().startswith(NAME_PREFIX) else self.name
        self.name = NAME_PREFIX + own if own else ""
        super().clean_fields(exclude=exclude)  # type: ignore[arg-type]

    def clean(self) -> None:
        if UserFlow.objects.filter(pk=self.pk).exclude(name=self.name).exists():
            raise ValidationError({"name": _("The name can never be changed: tokens and applications carry it.")})
