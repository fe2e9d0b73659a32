from typing import Any

from django.db import migrations
from django.utils import timezone

from directory.attributes import BY_NAME, CUSTOM_STRING_MAX_LENGTH


def publish(apps: Any, schema_editor: Any) -> None:
    """Until now every edit was live at once: what stands there becomes version 1."""
    flows = apps.get_model("userflows", "UserFlow")
    versions = apps.get_model("userflows", "UserFlowVersion")
    offers = apps.get_model("userflows", "IdentityProviderAssignment")
    providers = apps.get_model("directory", "IdentityProvider")
    for flow in flows.objects.iterator(chunk_size=1000):
        provider = providers.objects.get(tenant=flow.tenant_id, kind="EmailOTP")
        offers.objects.create(user_flow=flow, identity_provider=provider)
        assignments = flow.attribute_assignments.select_related("user_attribute").order_by("order", "pk")
        questions = [_question(assignment) for assignment in assignments]
        definition = {
            "heading": "",
            "introduction": "",
            "ways": [{"id": str(provider.pk), "kind": provider.kind, "name": provider.name}],
            "pages": [{"heading": "", "questions": questions}] if questions else [],
            "admission": "anyone",
            "domains": [],
            "languages": [],
        }
        flow.live_version = versions.objects.create(user_flow=flow, number=1, definition=definition)
        flow.live_version.attributes.set(assignment.user_attribute_id for assignment in assignments)
        flow.save(update_fields=["live_version"])
    # Journeys in progress have no definition: their people are told that the page expired, and start again.
    apps.get_model("userflows", "Journey").objects.filter(completed_at=None).update(expires_at=timezone.now())


def _question(assignment: Any) -> dict[str, Any]:
    attribute = assignment.user_attribute
    built_in = BY_NAME.get(attribute.name) if attribute.attribute_type == "builtIn" else None
    return {
        "name": attribute.name,
        "label": assignment.label or attribute.display_name,
        "hint": assignment.hint,
        "required": assignment.required,
        "input_type": assignment.input_type,
        "data_type": attribute.data_type,
        "max_length": built_in.max_length if built_in else CUSTOM_STRING_MAX_LENGTH,
        "autocomplete": built_in.autocomplete if built_in else attribute.autocomplete,
        "choices": assignment.choices,
    }


class Migration(migrations.Migration):
    dependencies = [
        ("userflows", "0002_versions_and_log"),
        ("directory", "0003_fill_providers_and_search"),
    ]

    operations = [migrations.RunPython(publish, migrations.RunPython.noop)]
