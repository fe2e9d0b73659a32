import uuid

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from directory.email_domains import Admission, split_domains
from directory.identity_provider_settings import SETTINGS
from directory.models import Tenant

NAME_PREFIX = "B2X_1_"


class UserFlow(models.Model):
    """How people sign up: what is asked of them, for the applications assigned to it (Graph `b2xIdentityUserFlow`).

    This row, its questions and its ways to sign in are the draft. What people meet is `live_version`, a copy of the
    draft at the time it was published (userflows.publishing).
    """

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
    description = models.CharField(
        _("description"), max_length=250, blank=True, help_text=_("A note for administrators. People don't see it.")
    )
    # Works at once, unlike the draft below: whoever needs to stop sign-up can't wait for a publish.
    sign_up_enabled = models.BooleanField(
        _("new people can sign up"),
        default=True,
        help_text=_("Off: only people who already have an account can sign in."),
    )
    heading = models.CharField(
        _("heading"), max_length=100, blank=True, help_text=_("Empty: “Create your account or sign in”.")
    )
    introduction = models.TextField(
        _("text"),
        max_length=500,
        blank=True,
        help_text=_("Below the heading. Empty: “You need an account to use …” with the application's name."),
    )
    admission = models.CharField(_("who can sign up"), max_length=20, choices=Admission, default=Admission.ANYONE)
    domains = models.TextField(
        _("email domains"),
        blank=True,
        help_text=_("One on each line: fabrikam.com. A domain stands for its subdomains too."),
    )
    languages = models.JSONField(_("languages"), default=list, blank=True)
    # Of the e-mail code, where the flow wants it otherwise than the tenant's identity provider says.
    code_length = models.PositiveSmallIntegerField(
        _("digits of the code"),
        null=True,
        blank=True,
        choices=[(digits, str(digits)) for digits in range(6, 11)],
        help_text=_("Empty: as the identity provider “Email one-time code” says."),
    )
    code_minutes = models.PositiveSmallIntegerField(
        _("minutes that a code works"),
        null=True,
        blank=True,
        validators=[MinValueValidator(5), MaxValueValidator(60)],
        help_text=_("From 5 to 60. Empty: as the identity provider says."),
    )
    code_sender = models.CharField(
        _("sender's name"), max_length=60, blank=True, help_text=_("Of mail with codes. Empty: as the provider says.")
    )
    # Counts the saves of the draft: a page that was opened before the last one may not overwrite it.
    revision = models.PositiveIntegerField(default=0, editable=False)
    live_version = models.ForeignKey(
        "UserFlowVersion", null=True, on_delete=models.SET_NULL, related_name="live_in", editable=False
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
        try:
            self.code_sender = SETTINGS["sender_name"].check(self.code_sender)
        except ValidationError as error:
            raise ValidationError({"code_sender": error}) from error
        self.domains = "\n".join(split_domains(self.domains))
        if self.admission != Admission.ANYONE and not self.domains:
            raise ValidationError({"domains": _("Name at least one email domain.")})
