"""The questions of a flow as a journey keeps them: a snapshot, so that a changed flow doesn't break a journey."""

from typing import TypedDict

from userflows.models import UserFlow


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


def questions_of(user_flow: UserFlow) -> list[Question]:
    assignments = user_flow.attribute_assignments.select_related("user_attribute")
    return [
        Question(
            name=assignment.user_attribute.name,
            label=str(assignment),
            hint=assignment.hint,
            required=assignment.required,
            input_type=assignment.input_type,
            data_type=assignment.user_attribute.data_type,
            max_length=assignment.user_attribute.max_length,
            autocomplete=(
                assignment.user_attribute.built_in.autocomplete
                if assignment.user_attribute.built_in
                else assignment.user_attribute.autocomplete
            ),
            choices=assignment.choices,
        )
        for assignment in assignments
    ]
