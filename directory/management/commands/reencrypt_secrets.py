from typing import Any

from django.apps import apps
from django.db import models

from directory.encryption import EncryptedTextField
from directory.management.verb_command import VerbCommand


class Command(VerbCommand):
    help = "Seal every secret anew with the first key of ENCRYPTION_KEYS. Then the other keys can be removed."

    def run(self, options: dict[str, Any]) -> dict[str, Any]:
        return {
            f"{model._meta.label}.{field.name}": reencrypt(model, field.name)
            for model in apps.get_models()
            for field in model._meta.local_fields
            if isinstance(field, EncryptedTextField)
        }


def reencrypt(model: type[models.Model], field_name: str) -> int:
    """Save the column again in every row; opening takes whichever key sealed it. Returns the number of rows."""
    count = 0
    for instance in model._default_manager.exclude(**{f"{field_name}__isnull": True}).iterator(chunk_size=500):
        instance.save(update_fields=[field_name])
        count += 1
    return count
