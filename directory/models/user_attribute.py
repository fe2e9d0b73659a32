import uuid
from collections.abc import Collection

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from directory.attributes import BY_NAME, CUSTOM_STRING_MAX_LENGTH, EXTENSION_PREFIX, BuiltInAttribute
from directory.models.tenant import Tenant
from directory.models.user import User


class AttributeType(models.TextChoices):
    """Graph identityUserFlowAttributeType."""

    BUILT_IN = "builtIn", _("Built-in")
    CUSTOM = "custom", _("Custom")


class DataType(models.TextChoices):
    """Graph identityUserFlowAttributeDataType, as far as the sign-up pages collect it."""

    STRING = "string", _("String")
    BOOLEAN = "boolean", _("Boolean")
    INT = "int64", _("Int")


class UserAttribute(models.Model):
    """Something that may be asked of a person and kept (Graph `identityUserFlowAttribute`).

    Built-in ones fill a column of User, custom ones (`extension_…`) an entry of User.extension_values.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="user_attributes", editable=False)
    name = models.CharField(
        _("name"),
        max_length=80,
        validators=[RegexValidator(r"\A[A-Za-z][A-Za-z0-9_]*\Z", _("Use letters, digits and underscores, no spaces."))],
        help_text=_(
            "The name of the claim in tokens. A custom attribute's begins with extension_; it can't be changed."
        ),
    )
    display_name = models.CharField(_("label"), max_length=100, help_text=_("The question, as people see it."))
    description = models.CharField(
        _("description"), max_length=250, blank=True, help_text=_("A note for administrators. People don't see it.")
    )
    data_type = models.CharField(_("data type"), max_length=10, choices=DataType, default=DataType.STRING)
    attribute_type = models.CharField(
        _("kind"), max_length=10, choices=AttributeType, default=AttributeType.CUSTOM, editable=False
    )
    autocomplete = models.CharField(
        _("autofill"),
        max_length=40,
        blank=True,
        choices=[
            ("organization", _("Company name")),
            ("organization-title", _("Job title")),
            ("tel", _("Phone number")),
            ("url", _("Web address")),
            ("bday", _("Date of birth")),
        ],
        help_text=_("What the browser may fill in by itself."),
    )

    class Meta:
        verbose_name = _("user attribute")
        verbose_name_plural = _("user attributes")
        ordering = ("attribute_type", "display_name")
        constraints = [
            models.UniqueConstraint(
                "tenant",
                Lower("name"),
                name="attribute_name_unique_in_tenant",
                violation_error_message=_("This tenant has an attribute with this name."),
            )
        ]

    def __str__(self) -> str:
        return self.display_name

    @property
    def built_in(self) -> BuiltInAttribute | None:
        return BY_NAME.get(self.name) if self.attribute_type == AttributeType.BUILT_IN else None

    @property
    def claim(self) -> str:
        """The name under which the value stands in tokens."""
        return self.built_in.claim if self.built_in else self.name

    @property
    def max_length(self) -> int:
        return self.built_in.max_length if self.built_in else CUSTOM_STRING_MAX_LENGTH

    def clean_fields(self, exclude: Collection[str] | None = None) -> None:
        """A custom attribute's name gets its prefix before its length is looked at."""
        if self.attribute_type == AttributeType.CUSTOM and self.name:
            own = self.name[len(EXTENSION_PREFIX) :] if self.name.lower().startswith(EXTENSION_PREFIX) else self.name
            self.name = EXTENSION_PREFIX + own if own else ""
        super().clean_fields(exclude=exclude)

    @property
    def data_type_is_fixed(self) -> bool:
        """Questions, published versions (whatever points here) and people's values are of this type."""
        if self.attribute_type == AttributeType.BUILT_IN or self.is_referred_to:
            return True
        return bool(User.objects.filter(tenant=self.tenant_id, extension_values__has_key=self.name).exists())

    @property
    def is_referred_to(self) -> bool:
        rows = (getattr(self, str(relation.get_accessor_name())) for relation in self._meta.related_objects)
        return any(bool(related.exists()) for related in rows)

    def clean(self) -> None:
        before = UserAttribute.objects.filter(pk=self.pk).first()
        if before is None:
            return
        if before.name != self.name:
            raise ValidationError({"name": _("The name can't be changed: tokens and people's values carry it.")})
        if before.data_type != self.data_type and self.data_type_is_fixed:
            raise ValidationError(
                {"data_type": _("The data type can't be changed any more: questions or people's values are of it.")}
            )
