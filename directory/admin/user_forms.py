from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from directory.admin.scoping import TenantForm
from directory.models import Identity
from directory.models.identity import MAIL_ISSUER
from directory.roles import Role


class UserForm(TenantForm):
    roles = forms.MultipleChoiceField(
        label=_("Roles"),
        choices=Role.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Without a role, a member can use applications but not open these pages."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "roles" in self.fields and not self.instance._state.adding:
            self.initial["roles"] = [assignment.role for assignment in self.instance.role_assignments.all()]


class MemberForm(UserForm):
    """A new member. They set their password themselves, by a one-time link."""

    def clean_mail(self) -> str:
        mail = str(self.cleaned_data["mail"])
        identities = Identity.objects.filter(tenant=self.instance.tenant, issuer=MAIL_ISSUER)
        if identities.filter(issuer_assigned_id=mail.lower()).exists():
            raise ValidationError(_now("Somebody in this tenant signs in with this email address."))
        return mail
