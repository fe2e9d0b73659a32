"""A question as a definition keeps it: a copy, so that what is changed later doesn't break a journey."""

from typing import TypedDict

from userflows.models import AttributeAssignment


class Choice(TypedDict):
    name: str
    value: str
    isDefault: bool


class Question(TypedDict):
    """One question: `name` is the attribute's, `input_type` an InputType, `max_length` in characters."""

    name: str
    label: str
    hint: str
    required: bool
    input_type: str
    data_type: str
    max_length: int
    autocomplete: str
    choices: list[Choice]


def question_of(assignment: AttributeAssignment) -> Question:
    attribute = assignment.user_attribute
    return Question(
        name=attribute.name,
        label=str(assignment),
        hint=assignment.hint,
        required=assignment.required,
        input_type=assignment.input_type,
        data_type=attribute.data_type,
        max_length=attribute.max_length,
        autocomplete=attribute.built_in.autocomplete if attribute.built_in else attribute.autocomplete,
        choices=assignment.choices,
    )
