from typing import Any

from django.db import migrations, models

from directory.trigram_index import create_trigram_extension, trigram_index


def fill(apps: Any, schema_editor: Any) -> None:
    """Give the events that are there what searches look at."""
    events = apps.get_model("directory", "AuditEvent")
    for event in events.objects.iterator(chunk_size=1000):
        words = (event.activity, event.reason, event.actor_name, event.target_name, event.details.get("mail"))
        text = "\n".join(dict.fromkeys(str(word).lower() for word in words if word))
        events.objects.filter(pk=event.pk).update(search_text=text)


class Migration(migrations.Migration):
    dependencies = [
        ("directory", "0003_fill_providers_and_search"),
    ]

    operations = [
        migrations.AddField(
            model_name="auditevent",
            name="search_text",
            field=models.TextField(blank=True, default="", editable=False),
        ),
        migrations.AddIndex(
            model_name="auditevent",
            index=models.Index(fields=["tenant", "activity", "-at"], name="audit_by_activity_newest"),
        ),
        migrations.AddIndex(
            model_name="auditevent",
            index=models.Index(fields=["tenant", "target_type", "-at"], name="audit_by_kind_newest"),
        ),
        migrations.AddIndex(
            model_name="auditevent",
            index=models.Index(
                condition=models.Q(("result", "failure")), fields=["tenant", "-at"], name="audit_failures_newest"
            ),
        ),
        migrations.AddIndex(
            model_name="auditevent",
            index=models.Index(
                condition=models.Q(("actor_type", "application")),
                fields=["tenant", "-at"],
                name="audit_by_applications_newest",
            ),
        ),
        migrations.AddIndex(
            model_name="user",
            index=models.Index(fields=["tenant", "user_type", "-created_at"], name="user_by_type_newest"),
        ),
        migrations.AddIndex(
            model_name="user",
            index=models.Index(
                condition=models.Q(("account_enabled", False)),
                fields=["tenant", "-created_at"],
                name="user_disabled_newest",
            ),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
        migrations.RunPython(create_trigram_extension, migrations.RunPython.noop),
        trigram_index("directory_user", "user_search"),
        trigram_index("directory_auditevent", "audit_search"),
    ]
