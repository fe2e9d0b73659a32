from typing import Any

from django.db import migrations, models

from directory.trigram_index import trigram_index


def fill(apps: Any, schema_editor: Any) -> None:
    """Give the entries that are there what searches look at."""
    entries = apps.get_model("userflows", "SignIn")
    for entry in entries.objects.select_related("user_flow", "application", "user").iterator(chunk_size=1000):
        names = (entry.user and entry.user.display_name, entry.user_flow and entry.user_flow.name)
        words = (entry.mail, *names, entry.application and entry.application.name, entry.reason)
        entry.search_text = "\n".join(dict.fromkeys(str(word).lower() for word in words if word))
        entry.save(update_fields=["search_text"])


class Migration(migrations.Migration):
    dependencies = [
        ("directory", "0004_search_indexes"),
        ("userflows", "0003_publish_existing_flows"),
    ]

    operations = [
        migrations.AddField(
            model_name="signin",
            name="search_text",
            field=models.TextField(blank=True, default="", editable=False),
        ),
        migrations.AddIndex(
            model_name="signin",
            index=models.Index(fields=["tenant", "outcome", "-started_at"], name="sign_in_by_outcome_newest"),
        ),
        migrations.AddIndex(
            model_name="signin",
            index=models.Index(
                condition=models.Q(("is_test", True)), fields=["tenant", "-started_at"], name="sign_in_test_newest"
            ),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
        trigram_index("userflows_signin", "sign_in_search"),
    ]
