"""The verbs on the people who run a tenant or the platform."""

from collections.abc import Iterable

from django.contrib.auth.password_validation import validate_password
from django.db import models, transaction

from directory import audit
from directory.models import Identity, RoleAssignment, SignInType, Tenant, User, UserType
from directory.models.identity import MAIL_ISSUER
from directory.people import check_leaves_an_administrator, revoke_sign_in_sessions
from directory.roles import Role


@transaction.atomic
def create_member(
    user: User, *, password: str | None = None, roles: Iterable[Role] = (), actor: models.Model | None = None
) -> User:
    """Save a new member of user.tenant, and give them roles. Raises ValidationError.

    Without a password they set one themselves, by a one-time link.
    """
    user.user_type = UserType.MEMBER
    _save_with_password(user, None)
    identity = Identity(
        tenant=user.tenant,
        user=user,
        sign_in_type=SignInType.EMAIL_ADDRESS,
        issuer=MAIL_ISSUER,
        issuer_assigned_id=user.mail.lower(),
    )
    identity.full_clean()
    identity.save(force_insert=True)
    audit.record("user.created", tenant=user.tenant, actor=actor, target=user, details={"after": audit.values_of(user)})
    for role in roles:
        assign_role(user, role=role, actor=actor)
    if password is not None:
        _keep_password(user, password)
    return user


@transaction.atomic
def create_operator(user: User, *, password: str | None = None) -> User:
    """Save a new platform operator: somebody who makes tenants. Raises ValidationError."""
    user.user_type = UserType.MEMBER
    user.is_operator = True
    user.tenant = None
    _save_with_password(user, password)
    audit.record("operator.created", tenant=None, target=user, details={"after": audit.values_of(user)})
    return user


@transaction.atomic
def assign_role(user: User, *, role: Role, actor: models.Model | None = None) -> RoleAssignment:
    """Give a member a role in their tenant. Raises ValidationError.

    With the first one a password that they had is void: whoever knows it would set up the second factor. It rests on
    their mailbox alone, chosen on the hosted pages; an administrator's begins with a one-time link.
    """
    assignment = RoleAssignment(user=user, role=role)
    assignment.full_clean()
    is_first = not user.role_assignments.exists()
    assignment.save()
    if is_first and user.has_usable_password():
        user.set_unusable_password()
        user.save(update_fields=["password"])
    audit.record("role.assigned", tenant=user.tenant, actor=actor, target=user, details={"role": str(role)})
    return assignment


@transaction.atomic
def remove_role(user: User, *, role: Role, actor: models.Model | None = None) -> None:
    """Take a role from a member, if they have it. Raises PersonProtected."""
    if role is Role.GLOBAL_ADMINISTRATOR:
        check_leaves_an_administrator(user)
    removed, _rows = user.role_assignments.filter(role=role).delete()
    if removed:
        audit.record("role.removed", tenant=user.tenant, actor=actor, target=user, details={"role": str(role)})


@transaction.atomic
def set_roles(user: User, *, roles: Iterable[Role], actor: models.Model | None = None) -> None:
    """Give a member these roles, and take away all others. Raises ValidationError."""
    wanted = set(roles)
    held = {Role(role) for role in user.role_assignments.values_list("role", flat=True)}
    for role in sorted(wanted - held):
        assign_role(user, role=role, actor=actor)
    for role in sorted(held - wanted):
        remove_role(user, role=role, actor=actor)


def roles_of(user: User, *, tenant: Tenant) -> frozenset[str]:
    """Return the roles that an enabled member holds in `tenant`; nobody else holds any."""
    if user.tenant_id != tenant.pk or user.is_guest or not user.is_active:
        return frozenset()
    return frozenset(user.role_assignments.values_list("role", flat=True))


def may_administer(user: User) -> bool:
    """Answer whether a person may enter an admin site: their tenant's, or the platform's."""
    if user.tenant is None:
        return user.is_operator and user.is_active
    return bool(roles_of(user, tenant=user.tenant))


@transaction.atomic
def set_password(user: User, *, password: str) -> None:
    """Exchange a person's password, and end all that was begun with the old one. Raises ValidationError."""
    validate_password(password, user)
    revoke_sign_in_sessions(user, actor=user)
    user.set_password(password)
    user.save(update_fields=["password"])
    audit.record("password.changed", tenant=user.tenant, actor=user, target=user)


def _save_with_password(user: User, password: str | None) -> None:
    user.set_unusable_password()
    user.full_clean(exclude=("password",))
    if password is not None:
        validate_password(password, user)
        user.set_password(password)
    user.save(force_insert=True)


def _keep_password(user: User, password: str) -> None:
    validate_password(password, user)
    user.set_password(password)
    user.save(update_fields=["password"])
