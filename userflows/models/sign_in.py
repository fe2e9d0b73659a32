from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from directory.models import Application, Tenant, User
from userflows.models.user_flow import UserFlow
from userflows.models.user_flow_version import UserFlowVersion


class Reached(models.IntegerChoices):
    """How far a person came: the steps of the funnel."""

    STARTED = 0, _("Opened the first page")
    ADDRESS_GIVEN = 1, _("Chose a way to sign in")
    PROVEN = 2, _("Proved who they are")
    ANSWERED = 3, _("Answered the questions")
    COMPLETED = 4, _("Finished")


class Outcome(models.TextChoices):
    IN_PROGRESS = "inProgress", _("Not finished")
    SIGNED_UP = "signedUp", _("Signed up")
    SIGNED_IN = "signedIn", _("Signed in")
    REFUSED = "refused", _("Refused")
    CANCELLED = "cancelled", _("Cancelled")


class SignIn(models.Model):
    """One line of the sign-in log: one journey, kept after it is gone (Graph `signIn`).

    `id` is the journey's. `mail` stands here once it is proven. `steps` are the things that happened, oldest first:
    {"at": ISO 8601, "step": …, "outcome": "done" or "refused", "reason": …}. Written by userflows.sign_in_log only.
    """

    id = models.UUIDField(primary_key=True, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="+")
    user_flow = models.ForeignKey(
        UserFlow, verbose_name=_("user flow"), null=True, on_delete=models.SET_NULL, related_name="+"
    )
    flow_version = models.ForeignKey(
        UserFlowVersion, verbose_name=_("version"), null=True, on_delete=models.SET_NULL, related_name="+"
    )
    application = models.ForeignKey(
        Application, verbose_name=_("application"), null=True, on_delete=models.SET_NULL, related_name="+"
    )
    user = models.ForeignKey(User, verbose_name=_("person"), null=True, on_delete=models.SET_NULL, related_name="+")
    mail = models.CharField(_("email address"), max_length=254, blank=True)
    identity_provider = models.CharField(_("identity provider"), max_length=255, blank=True)
    reached = models.PositiveSmallIntegerField(_("came as far as"), choices=Reached, default=Reached.STARTED)
    outcome = models.CharField(_("outcome"), max_length=10, choices=Outcome, default=Outcome.IN_PROGRESS)
    reason = models.CharField(_("reason"), max_length=100, blank=True)
    correlation_id = models.UUIDField(_("correlation ID"))
    started_at = models.DateTimeField(_("time"), default=timezone.now)
    ended_at = models.DateTimeField(_("ended"), null=True)
    is_test = models.BooleanField(_("test run"), default=False)
    steps = models.JSONField(_("steps"), default=list)
    # What a search looks at, in lower case: who, the names of user flow and application, reason, identity provider.
    search_text = models.TextField(blank=True, default="", editable=False)

    class Meta:
        verbose_name = _("sign-in")
        verbose_name_plural = _("sign-ins")
        indexes = [
            models.Index(fields=("tenant", "-started_at"), name="sign_in_by_tenant_newest"),
            models.Index(fields=("tenant", "user_flow", "-started_at"), name="sign_in_by_flow_newest"),
            models.Index(fields=("tenant", "application", "-started_at"), name="sign_in_by_app_newest"),
            models.Index(fields=("tenant", "correlation_id"), name="sign_in_by_correlation"),
            models.Index(fields=("tenant", "mail"), name="sign_in_by_mail"),
            models.Index(fields=("user", "-started_at"), name="sign_in_by_user_newest"),
            models.Index(fields=("tenant", "outcome", "-started_at"), name="sign_in_by_outcome_newest"),
            models.Index(
                fields=("tenant", "-started_at"), condition=models.Q(is_test=True), name="sign_in_test_newest"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.mail or _('Unknown person')} · {self.started_at:%Y-%m-%d %H:%M}"
