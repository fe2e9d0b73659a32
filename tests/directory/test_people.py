"""What can be done to people: each verb keeps its rule, and writes down who did it."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from directory import people
from directory.members import assign_role, remove_role, set_roles
from directory.models import AuditEvent, Identity, Session, Tenant, User
from directory.people import PersonProtected
from directory.roles import PERMISSIONS, SUBJECTS, Role, in_words
from tests.oidc.browsing import at_once

GLOBAL = Role.GLOBAL_ADMINISTRATOR


@pytest.fixture
def make_person(db: None) -> Callable[..., User]:
    def make(tenant: Tenant, mail: str, *roles: Role, **values: object) -> User:
        user = User(tenant=tenant, mail=mail, display_name=mail, **values)
        user.save()
        for role in roles:
            assign_role(user, role=role)
        return user

    return make


@pytest.fixture
def admin(tenant: Tenant, make_person: Callable[..., User]) -> User:
    return make_person(tenant, "admin@woodgrove.example", GLOBAL, user_type="Member")


@pytest.fixture
def guest(tenant: Tenant, make_person: Callable[..., User]) -> User:
    return make_person(tenant, "guest@supplier.example")


def open_session(user: User) -> Session:
    return Session.objects.create(
        session_key="a" * 64, tenant=user.tenant, user=user, expire_date=timezone.now() + timedelta(days=1)
    )


def events_of(user: User) -> list[tuple[str, str]]:
    events = AuditEvent.objects.filter(target_id=str(user.pk)).order_by("at")
    return list(events.values_list("activity", "actor_name"))


def test_disables_at_once_and_enables_again(admin: User, guest: User) -> None:
    open_session(guest)
    people.disable(guest, actor=admin)
    people.disable(guest, actor=admin)
    guest.refresh_from_db()
    assert (guest.is_active, guest.sessions.count()) == (False, 0)
    assert guest.was_revoked_after(timezone.now())
    people.enable(guest, actor=admin)
    people.enable(guest, actor=admin)
    guest.refresh_from_db()
    assert guest.is_active
    name = str(admin)
    assert events_of(guest) == [("user.disabled", name), ("user.enabled", name)]


def test_revokes_what_was_before_and_nothing_that_comes_after(admin: User, guest: User) -> None:
    assert not guest.was_revoked_after(None)
    before = timezone.now()
    open_session(guest)
    session_hash = guest.get_session_auth_hash()
    people.revoke_sign_in_sessions(guest, actor=admin)
    assert guest.is_active
    assert not guest.sessions.exists()
    assert guest.was_revoked_after(before)
    # The same second: `auth_time` knows no parts of it.
    assert guest.was_revoked_after(timezone.now().replace(microsecond=0))
    assert guest.was_revoked_after(None)
    assert not guest.was_revoked_after(timezone.now() + timedelta(seconds=1))
    # A session that was being made meanwhile.
    assert guest.get_session_auth_hash() != session_hash
    assert events_of(guest) == [("user.sessions_revoked", str(admin))]


def test_deletes_softly_and_restores(admin: User, guest: User) -> None:
    open_session(guest)
    people.delete_user(guest, actor=admin)
    guest.refresh_from_db()
    assert (guest.is_active, guest.sessions.count()) == (False, 0)
    assert not User.objects.existing().filter(pk=guest.pk).exists()
    before = guest.deleted_at
    people.delete_user(guest, actor=admin)
    assert guest.deleted_at == before
    people.restore_user(guest, actor=admin)
    people.restore_user(guest, actor=admin)
    guest.refresh_from_db()
    assert guest.is_active
    # Their old sessions stay void.
    assert guest.was_revoked_after(before)
    assert [activity for activity, _actor in events_of(guest)] == ["user.deleted", "user.restored"]


def test_restores_somebody_disabled_as_disabled(admin: User, guest: User) -> None:
    people.disable(guest, actor=admin)
    people.delete_user(guest, actor=admin)
    people.restore_user(guest, actor=admin)
    assert (guest.deleted_at, guest.is_active) == (None, False)


def test_erases_only_who_is_deleted(admin: User, guest: User) -> None:
    with pytest.raises(ValidationError, match="deleted already"):
        people.erase_user(guest, actor=admin)
    assert User.objects.filter(pk=guest.pk).exists()


def test_converts_a_guest_who_keeps_their_identities(admin: User, guest: User, tenant: Tenant) -> None:
    Identity.objects.create(
        tenant=tenant, user=guest, sign_in_type="emailAddress", issuer="mail", issuer_assigned_id=guest.mail
    )
    people.convert_to_member(guest, actor=admin)
    people.convert_to_member(guest, actor=admin)
    guest.refresh_from_db()
    assert (guest.user_type, guest.identities.count()) == ("Member", 1)
    assert not guest.role_assignments.exists()
    event = AuditEvent.objects.get(activity="user.converted")
    assert event.details == {"before": {"user_type": "Guest"}, "after": {"user_type": "Member"}}


def test_makes_no_member_of_a_test_user(admin: User, tenant: Tenant, make_person: Callable[..., User]) -> None:
    tester = make_person(tenant, "run@woodgrove.example", is_test=True)
    with pytest.raises(ValidationError, match="test user"):
        people.convert_to_member(tester, actor=admin)
    tester.refresh_from_db()
    assert tester.is_guest


@pytest.mark.parametrize("verb", [people.disable, people.delete_user])
def test_nobody_shuts_themselves_out(
    admin: User, tenant: Tenant, make_person: Callable[..., User], verb: Callable[..., None]
) -> None:
    make_person(tenant, "second@woodgrove.example", GLOBAL, user_type="Member")
    with pytest.raises(PersonProtected, match="yourself"):
        verb(admin, actor=admin)
    admin.refresh_from_db()
    assert admin.is_active


@pytest.mark.parametrize(
    "verb",
    [
        people.disable,
        people.delete_user,
        lambda user, actor: remove_role(user, role=GLOBAL, actor=actor),
        lambda user, actor: set_roles(user, roles=[Role.GLOBAL_READER], actor=actor),
    ],
    ids=["disable", "delete", "remove", "set"],
)
@pytest.mark.parametrize(
    "second", [{}, {"account_enabled": False}, {"deleted_at": timezone.now()}], ids=["none", "disabled", "deleted"]
)
def test_keeps_the_last_global_administrator(
    admin: User,
    tenant: Tenant,
    make_person: Callable[..., User],
    make_tenant: Callable[..., Tenant],
    verb: Callable[..., None],
    second: dict[str, object],
) -> None:
    # Somebody elsewhere doesn't count, nor does somebody who can't sign in.
    make_person(make_tenant("globex"), "other@globex.example", GLOBAL, user_type="Member")
    if second:
        make_person(tenant, "second@woodgrove.example", GLOBAL, user_type="Member", **second)
    helper = make_person(tenant, "helper@woodgrove.example", Role.USER_ADMINISTRATOR, user_type="Member")
    with pytest.raises(PersonProtected, match="last Global Administrator"), transaction.atomic():
        verb(admin, actor=helper)
    admin.refresh_from_db()
    assert admin.is_active
    assert admin.role_assignments.filter(role=GLOBAL).exists()
    make_person(tenant, "third@woodgrove.example", GLOBAL, user_type="Member")
    verb(admin, actor=helper)


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("verb", ["remove_role", "disable", "delete"])
def test_two_administrators_who_remove_each_other_at_once_leave_one(
    tenant: Tenant, make_person: Callable[..., User], verb: str
) -> None:
    pair = [make_person(tenant, f"{i}@woodgrove.example", GLOBAL, user_type="Member") for i in range(2)]

    def topple(number: int) -> bool:
        actor, other = User.objects.get(pk=pair[number].pk), User.objects.get(pk=pair[1 - number].pk)
        try:
            if verb == "remove_role":
                remove_role(other, role=GLOBAL, actor=actor)
            else:
                (people.disable if verb == "disable" else people.delete_user)(other, actor=actor)
        except PersonProtected:
            return False
        return True

    assert sorted(at_once(2, topple)) == [False, True]
    left = User.objects.existing().filter(account_enabled=True, role_assignments__role=GLOBAL)
    assert left.count() == 1


def test_says_in_words_all_that_the_table_grants() -> None:
    for role in Role:
        told = {(str(words), str(subject)) for words, subjects in in_words(role) for subject in subjects}
        assert {subject for _words, subject in told} == {str(SUBJECTS[name]) for name in PERMISSIONS[role]}
        for words, subject in told:
            name = next(name for name, label in SUBJECTS.items() if str(label) == subject)
            assert ("add" in words, "change" in words) == tuple(
                action in PERMISSIONS[role][name] for action in ("add", "change")
            )
