from typing import Any

from django.apps import apps
from django.core.management.base import CommandError
from django.db import models, transaction
from django.db.models.functions import Cast

from directory.encryption import EncryptedTextField, UnsealError, sealing_key_id
from directory.management.verb_command import VerbCommand
from identity_portal.second_factor import seal_factors_anew


class Command(VerbCommand):
    help = (
        "Seal every secret anew with the first key of ENCRYPTION_KEYS. Then the other keys can be removed, "
        "as soon as the mail that was queued before is sent."
    )

    def run(self, options: dict[str, Any]) -> dict[str, Any]:
        answer, unopened = {}, []
        for model in apps.get_models():
            for field in model._meta.local_fields:
                if isinstance(field, EncryptedTextField):
                    name = f"{model._meta.label}.{field.name}"
                    answer[name], problems = reencrypt(model, field.name)
                    unopened += [f"{name}: {problem}" for problem in problems]
        answer["second factors"], problems = seal_factors_anew()
        unopened += [f"second factors: {problem}" for problem in problems]
        if unopened:
            raise CommandError("\n".join([*unopened, "Keep the other keys: the secrets above are as they were."]))
        return answer


def reencrypt(model: type[models.Model], field_name: str) -> tuple[int, list[str]]:
    """Seal a column anew wherever another key than the first sealed it.

    Returns the number of rows, and what is wrong with those that don't open.
    """
    sealed = model._base_manager.alias(sealed=Cast(field_name, models.TextField()))
    others = sealed.exclude(sealed=None).exclude(sealed="").exclude(sealed__startswith=f"{sealing_key_id()}.")
    count, problems = 0, []
    for pk in list(others.values_list("pk", flat=True)):
        # The row may be at work: what it holds now is sealed, not what it held when it was counted.
        with transaction.atomic():
            try:
                instance = model._base_manager.select_for_update().filter(pk=pk).first()
            except UnsealError as error:
                problems.append(str(error))
                continue
            if instance is not None:
                instance.save(update_fields=[field_name])
                count += 1
    return count, problems
