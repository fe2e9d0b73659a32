"""What may be asked of people: the built-in attributes, and a tenant's own."""

from collections.abc import Callable

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from directory.models import DataType, Tenant, User, UserAttribute
from userflows.models import UserFlow

MakeTenant = Callable[..., Tenant]
MakeAttribute = Callable[..., UserAttribute]


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("Hobby", "extension_Hobby"),
        ("extension_Hobby", "extension_Hobby"),
        ("Extension_Hobby", "extension_Hobby"),
        ("EXTENSION_hobby", "extension_hobby"),
        ("extensionHobby", "extension_extensionHobby"),
        ("GivenName", "extension_GivenName"),
        ("Email", "extension_Email"),
    ],
)
def test_puts_the_prefix_in_front_of_a_custom_name(
    tenant: Tenant, make_attribute: MakeAttribute, typed: str, kept: str
) -> None:
    attribute = make_attribute(tenant, typed)
    assert attribute.name == attribute.claim == kept
    assert attribute.built_in is None
    assert attribute.max_length == 250
    attribute.full_clean()
    assert attribute.name == kept


@pytest.mark.parametrize(
    "name", ["", "extension_", "EXTENSION_", "Shoe Size", "shoe-size", "größe", "a.b", "x" * 71, "a\n", "<b>"]
)
def test_refuses_a_name_that_is_no_claim(tenant: Tenant, make_attribute: MakeAttribute, name: str) -> None:
    with pytest.raises(ValidationError) as refused:
        make_attribute(tenant, name)
    assert list(refused.value.message_dict)[0] == "name"


def test_takes_the_longest_name(tenant: Tenant, make_attribute: MakeAttribute) -> None:
    attribute = make_attribute(tenant, "x" * 70)
    attribute.refresh_from_db()
    assert len(attribute.name) == 80


def test_refuses_a_name_that_differs_in_case_only(make_tenant: MakeTenant, make_attribute: MakeAttribute) -> None:
    one, other = make_tenant("contoso"), make_tenant("fabrikam")
    make_attribute(one, "Hobby")
    make_attribute(other, "Hobby")
    with pytest.raises(ValidationError, match="This tenant has an attribute with this name"):
        make_attribute(one, "hOBBY")
    with pytest.raises(IntegrityError), transaction.atomic():
        UserAttribute.objects.create(tenant=one, name="extension_HOBBY", display_name="Hobby")


def test_is_never_renamed(tenant: Tenant, make_attribute: MakeAttribute) -> None:
    attribute = make_attribute(tenant, "Hobby")
    attribute.name = "extension_Sport"
    with pytest.raises(ValidationError, match="can't be changed"):
        attribute.full_clean()


def test_changes_its_data_type_while_nothing_is_of_it(
    tenant: Tenant, make_tenant: MakeTenant, make_attribute: MakeAttribute
) -> None:
    attribute = make_attribute(tenant, "Hobby")
    User.objects.create(tenant=tenant, mail="a@x.example", extension_values={"extension_Sport": "Chess"})
    User.objects.create(tenant=make_tenant("globex"), mail="a@x.example", extension_values={"extension_Hobby": "x"})
    attribute.data_type = DataType.INT
    attribute.full_clean()
    attribute.save()


def test_keeps_its_data_type_once_a_person_has_a_value(tenant: Tenant, make_attribute: MakeAttribute) -> None:
    attribute = make_attribute(tenant, "Hobby")
    User.objects.create(tenant=tenant, mail="a@x.example", extension_values={"extension_Hobby": "Chess"})
    attribute.data_type = DataType.INT
    with pytest.raises(ValidationError, match="can't be changed any more"):
        attribute.full_clean()


def test_keeps_its_data_type_once_a_flow_asks_for_it(
    tenant: Tenant, make_attribute: MakeAttribute, make_user_flow: Callable[..., UserFlow]
) -> None:
    attribute = make_attribute(tenant, "Hobby")
    flow = make_user_flow(tenant, questions=("extension_Hobby",))
    attribute.data_type = DataType.INT
    with pytest.raises(ValidationError, match="can't be changed any more"):
        attribute.full_clean()
    # Only a version that was once published asks for it now: one could roll back to it.
    flow.attribute_assignments.all().delete()
    with pytest.raises(ValidationError, match="can't be changed any more"):
        attribute.full_clean()
    flow.versions.all().delete()
    attribute.full_clean()


def test_keeps_the_data_type_of_a_built_in_one(tenant: Tenant) -> None:
    attribute = UserAttribute.objects.get(tenant=tenant, name="City")
    attribute.data_type = DataType.INT
    with pytest.raises(ValidationError, match="can't be changed any more"):
        attribute.full_clean()


def test_may_change_the_label(tenant: Tenant, make_attribute: MakeAttribute) -> None:
    attribute = make_attribute(tenant, "Hobby")
    attribute.display_name = "What do you do at night?"
    attribute.full_clean()
    attribute.save()


def test_never_renames_a_built_in_one(tenant: Tenant) -> None:
    attribute = UserAttribute.objects.get(tenant=tenant, name="GivenName")
    attribute.full_clean()
    attribute.name = "Vorname"
    with pytest.raises(ValidationError, match="can't be changed"):
        attribute.full_clean()


@pytest.mark.parametrize("data_type", DataType)
def test_has_a_data_type(tenant: Tenant, make_attribute: MakeAttribute, data_type: DataType) -> None:
    assert make_attribute(tenant, "Hobby", data_type).data_type == data_type


def test_refuses_other_data_types(tenant: Tenant, make_attribute: MakeAttribute) -> None:
    with pytest.raises(ValidationError, match="dateTime"):
        make_attribute(tenant, "Hobby", "dateTime")
