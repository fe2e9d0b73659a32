from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from directory.models import Application, ApplicationKind
from userflows.models.user_flow import UserFlow


class ApplicationAssignment(models.Model):
    """The application uses the flow. A flow serves many applications, an application has at most one flow."""

    user_flow = models.ForeignKey(
        UserFlow, verbose_name=_("user flow"), on_delete=models.CASCADE, related_name="application_assignments"
    )
    application = models.OneToOneField(
        Application,
        verbose_name=_("application"),
        on_delete=models.CASCADE,
        related_name="flow_assignment",
        error_messages={"unique": _("This application uses a user flow already. An application has at most one.")},
    )
    created_at = models.DateTimeField(_("since"), auto_now_add=True)

    class Meta:
        verbose_name = _("linked application")
        verbose_name_plural = _("linked applications")

    def __str__(self) -> str:
        return str(self.application)

    def clean(self) -> None:
        if getattr(self, "application", None) is None:
            return
        if self.application.tenant_id != self.user_flow.tenant_id:
            raise ValidationError({"application": _("Choose one of this tenant.")})
        if self.application.is_first_party:
            raise ValidationError(
                {"application": _("A user flow can't be used with a first-party application. Choose one of your own.")}
            )
        if self.application.kind == ApplicationKind.DAEMON:
            raise ValidationError({"application": _("A daemon has no people who could sign up to it.")})
