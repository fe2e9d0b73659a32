from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from directory.models.application import Application
from directory.models.user import User


class AppRoleAssignment(models.Model):
    """The person may use the application (Graph `appRoleAssignment`, the default access)."""

    user = models.ForeignKey(
        User, verbose_name=_("user"), on_delete=models.CASCADE, related_name="app_role_assignments"
    )
    application = models.ForeignKey(
        Application, verbose_name=_("application"), on_delete=models.CASCADE, related_name="app_role_assignments"
    )
    created_at = models.DateTimeField(_("since"), auto_now_add=True)

    class Meta:
        verbose_name = _("application assignment")
        verbose_name_plural = _("applications of this person")
        constraints = [models.UniqueConstraint(fields=("user", "application"), name="app_assigned_once_for_each_user")]

    def __str__(self) -> str:
        return str(self.application)

    def clean(self) -> None:
        user, application = getattr(self, "user", None), getattr(self, "application", None)
        if user and application and user.tenant_id != application.tenant_id:
            raise ValidationError({"application": _("Choose one of this tenant.")})
