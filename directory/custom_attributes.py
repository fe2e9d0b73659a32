"""A tenant's own attributes, made from the words that people will see."""

import re
import unicodedata

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils.translation import gettext as _

from directory import audit
from directory.attributes import EXTENSION_PREFIX
from directory.models import DataType, Tenant, UserAttribute

LONGEST_OWN_NAME = 40


def propose_attribute(*, tenant: Tenant, label: str, data_type: DataType, autocomplete: str = "") -> UserAttribute:
    """Return a new attribute, checked but not saved, its name made from the label: “Tax ID” gives extension_TaxID.

    Raises ValidationError, also where the tenant asks this already under the same label.
    """
    label = " ".join(label.split())
    existing = UserAttribute.objects.filter(tenant=tenant, display_name__iexact=label).first()
    if existing is not None:
        words = _("There is an attribute with this label. Choose “%(name)s” instead of making another.")
        raise ValidationError(words % {"name": existing})
    attribute = UserAttribute(
        tenant=tenant,
        name=_free_name(tenant, _own_name(label)),
        display_name=label,
        data_type=data_type,
        autocomplete=autocomplete,
    )
    attribute.full_clean()
    return attribute


@transaction.atomic
def create_attribute(attribute: UserAttribute, *, actor: models.Model | None = None) -> UserAttribute:
    """Save a new attribute. Raises ValidationError."""
    attribute.full_clean()
    attribute.save(force_insert=True)
    details = {"name": attribute.name, "data_type": attribute.data_type}
    audit.record("user_attribute.created", tenant=attribute.tenant, actor=actor, target=attribute, details=details)
    return attribute


def _own_name(label: str) -> str:
    """Return the label as a name of ASCII letters and digits. What has none (Arabic, emoji) is called Question."""
    plain = unicodedata.normalize("NFKD", label).encode("ascii", "ignore").decode()
    words = re.findall(r"[A-Za-z0-9]+", plain)
    name = "".join(word[0].upper() + word[1:] for word in words)[:LONGEST_OWN_NAME]
    return name or "Question"


def _free_name(tenant: Tenant, own: str) -> str:
    taken = UserAttribute.objects.filter(tenant=tenant, name__istartswith=EXTENSION_PREFIX + own)
    names = {name.lower() for name in taken.values_list("name", flat=True)}
    candidate, number = own, 2
    while (EXTENSION_PREFIX + candidate).lower() in names:
        candidate, number = f"{own}{number}", number + 1
    return candidate
