"""The verbs on people: switch off and on, sign out everywhere, delete, restore, make a member of a guest.

What a person holds of user flows is not known here: userflows.erasure deletes for good.
"""

from datetime import timedelta

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from directory import audit
from directory.models import RoleAssignment, Tenant, User, UserType
from directory.roles import Role

# Graph: a deleted user can be restored for 30 days.
RESTORABLE_FOR = timedelta(days=30)
# Sign-ins are counted in whole seconds: those that end do so up to this long ahead.
REVOKED_AHEAD = timedelta(seconds=1)


class PersonProtected(ValidationError):
    """What would lock everybody out of a tenant, or oneself, is not done."""


@transaction.atomic
def disable(user: User, *, actor: models.Model | None = None) -> None:
    """Refuse a person's sign-ins from now on, and end what they have open. Raises PersonProtected."""
    check_may_be_shut_out(user, actor=actor)
    _lock(user)
    if not user.account_enabled:
        return
    user.account_enabled = False
    _void_sessions(user)
    user.save(update_fields=["account_enabled", "sign_in_sessions_valid_from"])
    audit.record("user.disabled", tenant=user.tenant, actor=actor, target=user)


@transaction.atomic
def enable(user: User, *, actor: models.Model | None = None) -> None:
    _lock(user)
    if user.account_enabled:
        return
    user.account_enabled = True
    user.save(update_fields=["account_enabled"])
    audit.record("user.enabled", tenant=user.tenant, actor=actor, target=user)


@transaction.atomic
def revoke_sign_in_sessions(user: User, *, actor: models.Model | None = None) -> None:
    """Sign a person out everywhere, and void the codes and tokens that they have (Graph revokeSignInSessions)."""
    _lock(user)
    _void_sessions(user)
    user.save(update_fields=["sign_in_sessions_valid_from"])
    audit.record("user.sessions_revoked", tenant=user.tenant, actor=actor, target=user)


@transaction.atomic
def exchange_password(user: User, *, encoded: str) -> bool:
    """Give a person the password that they chose, as its hash, and end all that was begun before.

    Answers whether they had one already. An administrator's second factor is still asked for: this changes none.
    """
    revoke_sign_in_sessions(user, actor=user)
    had_one = user.has_usable_password()
    user.password = encoded
    user.save(update_fields=["password"])
    activity = "user.password_changed" if had_one else "user.password_set"
    audit.record(activity, tenant=user.tenant, actor=user, target=user)
    return had_one


@transaction.atomic
def delete_user(user: User, *, actor: models.Model | None = None) -> None:
    """Delete a person softly: nothing of them works, all of it can be restored. Raises PersonProtected."""
    check_may_be_shut_out(user, actor=actor)
    _lock(user)
    if user.deleted_at is not None:
        return
    user.deleted_at = timezone.now()
    _void_sessions(user)
    user.save(update_fields=["deleted_at", "sign_in_sessions_valid_from"])
    until = (user.deleted_at + RESTORABLE_FOR).isoformat(timespec="seconds")
    audit.record("user.deleted", tenant=user.tenant, actor=actor, target=user, details={"restorable_until": until})


@transaction.atomic
def restore_user(user: User, *, actor: models.Model | None = None) -> None:
    """Undo a deletion. Who was switched off before stays so, and everybody has to sign in again."""
    _lock(user)
    if user.deleted_at is None:
        return
    user.deleted_at = None
    user.save(update_fields=["deleted_at"])
    audit.record("user.restored", tenant=user.tenant, actor=actor, target=user)


@transaction.atomic
def erase_user(user: User, *, actor: models.Model | None = None) -> None:
    """Delete a deleted person (or a test user) for good, with all that the directory holds of them."""
    if user.deleted_at is None and not user.is_test:
        raise ValidationError(_("Only who is deleted already can be deleted for good."))
    audit.record("user.erased", tenant=user.tenant, actor=actor, target=user)
    user.delete()


@transaction.atomic
def convert_to_member(user: User, *, actor: models.Model | None = None) -> None:
    """Make a member of a guest (Graph user.userType). They keep identities, applications and answers."""
    _lock(user)
    if user.is_test:
        raise ValidationError(_("A test user is deleted after a day and can't become a member."))
    if not user.is_guest:
        return
    user.user_type = UserType.MEMBER
    user.save(update_fields=["user_type"])
    change = {"before": {"user_type": UserType.GUEST.value}, "after": {"user_type": UserType.MEMBER.value}}
    audit.record("user.converted", tenant=user.tenant, actor=actor, target=user, details=change)


def check_may_be_shut_out(user: User, *, actor: models.Model | None = None) -> None:
    """Raise PersonProtected for oneself and for the last Global Administrator."""
    if actor == user:
        raise PersonProtected(_("You can't shut yourself out. Another administrator can."), code="own_account")
    check_leaves_an_administrator(user)


def check_leaves_an_administrator(user: User) -> None:
    """Raise PersonProtected if without `user` nobody could give roles any more.

    From here to the end of the transaction nobody else in the tenant passes: of two administrators who remove each
    other at once, one stays.
    """
    administrators = RoleAssignment.objects.filter(role=Role.GLOBAL_ADMINISTRATOR)
    if not administrators.filter(user=user).exists():
        return
    # Not FOR UPDATE: sign-ups refer to the tenant, and need not wait.
    list(Tenant.objects.select_for_update(no_key=True, of=("self",)).filter(users=user).order_by())
    people = User.objects.existing().filter(tenant=user.tenant_id, account_enabled=True, user_type=UserType.MEMBER)
    if not people.exclude(pk=user.pk).filter(role_assignments__role=Role.GLOBAL_ADMINISTRATOR).exists():
        raise PersonProtected(
            _("%(name)s is the last Global Administrator. Give somebody else this role first."),
            code="last_global_administrator",
            params={"name": str(user)},
        )


def _lock(user: User) -> None:
    user.refresh_from_db(from_queryset=User.objects.select_for_update(no_key=True))


def _void_sessions(user: User) -> None:
    """End the sessions; the caller saves. Up to a second of the future: a sign-in just before has its time cut off."""
    now = timezone.now()
    user.sign_in_sessions_valid_from = now.replace(microsecond=0) + REVOKED_AHEAD
    user.sessions.all().delete()
