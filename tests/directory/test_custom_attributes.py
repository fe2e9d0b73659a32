"""Attributes that are made from the words of a question."""

import pytest
from django.core.exceptions import ValidationError

from directory.custom_attributes import create_attribute, propose_attribute
from directory.models import AuditEvent, DataType, Tenant, UserAttribute


def made(tenant: Tenant, label: str) -> UserAttribute:
    return create_attribute(propose_attribute(tenant=tenant, label=label, data_type=DataType.STRING))


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("Tax ID", "extension_TaxID"),
        ("What will we work on together?", "extension_WhatWillWeWorkOnTogether"),
        ("Größe in m²", "extension_GroeInM2"),
        ("  Two   words ", "extension_TwoWords"),
        ("رقم الضريبة", "extension_Question"),
        ("👩‍🚀", "extension_Question"),
        ("<script>", "extension_Script"),
        ("x" * 100, "extension_X" + "x" * 39),
    ],
)
def test_is_named_after_its_label(tenant: Tenant, label: str, name: str) -> None:
    attribute = made(tenant, label)
    assert (attribute.name, attribute.display_name) == (name, " ".join(label.split()))


def test_finds_a_name_that_is_free(tenant: Tenant) -> None:
    names = [made(tenant, label).name for label in ("Tax ID", "Tax-ID", "tax id!")]
    assert names == ["extension_TaxID", "extension_TaxID2", "extension_TaxId3"]


def test_refuses_a_label_that_is_asked_already(tenant: Tenant) -> None:
    made(tenant, "Tax ID")
    for label in ("tax id", "First name", "Tax  ID"):
        with pytest.raises(ValidationError, match="instead of making another"):
            propose_attribute(tenant=tenant, label=label, data_type=DataType.STRING)


@pytest.mark.parametrize("label", ["", "x" * 101])
def test_refuses_labels_that_cannot_be_kept(tenant: Tenant, label: str) -> None:
    with pytest.raises(ValidationError):
        propose_attribute(tenant=tenant, label=label, data_type=DataType.STRING)


def test_the_same_label_may_be_asked_in_another_tenant(tenant: Tenant, make_tenant: object) -> None:
    other = make_tenant("globex")  # type: ignore[operator]
    assert made(tenant, "Tax ID").name == made(other, "Tax ID").name


def test_writes_it_into_the_log(tenant: Tenant) -> None:
    attribute = made(tenant, "Tax ID")
    event = AuditEvent.objects.get(activity="user_attribute.created")
    assert (event.target_id, event.details["name"]) == (str(attribute.pk), "extension_TaxID")
