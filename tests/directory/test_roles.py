"""The one table: which role may do what."""

import pytest
from django.apps import apps

from directory.roles import PERMISSIONS, Role, may

ACTIONS = {"view", "add", "change", "delete"}
SUBJECTS = sorted({subject for cells in PERMISSIONS.values() for subject in cells})


def test_has_a_row_for_each_role() -> None:
    assert set(PERMISSIONS) == set(Role)


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("subject", SUBJECTS)
def test_allows_actions_that_there_are(role: Role, subject: str) -> None:
    allowed = PERMISSIONS[role].get(subject, frozenset())
    assert allowed <= ACTIONS
    # What may be changed may be seen.
    assert not allowed or "view" in allowed
    for action in ACTIONS:
        assert may([role], action=action, subject=subject) is (action in allowed)


@pytest.mark.parametrize("subject", SUBJECTS)
def test_speaks_of_things_that_there_are(subject: str) -> None:
    assert subject in {model._meta.model_name for model in apps.get_models()}


def test_lets_nobody_but_the_global_administrator_assign_roles() -> None:
    for role in set(Role) - {Role.GLOBAL_ADMINISTRATOR}:
        for action in ("add", "change", "delete"):
            assert not may([role], action=action, subject="roleassignment")
    assert may([Role.GLOBAL_ADMINISTRATOR], action="add", subject="roleassignment")


def test_lets_nobody_write_the_audit_log_or_make_tenants() -> None:
    for action in ("add", "change", "delete"):
        assert not may(list(Role), action=action, subject="auditevent")
    for action in ("add", "delete"):
        assert not may(list(Role), action=action, subject="tenant")
        assert not may(list(Role), action=action, subject="signingkey")


def test_lets_the_reader_see_what_the_global_administrator_sees_and_change_nothing() -> None:
    assert set(PERMISSIONS[Role.GLOBAL_READER]) == set(PERMISSIONS[Role.GLOBAL_ADMINISTRATOR])
    assert set().union(*PERMISSIONS[Role.GLOBAL_READER].values()) == {"view"}


def test_gives_the_global_administrator_all_that_any_role_has() -> None:
    for cells in PERMISSIONS.values():
        for subject, allowed in cells.items():
            assert allowed <= PERMISSIONS[Role.GLOBAL_ADMINISTRATOR][subject]


@pytest.mark.parametrize("subject", [*SUBJECTS, "session", "unknown"])
def test_allows_nothing_without_a_role_or_with_an_unknown_one(subject: str) -> None:
    for action in ACTIONS:
        assert not may([], action=action, subject=subject)
        assert not may(["superuser"], action=action, subject=subject)


def test_adds_up_several_roles() -> None:
    roles = [Role.GLOBAL_READER, Role.APPLICATION_ADMINISTRATOR]
    assert may(roles, action="change", subject="application")
    assert may(roles, action="view", subject="user")
    assert not may(roles, action="change", subject="user")
