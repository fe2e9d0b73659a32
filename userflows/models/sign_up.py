from django.db import models
from django.utils.translation import gettext_lazy as _

from directory.models import Application, Tenant, User
from userflows.models.user_flow import UserFlow
from userflows.models.user_flow_version import UserFlowVersion


class SignUp(models.Model):
    """Why a guest exists: the journey, flow version, application and provider that they came by. Kept as long as they.

    `user_flow_name` and `application_name` outlive flow and application. `journey_id` is the SignIn's too.
    """

    user = models.OneToOneField(User, primary_key=True, on_delete=models.CASCADE, related_name="sign_up")
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="+")
    user_flow = models.ForeignKey(
        UserFlow, verbose_name=_("user flow"), null=True, on_delete=models.SET_NULL, related_name="sign_ups"
    )
    user_flow_name = models.CharField(max_length=70, blank=True)
    flow_version = models.ForeignKey(
        UserFlowVersion, verbose_name=_("version"), null=True, on_delete=models.SET_NULL, related_name="sign_ups"
    )
    version_number = models.PositiveIntegerField(_("version"), null=True)
    application = models.ForeignKey(
        Application, verbose_name=_("application"), null=True, on_delete=models.SET_NULL, related_name="sign_ups"
    )
    application_name = models.CharField(max_length=100, blank=True)
    identity_provider = models.CharField(_("identity provider"), max_length=255)
    journey_id = models.UUIDField()
    correlation_id = models.UUIDField(_("correlation ID"))
    created_at = models.DateTimeField(_("signed up"), auto_now_add=True)

    class Meta:
        verbose_name = _("sign-up")
        verbose_name_plural = _("sign-ups")
        indexes = [
            models.Index(fields=("user_flow", "-created_at"), name="sign_up_by_flow_newest"),
            models.Index(fields=("application", "-created_at"), name="sign_up_by_app_newest"),
            models.Index(fields=("tenant", "identity_provider", "-created_at"), name="sign_up_by_provider_newest"),
        ]

    def __str__(self) -> str:
        return str(self.user_id)
