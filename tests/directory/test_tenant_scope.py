"""Rows of two tenants never meet."""

from collections.abc import Callable

import pytest
from django.core.exceptions import ValidationError

from directory.members import create_member, roles_of
from directory.models import (
    Application,
    ApplicationKind,
    AppRoleAssignment,
    Identity,
    RoleAssignment,
    SignInType,
    Tenant,
    User,
    UserType,
)
from directory.roles import Role
from directory.tenant_scope import check_same_tenant, current_tenant, tenant_scope

MakeTenant = Callable[..., Tenant]
ELSEWHERE = "Choose one of this tenant."


@pytest.fixture
def here(make_tenant: MakeTenant) -> Tenant:
    return make_tenant("contoso")


@pytest.fixture
def stranger_there(make_tenant: MakeTenant) -> User:
    user = User(tenant=make_tenant("fabrikam"), mail="amina@fabrikam.example")
    user.save()
    return user


def test_refuses_an_identity_of_somebody_elsewhere(here: Tenant, stranger_there: User) -> None:
    crossing = Identity(
        tenant=here,
        user=stranger_there,
        sign_in_type=SignInType.EMAIL_ADDRESS,
        issuer="mail",
        issuer_assigned_id="amina@fabrikam.example",
    )
    with pytest.raises(ValidationError) as refused:
        crossing.full_clean()
    assert refused.value.message_dict == {"user": [ELSEWHERE]}


def test_refuses_an_application_of_another_tenant(here: Tenant, stranger_there: User) -> None:
    application = Application.objects.create(tenant=here, name="App", kind=ApplicationKind.WEB)
    with pytest.raises(ValidationError) as refused:
        AppRoleAssignment(user=stranger_there, application=application).full_clean()
    assert refused.value.message_dict == {"application": [ELSEWHERE]}
    own = User.objects.create(tenant=here, mail="amina@fabrikam.example")
    AppRoleAssignment(user=own, application=application).full_clean()


def test_checks_a_half_filled_form_without_stumbling(here: Tenant) -> None:
    """A form whose field was refused has nothing in its place."""
    for empty in (Identity(tenant=here), AppRoleAssignment(), RoleAssignment()):
        empty.clean()


def test_names_each_field_that_crosses(here: Tenant, stranger_there: User) -> None:
    with pytest.raises(ValidationError) as refused:
        check_same_tenant(Identity(tenant=here, user=stranger_there), "user")
    assert list(refused.value.message_dict) == ["user"]
    check_same_tenant(Identity(tenant=stranger_there.tenant, user=stranger_there), "user")


def test_holds_a_role_in_the_own_tenant_only(here: Tenant, make_tenant: MakeTenant) -> None:
    there = make_tenant("fabrikam")
    member = create_member(
        User(tenant=here, mail="ada@contoso.example"),
        password="correct horse battery staple",
        roles=[Role.GLOBAL_ADMINISTRATOR],
    )
    assert roles_of(member, tenant=here) == {Role.GLOBAL_ADMINISTRATOR}
    assert roles_of(member, tenant=there) == frozenset()
    member.account_enabled = False
    assert roles_of(member, tenant=here) == frozenset()
    member.account_enabled, member.user_type = True, UserType.GUEST
    assert roles_of(member, tenant=here) == frozenset()


def test_ends_the_scope_with_its_block(here: Tenant, stranger_there: User) -> None:
    with tenant_scope(here):
        with tenant_scope(stranger_there.tenant):
            assert current_tenant() == stranger_there.tenant
        assert current_tenant() == here
        with pytest.raises(RuntimeError), tenant_scope(None):
            raise RuntimeError
        assert current_tenant() == here
    assert current_tenant() is None


def test_lets_an_application_be_used_in_its_own_tenant_only(here: Tenant, stranger_there: User) -> None:
    application = Application(tenant=here, name="App", kind=ApplicationKind.WEB)
    assert not application.is_usable(None)
    with tenant_scope(stranger_there.tenant):
        assert not application.is_usable(None)
    with tenant_scope(here):
        assert application.is_usable(None)
        application.is_enabled = False
        assert not application.is_usable(None)
