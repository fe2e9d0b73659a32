"""People: one for each address and tenant, with what the directory keeps of them."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from directory.attributes import BUILT_IN_ATTRIBUTES, BY_NAME
from directory.models import CreationType, Identity, SignInType, Tenant, User, UserType

MakeTenant = Callable[..., Tenant]
# spec/entra.md 3.1; an address is limited by RFC 5321 4.5.3.1.3.
LENGTHS = {
    "City": 128,
    "Country": 128,
    "DisplayName": 256,
    "Email": 254,
    "GivenName": 64,
    "JobTitle": 128,
    "PostalCode": 40,
    "State": 128,
    "StreetAddress": 1024,
    "Surname": 64,
}


def person(tenant: Tenant | None, mail: str = "amina@fabrikam.example", **values: Any) -> User:
    user = User(tenant=tenant, mail=mail, **values)
    user.set_unusable_password()
    return user


def save_checked(instance: User | Identity) -> None:
    instance.full_clean()
    instance.save()


def test_begins_as_an_enabled_guest(tenant: Tenant) -> None:
    user = person(tenant)
    save_checked(user)
    assert (user.user_type, user.creation_type, user.account_enabled) == (UserType.GUEST, CreationType.ORDINARY, True)
    assert user.is_guest
    assert str(user) == "amina@fabrikam.example"
    assert len(str(user.pk)) == 36


@pytest.mark.parametrize("mail", ["amina@fabrikam.example", "Amina@Fabrikam.Example", "AMINA@FABRIKAM.EXAMPLE"])
def test_is_alone_with_an_address_in_its_tenant(tenant: Tenant, mail: str) -> None:
    save_checked(person(tenant))
    with pytest.raises(ValidationError, match="Somebody in this tenant has this email address"):
        person(tenant, mail).full_clean()
    with pytest.raises(IntegrityError), transaction.atomic():
        person(tenant, mail).save()


def test_may_be_somebody_else_in_another_tenant(make_tenant: MakeTenant) -> None:
    one, other = make_tenant("contoso"), make_tenant("fabrikam")
    for tenant in (one, other):
        save_checked(person(tenant))
    assert User.objects.with_mail(one, "amina@fabrikam.example").get().tenant == one
    assert User.objects.with_mail(other, "AMINA@fabrikam.example").get().tenant == other


def test_is_found_by_its_address_in_any_case_through_the_index(tenant: Tenant) -> None:
    save_checked(person(tenant, "Amina@Fabrikam.Example"))
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert User.objects.with_mail(tenant, "aMINA@fabrikam.example").exists()
    assert 'LOWER("directory_user"."mail") = ' in queries[0]["sql"]
    assert "UPPER" not in queries[0]["sql"]
    assert not User.objects.with_mail(tenant, "amin_@fabrikam.example").exists()
    assert not User.objects.with_mail(None, "amina@fabrikam.example").exists()


@pytest.mark.django_db
def test_is_an_operator_when_it_has_no_tenant() -> None:
    save_checked(person(None, is_operator=True))
    with pytest.raises(ValidationError, match="There is an operator with this email address"):
        person(None, "AMINA@fabrikam.example", is_operator=True).full_clean()
    with pytest.raises(IntegrityError), transaction.atomic():
        person(None, "AMINA@fabrikam.example", is_operator=True).save()


def test_is_not_an_operator_and_in_a_tenant(tenant: Tenant) -> None:
    for user in (person(tenant, is_operator=True), person(None)):
        with pytest.raises(ValidationError, match="belongs to a tenant or is a platform operator"):
            user.full_clean()
        with pytest.raises(IntegrityError), transaction.atomic():
            user.save()


def test_may_do_everything_on_the_platform_only_as_an_enabled_operator(tenant: Tenant) -> None:
    for user, allowed in (
        (person(None, is_operator=True), True),
        (person(None, is_operator=True, account_enabled=False), False),
        (person(tenant), False),
        (person(tenant, user_type=UserType.MEMBER), False),
    ):
        assert user.has_perm("directory.change_tenant") is allowed
        assert user.has_module_perms("directory") is allowed


@pytest.mark.parametrize("name", sorted(set(LENGTHS) - {"Email"}))
def test_keeps_a_built_in_attribute_up_to_its_length(tenant: Tenant, name: str) -> None:
    field, length = BY_NAME[name].field, LENGTHS[name]
    user = person(tenant, **{field: "é" * length})
    save_checked(user)
    user.refresh_from_db()
    assert getattr(user, field) == "é" * length
    setattr(user, field, "é" * (length + 1))
    with pytest.raises(ValidationError) as refused:
        user.full_clean()
    assert list(refused.value.message_dict) == [field]


def test_keeps_an_address_of_at_most_254_characters(tenant: Tenant) -> None:
    domain = ".".join(["b" * 60] * 3) + ".example"
    longest = "a" * (253 - len(domain)) + "@" + domain
    assert len(longest) == 254
    save_checked(person(tenant, longest))
    with pytest.raises(ValidationError, match="at most 254"):
        person(tenant, "a" + longest).full_clean()


def test_knows_exactly_the_built_in_attributes_of_the_specification() -> None:
    assert {attribute.name for attribute in BUILT_IN_ATTRIBUTES} == set(LENGTHS)
    for attribute in BUILT_IN_ATTRIBUTES:
        assert attribute.max_length == LENGTHS[attribute.name]
        column = User._meta.get_field(attribute.field)
        assert getattr(column, "max_length", None) == attribute.max_length
    assert len({attribute.claim for attribute in BUILT_IN_ATTRIBUTES}) == 10


def identity(user: User, **values: Any) -> Identity:
    defaults = {"sign_in_type": SignInType.FEDERATED, "issuer": "google.com", "issuer_assigned_id": "1234"}
    return Identity(tenant=user.tenant, user=user, **{**defaults, **values})


def test_has_an_identity_that_nobody_else_in_the_tenant_has(make_tenant: MakeTenant) -> None:
    one, other = make_tenant("contoso"), make_tenant("fabrikam")
    amina, ben, amina_elsewhere = person(one), person(one, "ben@fabrikam.example"), person(other)
    for user in (amina, ben, amina_elsewhere):
        user.save()
    save_checked(identity(amina))
    save_checked(identity(amina, issuer="facebook.com"))
    save_checked(identity(ben, issuer_assigned_id="5678"))
    save_checked(identity(amina_elsewhere))
    with pytest.raises(ValidationError, match="Somebody in this tenant has this identity"):
        identity(ben).full_clean()
    with pytest.raises(IntegrityError), transaction.atomic():
        identity(ben).save()


def test_takes_its_identities_along_when_it_is_deleted(tenant: Tenant) -> None:
    user = person(tenant)
    user.save()
    identity(user).save()
    user.delete()
    assert not Identity.objects.exists()
