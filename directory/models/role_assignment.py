from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from directory.models.user import User
from directory.roles import Role


class RoleAssignment(models.Model):
    """A member's role in their own tenant. What it allows stands in directory.roles."""

    user = models.ForeignKey(User, verbose_name=_("user"), on_delete=models.CASCADE, related_name="role_assignments")
    role = models.CharField(_("role"), max_length=40, choices=Role)
    created_at = models.DateTimeField(_("since"), auto_now_add=True)

    class Meta:
        verbose_name = _("role assignment")
        verbose_name_plural = _("roles")
        constraints = [
            models.UniqueConstraint(
                fields=("user", "role"),
                name="role_once_for_each_user",
                violation_error_message=_("This person has this role already."),
            )
        ]

    def __str__(self) -> str:
        return str(Role(self.role).label)

    def clean(self) -> None:
        user = getattr(self, "user", None)
        if user is None:
            return
        if user.is_guest:
            raise ValidationError(_("Roles are for members. Guests only use applications."))
        if user.tenant_id is None:
            raise ValidationError(_("Roles are for members of a tenant. Operators need none."))
