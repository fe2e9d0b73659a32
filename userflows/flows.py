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
def move_application(
    user_flow: UserFlow, application: Application, *, actor: models.Model | None = None
) -> ApplicationAssignment:
    """Let an application use the flow, whichever it used before. Doing it twice does it once.

    Raises ValidationError: first-party, another tenant's.
    """
    # Of two administrators who move it at once, the second finds where the first has put it.
    application = Application.objects.select_for_update().get(pk=application.pk)
    before = ApplicationAssignment.objects.filter(application=application).select_related("user_flow").first()
    if before is None:
        return assign_application(user_flow, application, actor=actor)
    if before.user_flow_id == user_flow.pk:
        return before
    before.delete()
    assignment = ApplicationAssignment(user_flow=user_flow, application=application)
    assignment.full_clean()
    assignment.save(force_insert=True)
    audit.record(
        "application.moved",
        tenant=user_flow.tenant,
        actor=actor,
        target=application,
        details={"before": {"user_flow": before.user_flow.name}, "after": {"user_flow": user_flow.name}},
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


@transaction.atomic
def set_sign_up_enabled(user_flow: UserFlow, *, enabled: bool, actor: models.Model | None = None) -> None:
    """Let new people sign up through the flow, or stop that: at once, without a publish."""
    user_flow = UserFlow.objects.select_for_update(of=("self",)).select_related("tenant").get(pk=user_flow.pk)
    if user_flow.sign_up_enabled == enabled:
        return
    user_flow.sign_up_enabled = enabled
    user_flow.save(update_fields=["sign_up_enabled"])
    audit.record(
        "user_flow.resumed" if enabled else "user_flow.paused",
        tenant=user_flow.tenant,
        actor=actor,
        target=user_flow,
        details={"before": {"sign_up_enabled": not enabled}, "after": {"sign_up_enabled": enabled}},
    )
