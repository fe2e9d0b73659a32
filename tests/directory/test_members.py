"""The people who run a tenant or the platform: passwords and roles."""

from collections.abc import Callable

import pytest
from django.core.exceptions import ValidationError

from directory.members import assign_role, create_member, create_operator, set_password, set_roles
from directory.models import AuditEvent, Identity, RoleAssignment, SignInType, Tenant, User, UserType
from directory.roles import Role

PASSWORD = "correct horse battery staple"


def ada(tenant: Tenant | None, mail: str = "Ada@Contoso.example") -> User:
    return User(tenant=tenant, mail=mail, display_name="Ada Lovelace")


def guest(tenant: Tenant) -> User:
    user = User(tenant=tenant, mail="amina@fabrikam.example")
    user.save()
    return user


def test_is_a_member_with_an_identity_and_roles(tenant: Tenant) -> None:
    member = create_member(ada(tenant), password=PASSWORD, roles=[Role.GLOBAL_READER, Role.USER_ADMINISTRATOR])
    member.refresh_from_db()
    assert member.user_type == UserType.MEMBER
    assert member.check_password(PASSWORD)
    assert member.password.startswith("argon2$argon2id$")
    assert set(member.role_assignments.values_list("role", flat=True)) == {"global_reader", "user_administrator"}
    identity = Identity.objects.get()
    assert (identity.user, identity.sign_in_type) == (member, SignInType.EMAIL_ADDRESS)
    assert (identity.issuer, identity.issuer_assigned_id) == ("mail", "ada@contoso.example")
    activities = AuditEvent.objects.filter(target_id=str(member.pk)).values_list("activity", flat=True)
    assert sorted(activities) == ["role.assigned", "role.assigned", "user.created"]


@pytest.mark.parametrize(
    ("password", "word"),
    [
        ("", "too short"),
        ("elevenchars", "at least 12"),
        ("password1234", "too common"),
        ("ada@contoso.example", "too similar to the email address"),
        ("Ada Lovelace", "too similar to the display name"),
    ],
)
def test_refuses_a_password_that_is_guessed(tenant: Tenant, password: str, word: str) -> None:
    with pytest.raises(ValidationError, match=word):
        create_member(ada(tenant), password=password)
    with pytest.raises(ValidationError, match=word):
        create_operator(ada(None), password=password)
    assert not User.objects.exists()


@pytest.mark.parametrize("mail", ["", "ada", "ada@", "ada@contoso"])
def test_refuses_an_address_that_is_none(tenant: Tenant, mail: str) -> None:
    with pytest.raises(ValidationError) as refused:
        create_member(ada(tenant, mail), password=PASSWORD)
    assert list(refused.value.message_dict) == ["mail"]
    assert not AuditEvent.objects.filter(activity="user.created").exists()


def test_refuses_an_address_that_is_taken(tenant: Tenant) -> None:
    create_member(ada(tenant), password=PASSWORD)
    with pytest.raises(ValidationError, match="this email address"):
        create_member(ada(tenant, "ADA@contoso.example"), password=PASSWORD)
    assert User.objects.count() == 1


def test_refuses_an_identity_that_is_taken(tenant: Tenant) -> None:
    """Somebody whose address was changed still signs in with the old one."""
    somebody = guest(tenant)
    Identity.objects.create(
        tenant=tenant,
        user=somebody,
        sign_in_type=SignInType.EMAIL_ADDRESS,
        issuer="mail",
        issuer_assigned_id="ada@contoso.example",
    )
    with pytest.raises(ValidationError, match="has this identity"):
        create_member(ada(tenant), password=PASSWORD)
    assert User.objects.get() == somebody


def test_leaves_nothing_behind_when_a_role_is_refused(tenant: Tenant) -> None:
    with pytest.raises(ValidationError, match="has this role already"):
        create_member(ada(tenant), password=PASSWORD, roles=[Role.GLOBAL_READER, Role.GLOBAL_READER])
    assert not User.objects.exists()
    assert not AuditEvent.objects.filter(activity="user.created").exists()


def test_gives_no_role_to_guests_and_operators(tenant: Tenant) -> None:
    operator = create_operator(ada(None), password=PASSWORD)
    for user in (guest(tenant), operator):
        with pytest.raises(ValidationError, match="Roles are for members"):
            assign_role(user, role=Role.GLOBAL_READER)
    assert not RoleAssignment.objects.exists()


def test_gives_no_role_that_there_is_not(tenant: Tenant) -> None:
    member = create_member(ada(tenant), password=PASSWORD)
    with pytest.raises(ValidationError, match="superuser"):
        RoleAssignment(user=member, role="superuser").full_clean()


def test_exchanges_roles_and_says_so(tenant: Tenant) -> None:
    member = create_member(ada(tenant), password=PASSWORD, roles=[Role.GLOBAL_READER, Role.USER_ADMINISTRATOR])
    set_roles(member, roles=[Role.USER_ADMINISTRATOR, Role.APPLICATION_ADMINISTRATOR])
    held = set(member.role_assignments.values_list("role", flat=True))
    assert held == {"user_administrator", "application_administrator"}
    removed = AuditEvent.objects.get(activity="role.removed")
    assert removed.details == {"role": "global_reader"}


def test_makes_an_operator_without_a_tenant(tenant: Tenant, make_tenant: Callable[..., Tenant]) -> None:
    operator = create_operator(ada(tenant), password=PASSWORD)
    assert (operator.tenant, operator.is_operator) == (None, True)
    assert not Identity.objects.exists()
    assert AuditEvent.objects.get(activity="operator.created").tenant is None
    with pytest.raises(ValidationError, match="There is an operator"):
        create_operator(ada(None, "ADA@CONTOSO.EXAMPLE"), password=PASSWORD)


def test_is_no_member_without_a_tenant(db: None) -> None:
    with pytest.raises(ValidationError, match="belongs to a tenant"):
        create_member(ada(None), password=PASSWORD)


def test_a_first_role_voids_the_password_of_the_hosted_pages(tenant: Tenant) -> None:
    """Otherwise whoever knows it would be first to set up the second factor."""
    member = create_member(User(tenant=tenant, mail="ada@woodgrove.example"), password=PASSWORD)
    assign_role(member, role=Role.GLOBAL_READER)
    member.refresh_from_db()
    assert not member.has_usable_password()
    set_password(member, password=PASSWORD)
    assign_role(member, role=Role.USER_ADMINISTRATOR)
    member.refresh_from_db()
    assert member.check_password(PASSWORD)
