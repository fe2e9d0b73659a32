import re
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from directory.models import DataType, UserAttribute
from userflows.models.user_flow import UserFlow


class InputType(models.TextChoices):
    """How a question is put (Graph identityUserFlowAttributeInputType; phone and country are ours)."""

    TEXT = "textBox", _("Text")
    EMAIL = "emailBox", _("Email address")
    NUMBER = "numericTextBox", _("Number")
    PHONE = "phoneBox", _("Phone number")
    COUNTRY = "countryDropdown", _("Country list")
    DROPDOWN = "dropdownSingleSelect", _("Dropdown")
    RADIO = "radioSingleSelect", _("Radio buttons")
    CHECKBOX = "checkboxSingleSelect", _("Checkbox")
    CHECKBOXES = "checkboxMultiSelect", _("Several checkboxes")
    DATE = "dateTimeDropdown", _("Date")


CHOICE_INPUTS = frozenset({InputType.DROPDOWN, InputType.RADIO, InputType.CHECKBOXES})
INPUTS_BY_DATA_TYPE = {
    DataType.STRING: frozenset(InputType) - {InputType.NUMBER, InputType.CHECKBOX},
    DataType.BOOLEAN: frozenset({InputType.CHECKBOX}),
    DataType.INT: frozenset({InputType.NUMBER, InputType.DROPDOWN, InputType.RADIO}),
}
MAX_CHOICES = 300
INTEGER = re.compile(r"-?[0-9]{1,18}")


class AttributeAssignment(models.Model):
    """A question of a user flow: one attribute, its place and how it is asked."""

    user_flow = models.ForeignKey(UserFlow, on_delete=models.CASCADE, related_name="attribute_assignments")
    user_attribute = models.ForeignKey(
        UserAttribute, verbose_name=_("attribute"), on_delete=models.PROTECT, related_name="attribute_assignments"
    )
    order = models.PositiveSmallIntegerField(_("order"), default=0)
    starts_page = models.BooleanField(
        _("start a new page here"),
        default=False,
        help_text=_("This question and those after it stand on a page of their own."),
    )
    page_heading = models.CharField(
        _("heading of the page"), max_length=100, blank=True, help_text=_("Empty: “Your details”.")
    )
    label = models.CharField(_("label"), max_length=200, blank=True, help_text=_("Empty: the attribute's own label."))
    hint = models.CharField(_("hint"), max_length=250, blank=True, help_text=_("A line below the label."))
    required = models.BooleanField(_("required"), default=True)
    input_type = models.CharField(_("input type"), max_length=30, choices=InputType, default=InputType.TEXT)
    choices = models.JSONField(
        _("choices"),
        default=list,
        blank=True,
        help_text=_(
            "For dropdown, radio buttons and several checkboxes: "
            '[{"name": "Shown", "value": "kept", "isDefault": false}]'
        ),
    )

    class Meta:
        verbose_name = _("question")
        verbose_name_plural = _("questions")
        ordering = ("order", "pk")
        constraints = [
            models.UniqueConstraint(
                fields=("user_flow", "user_attribute"),
                name="attribute_once_in_flow",
                violation_error_message=_("This flow asks for this attribute already."),
            )
        ]

    def __str__(self) -> str:
        return self.label or str(self.user_attribute)

    def clean(self) -> None:
        errors: dict[str, Any] = {}
        attribute = getattr(self, "user_attribute", None)
        if attribute is None:
            return
        if attribute.tenant_id != self.user_flow.tenant_id:
            errors["user_attribute"] = _("Choose one of this tenant.")
        elif attribute.name == "Email":
            errors["user_attribute"] = _("The email address is always asked for and checked first. Leave it out here.")
        if self.input_type not in INPUTS_BY_DATA_TYPE[DataType(attribute.data_type)]:
            errors["input_type"] = _("This input type doesn't fit the attribute's data type.")
        if self.input_type in CHOICE_INPUTS:
            problem = choices_problem(self.choices) or self._misfit(attribute)
            if problem:
                errors["choices"] = problem
        if errors:
            raise ValidationError(errors)

    def _misfit(self, attribute: UserAttribute) -> str:
        """Return why people could not choose one of the choices, or the directory not keep it."""
        values = [choice["value"] for choice in self.choices]
        if attribute.data_type == DataType.INT and not all(INTEGER.fullmatch(value) for value in values):
            return str(_("The values of an Int attribute are whole numbers, in digits."))
        if any(len(value) > attribute.max_length for value in values):
            return str(_("A value can have at most %(limit)d characters.") % {"limit": attribute.max_length})
        chosen = [choice for choice in self.choices if choice.get("isDefault")]
        if len(chosen) > 1 and self.input_type != InputType.CHECKBOXES:
            return str(_("Only one choice can be chosen beforehand."))
        return ""


def choices_problem(choices: Any) -> str:
    """Return what is wrong with a list of choices (Graph userAttributeValuesItem), "" when nothing is."""
    if choices == []:
        return str(_("Write at least one choice."))
    shape = _("Write a list of choices, each with a name, a value and, if it is chosen beforehand, isDefault.")
    if not isinstance(choices, list) or not 0 < len(choices) <= MAX_CHOICES:
        return str(shape)
    for choice in choices:
        if not isinstance(choice, dict) or not set(choice) <= {"name", "value", "isDefault"}:
            return str(shape)
        texts = (choice.get("name"), choice.get("value"))
        if not all(isinstance(text, str) and text.strip() for text in texts):
            return str(shape)
        if "," in choice["value"]:
            # Several ticked values are kept as one text, separated by commas (entra: multi-select values).
            return str(_("A value can't contain a comma."))
    values = [choice["value"] for choice in choices]
    if len(set(values)) < len(values):
        return str(_("Two choices have the same value."))
    return ""
