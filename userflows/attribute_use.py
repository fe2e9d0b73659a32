"""Which user flows use an attribute, and the verb that has to know: deleting one."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext as _

from directory import audit
from directory.models import AttributeType, UserAttribute
from userflows.models import AttributeAssignment, UserFlow, UserFlowVersion

# What is kept in the log of an attribute that was deleted.
KEPT = ("name", "display_name", "description", "data_type", "autocomplete")


def flows_that_use(attribute: UserAttribute) -> models.QuerySet[Any]:
    """Return the flows that ask for it, each with `in_draft` and `is_live`: where it asks."""
    asked = AttributeAssignment.objects.filter(user_flow=OuterRef("pk"), user_attribute=attribute)
    published = UserFlowVersion.attributes.through.objects.filter(
        userflowversion=OuterRef("live_version"), userattribute=attribute
    )
    flows = UserFlow.objects.filter(tenant=attribute.tenant_id)
    flows = flows.annotate(in_draft=Exists(asked), is_live=Exists(published))
    return flows.filter(Q(in_draft=True) | Q(is_live=True)).order_by("name")


def why_kept(user_flow: Any) -> str:
    """Return why an attribute can't be deleted because of one of `flows_that_use` it."""
    if not user_flow.is_live:
        reason = _("The user flow %(name)s asks for it. Remove the question there first.")
    elif user_flow.in_draft:
        reason = _("The user flow %(name)s asks for it. Remove the question there and publish the flow first.")
    else:
        reason = _("The user flow %(name)s asks for it until it is published without the question. Publish it first.")
    return reason % {"name": user_flow.name}


@transaction.atomic
def delete_attribute(attribute: UserAttribute, *, actor: models.Model | None = None) -> None:
    """Delete a custom attribute that no flow uses, neither in its draft nor live. People's values stay.

    Raises ValidationError.
    """
    attribute = UserAttribute.objects.select_for_update(of=("self",)).select_related("tenant").get(pk=attribute.pk)
    if attribute.attribute_type == AttributeType.BUILT_IN:
        raise ValidationError(_("Every tenant has the built-in attributes: they can't be deleted."))
    reasons = [why_kept(user_flow) for user_flow in flows_that_use(attribute)]
    if reasons:
        raise ValidationError(reasons)
    audit.record(
        "user_attribute.deleted",
        tenant=attribute.tenant,
        actor=actor,
        target=attribute,
        details={"before": {name: getattr(attribute, name) for name in KEPT}},
    )
    attribute.delete()
