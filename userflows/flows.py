"""The verbs on user flows."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils.translation import gettext as _

from directory import audit
from directory.models import Application, DataType, IdentityProvider, UserAttribute
from userflows.models import (
    ApplicationAssignment,
    AttributeAssignment,
    IdentityProviderAssignment,
    InputType,
    UserFlow,
)
from userflows.questions import Choice

PLAIN_INPUTS = {
    DataType.STRING: InputType.TEXT,
    DataType.BOOLEAN: InputType.CHECKBOX,
    DataType.INT: InputType.NUMBER,
}


@dataclass(frozen=True)
class NewQuestion:
    """A question for a new flow, by the name of its attribute. Without an `input_type` it is what fits the data."""

    attribute_name: str
    input_type: InputType | None = None
    required: bool = True
    label: str = ""
    hint: str = ""
    choices: list[Choice] = field(default_factory=list)


@transaction.atomic
def create_user_flow(
    user_flow: UserFlow, *, questions: Sequence[NewQuestion] = (), actor: models.Model | None = None
) -> UserFlow:
    """Save a new flow that asks `questions` in their order, with every way to sign in that the tenant has.

    It is a draft until it is published. Raises ValidationError.
    """
    user_flow.full_clean()
    user_flow.save(force_insert=True)
    offer_all_ways(user_flow)
    attributes = {attribute.name: attribute for attribute in UserAttribute.objects.filter(tenant=user_flow.tenant)}
    for order, question in enumerate(questions):
        if question.attribute_name not in attributes:
            raise ValidationError(_("This tenant has no attribute %(name)s."), params={"name": question.attribute_name})
        attribute = attributes[question.attribute_name]
        assignment = AttributeAssignment(
            user_flow=user_flow,
            user_attribute=attribute,
            order=order,
            label=question.label,
            hint=question.hint,
            required=question.required,
            input_type=question.input_type or PLAIN_INPUTS[DataType(attribute.data_type)],
            choices=question.choices,
        )
        assignment.full_clean()
        assignment.save()
    audit.record(
        "user_flow.created",
        tenant=user_flow.tenant,
        actor=actor,
        target=user_flow,
        details={"questions": [question.attribute_name for question in questions]},
    )
    return user_flow


def offer_all_ways(user_flow: UserFlow) -> None:
    """Let the draft offer every identity provider that the tenant has switched on."""
    providers = IdentityProvider.objects.filter(tenant=user_flow.tenant_id, is_enabled=True)
    IdentityProviderAssignment.objects.bulk_create(
        IdentityProviderAssignment(user_flow=user_flow, identity_provider=provider, order=order)
        for order, provider in enumerate(providers)
    )


@transaction.atomic
def assign_application(
    user_flow: UserFlow, application: Application, *, actor: models.Model | None = None
) -> ApplicationAssignment:
    """Let an application use the flow. Raises ValidationError: first-party, another flow's, another tenant's."""
    assignment = ApplicationAssignment(user_flow=user_flow, application=application)
    assignment.full_clean()
    assignment.save(force_insert=True)
    audit.record(
        "application.assigned",
        tenant=user_flow.tenant,
        actor=actor,
        target=application,
        details={"user_flow": user_flow.name},
    )
    return assignment


@transaction.atomic
def unassign_application(assignment: ApplicationAssignment, *, actor: models.Model | None = None) -> None:
    """Take an application out of its flow: it can still sign people in, but nobody signs up through it."""
    audit.record(
        "application.unassigned",
        tenant=assignment.user_flow.tenant,
        actor=actor,
        target=assignment.application,
        details={"user_flow": assignment.user_flow.name},
    )
    assignment.delete()
