"""The form of one question of a flow, and of all of them in their order."""

from collections.abc import Callable, Iterable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.functional import cached_property
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from directory.admin.pages import PlainModelForm
from directory.custom_attributes import propose_attribute
from directory.models import DataType, UserAttribute
from userflows.admin.choices_field import ChoicesField
from userflows.models import AttributeAssignment, InputType, UserFlow
from userflows.models.attribute_assignment import CHOICE_INPUTS, INPUTS_BY_DATA_TYPE

PREFIX = "attribute_assignments"
NEW = "new"
MAX_QUESTIONS = 100
COPIED = ("label", "hint", "required", "input_type", "choices", "starts_page", "page_heading")
DATA_TYPES = [
    (DataType.STRING, _("Text")),
    (DataType.BOOLEAN, _("Yes or no")),
    (DataType.INT, _("Whole number")),
]


class AttributeSelect(forms.Select):
    """Tells the script of the page which data type and label each attribute has: data-type, data-label."""

    attributes: dict[str, UserAttribute] = {}  # noqa: RUF012 - filled for each form

    def create_option(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        option: dict[str, Any] = super().create_option(*args, **kwargs)
        attribute = self.attributes.get(str(option["value"]))
        if attribute:
            option["attrs"] |= {"data-type": attribute.data_type, "data-label": attribute.display_name}
        return option


class QuestionForm(PlainModelForm):
    """`attributes` are the tenant's, by id. With `may_add` a new one can be made in place, out of label and type."""

    user_attribute = forms.ChoiceField(
        label=_("What to ask"),
        error_messages={"required": _("Choose what to ask.")},
        widget=AttributeSelect,
    )
    data_type = forms.ChoiceField(
        label=_("Answers are"),
        choices=DATA_TYPES,
        initial=DataType.STRING,
        required=False,
        help_text=_("For the new attribute. It can't be changed once people have answered."),
    )
    choices = ChoicesField()
    order = forms.IntegerField(label=_("Place"), required=False, min_value=0, max_value=10_000)

    class Meta:
        model = AttributeAssignment
        fields = ("label", "hint", "required", "input_type", "choices", "starts_page", "page_heading")

    def __init__(
        self, *args: Any, user_flow: UserFlow, attributes: dict[str, UserAttribute], may_add: bool, **kwargs: Any
    ) -> None:
        super().__init__(*args, instance=AttributeAssignment(user_flow=user_flow), **kwargs)
        self.attributes, self.may_add = attributes, may_add
        self.new_attribute: UserAttribute | None = None
        field: Any = self.fields["user_attribute"]
        new = [(NEW, _now("A new attribute …"))] if may_add else []
        own = [(pk, str(attribute)) for pk, attribute in attributes.items()]
        field.choices = [("", _now("Choose …")), *new, *own]
        field.widget.attributes = attributes
        self.fields["label"].widget.attrs["placeholder"] = self.chosen.display_name if self.chosen else ""

    @property
    def chosen(self) -> UserAttribute | None:
        return self.attributes.get(str(self["user_attribute"].value() or ""))

    @property
    def title(self) -> str:
        """What the question is called in the list."""
        label = str(self["label"].value() or "").strip()
        return label or (self.chosen.display_name if self.chosen else _now("New question"))

    @property
    def shows_choices(self) -> bool:
        return self["input_type"].value() in CHOICE_INPUTS

    @property
    def kind(self) -> str:
        return str(dict(InputType.choices).get(self["input_type"].value(), ""))

    def has_changed(self) -> bool:
        """A row that names nothing is not there yet."""
        return any(str(self[name].value() or "").strip() for name in ("user_attribute", "label", "hint", "choices"))

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        attribute = self.attributes.get(values.get("user_attribute", ""))
        if values.get("user_attribute") == NEW:
            attribute = self.new_attribute = self._proposed(values)
        if attribute is not None:
            self.instance.user_attribute = attribute
        if values.get("input_type") not in CHOICE_INPUTS:
            values["choices"] = []
        return values

    def _proposed(self, values: dict[str, Any]) -> UserAttribute | None:
        label = values.get("label", "").strip()
        if not label:
            self.add_error("label", _now("Write the question: the new attribute is named after it."))
            return None
        try:
            data_type = DataType(values.get("data_type") or DataType.STRING)
            attribute = propose_attribute(tenant=self.instance.user_flow.tenant, label=label, data_type=data_type)
        except ValidationError as error:
            self.add_error("label", error.messages)
            return None
        # The attribute has it now, and the question needs none of its own.
        values["label"] = ""
        return attribute


class BaseQuestions(forms.BaseFormSet):  # type: ignore[type-arg]
    deletion_widget = forms.CheckboxInput

    def add_fields(self, form: Any, index: int | None) -> None:
        super().add_fields(form, index)
        form.fields["DELETE"].label = _("Remove this question")

    def clean(self) -> None:
        # Django takes a negative number for none: that would remove every question.
        if int(self.management_form.cleaned_data["TOTAL_FORMS"] or 0) < 0:
            raise ValidationError(_now("The questions were not sent as they should be. Open the page again."))
        seen: set[str] = set()
        for form in self._kept():
            attribute = getattr(form.instance, "user_attribute", None)
            if attribute is None:
                continue
            if attribute.name.lower() in seen:
                form.add_error("user_attribute", _now("This flow asks for this attribute already."))
            seen.add(attribute.name.lower())

    def _kept(self) -> list[QuestionForm]:
        return [form for form in self.forms if form.has_changed() and not self._should_delete_form(form)]  # type: ignore[attr-defined]

    def in_order(self) -> list[QuestionForm]:
        """Return the rows that are questions now, in the order of their numbers."""
        kept = self._kept()
        places = {id(form): place for place, form in enumerate(kept)}
        return sorted(kept, key=lambda form: (_number(form), places[id(form)]))

    @cached_property
    def inputs_by_data_type(self) -> dict[str, list[str]]:
        """For the script of the page."""
        return {data_type: sorted(inputs) for data_type, inputs in INPUTS_BY_DATA_TYPE.items()}

    @property
    def choice_inputs(self) -> list[str]:
        return sorted(CHOICE_INPUTS)


def _number(form: QuestionForm) -> int:
    number = form.cleaned_data.get("order") if hasattr(form, "cleaned_data") else None
    return MAX_QUESTIONS * 1000 if number is None else int(number)


Questions: Callable[..., Any] = forms.formset_factory(
    QuestionForm,
    formset=BaseQuestions,
    extra=0,
    can_delete=True,
    max_num=MAX_QUESTIONS,
    validate_max=True,
    absolute_max=MAX_QUESTIONS + 50,
)


def initial_of(questions: Iterable[AttributeAssignment]) -> list[dict[str, Any]]:
    return [
        {name: getattr(question, name) for name in COPIED}
        | {"user_attribute": str(question.user_attribute_id), "order": place}
        for place, question in enumerate(questions, start=1)
    ]
