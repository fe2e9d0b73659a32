from typing import Any

from django.db import migrations

SEARCHED = (
    *("mail", "display_name", "given_name", "surname", "job_title"),
    *("street_address", "postal_code", "city", "state", "country"),
)


def fill(apps: Any, schema_editor: Any) -> None:
    """Every tenant gets the built-in way to sign in; people get what searches look at."""
    tenants = apps.get_model("directory", "Tenant")
    providers = apps.get_model("directory", "IdentityProvider")
    providers.objects.bulk_create(
        providers(tenant=tenant, kind="EmailOTP", name="Email one-time code") for tenant in tenants.objects.all()
    )
    users = apps.get_model("directory", "User")
    for user in users.objects.iterator(chunk_size=1000):
        values = [getattr(user, name) for name in SEARCHED]
        values += [str(value) for value in user.extension_values.values() if not isinstance(value, bool)]
        user.search_text = "\n".join(value.lower() for value in values if value)
        user.save(update_fields=["search_text"])


class Migration(migrations.Migration):
    dependencies = [("directory", "0002_people_providers_retention")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
