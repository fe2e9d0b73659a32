"""Each role sees and does exactly what its row in directory.roles.PERMISSIONS says."""

from collections.abc import Callable

import pytest
from django.test import Client

from directory.models import AuditEvent, User
from directory.roles import PERMISSIONS, Role
from tests.admin.conftest import Furnished, browser_of
from tests.admin.form_data import application_form, flow_form, user_form
from tests.admin.test_tenancy import OWNED
from userflows.models import UserFlow

pytestmark = pytest.mark.any_database

FORMS = {
    "directory/tenant": {
        **{"name": "New name", "default_language": "en"},
        **{"audit_retention_days": "365", "sign_in_retention_days": "90"},
        **{"admission": "anyone", "session_hours": "24", "keep_signed_in_days": "0"},
    },
    "directory/user": user_form(),
    "directory/userattribute": {"display_name": "New name"},
    "directory/application": application_form(),
    "directory/identityprovider": {"name": "New name", "may_create_accounts": "on"},
    "userflows/userflow": flow_form(description="New name"),
    "directory/auditevent": {"activity": "forged"},
    "userflows/signin": {"outcome": "forged"},
    "oidc/signingkey": {"state": "retired"},
}
# What the pages leave out for everybody, whatever the table grants: other verbs stand in for them.
DELETED = {"directory/user", "directory/userattribute", "directory/application", "userflows/userflow"}
ADDED = {*DELETED, "directory/identityprovider"}
CHANGED = {*ADDED, "directory/tenant"}


@pytest.fixture(params=list(Role))
def role(request: pytest.FixtureRequest) -> Role:
    return Role(request.param)


@pytest.fixture
def admin(ours: Furnished, role: Role, make_admin: Callable[..., User]) -> Client:
    return browser_of(make_admin(ours.tenant, role, mail="one.role@woodgrove.example"))


def allowed(role: Role, path: str, action: str) -> bool:
    return action in PERMISSIONS[role].get(path.partition("/")[2], frozenset())


def test_sees_what_its_row_says(admin: Client, ours: Furnished, role: Role) -> None:
    menu = admin.get(ours.admin_url).content.decode()
    for path, name in OWNED.items():
        may_view = allowed(role, path, "view")
        seen = 302 if path == "directory/tenant" else 200
        assert admin.get(f"{ours.admin_url}{path}/").status_code == (seen if may_view else 403), path
        for page in ("change/", "history/"):
            url = f"{ours.admin_url}{path}/{getattr(ours, name).pk}/{page}"
            assert admin.get(url).status_code == (200 if may_view else 403), url
        assert (f'href="{ours.admin_url}{path}/"' in menu) == may_view, path


def test_adds_what_its_row_says(admin: Client, ours: Furnished, role: Role) -> None:
    for path in OWNED:
        may_add = allowed(role, path, "add") and path in ADDED
        assert admin.get(f"{ours.admin_url}{path}/add/").status_code == (200 if may_add else 403), path
        assert admin.post(f"{ours.admin_url}{path}/add/", {}).status_code == (200 if may_add else 403), path


def test_changes_what_its_row_says(admin: Client, ours: Furnished, role: Role) -> None:
    for path, name in OWNED.items():
        target = getattr(ours, name)
        may_change = allowed(role, path, "change") and path in CHANGED
        response = admin.post(f"{ours.admin_url}{path}/{target.pk}/change/", FORMS[path])
        assert response.status_code == (302 if may_change else 403), path
        if may_change:
            event = AuditEvent.objects.filter(target_id=str(target.pk)).latest("at")
            assert (event.activity.split(".")[1], event.actor_name) == ("updated", "one.role@woodgrove.example"), path


def test_deletes_what_its_row_says(admin: Client, ours: Furnished, role: Role) -> None:
    ours.flow.application_assignments.all().delete()
    ours.attribute.attribute_assignments.all().delete()
    UserFlow.objects.filter(pk=ours.flow.pk).update(live_version=None)
    for path, name in OWNED.items():
        target = getattr(ours, name)
        may_delete = allowed(role, path, "delete") and path in DELETED
        url = f"{ours.admin_url}{path}/{target.pk}/delete/"
        assert admin.get(url).status_code == (200 if may_delete else 403), path
        assert admin.post(url, {"post": "yes"}).status_code == (302 if may_delete else 403), path
        # A person is deleted softly: tests/admin/test_deleted_users.py.
        left = User.objects.existing() if path == "directory/user" else type(target).objects
        assert left.filter(pk=target.pk).exists() is not may_delete, path
        told = AuditEvent.objects.filter(target_id=str(target.pk), activity__endswith=".deleted").exists()
        assert told == may_delete, path


def test_handles_client_secrets_as_its_row_says(admin: Client, ours: Furnished, role: Role) -> None:
    secret = ours.application.secrets.get()
    base = f"{ours.admin_url}directory/application/{ours.application.pk}/"
    may_view, may_add, may_delete = (
        action in PERMISSIONS[role].get("clientsecret", ()) for action in ("view", "add", "delete")
    )
    if allowed(role, "directory/application", "view"):
        assert (str(secret) in admin.get(f"{base}change/").content.decode()) == may_view
    added = admin.post(f"{base}secrets/add/", {"days": "30"})
    assert (added.status_code, ours.application.secrets.count()) == ((302, 2) if may_add else (403, 1))
    removed = admin.post(f"{base}secrets/{secret.pk}/remove/")
    assert removed.status_code == (302 if may_delete else 403)
    assert ours.application.secrets.filter(pk=secret.pk).exists() is not may_delete


def test_rotates_keys_as_its_row_says(admin: Client, ours: Furnished, role: Role) -> None:
    may_rotate = allowed(role, "oidc/signingkey", "change")
    url = f"{ours.admin_url}oidc/signingkey/rotate/"
    assert admin.get(url).status_code == (200 if may_rotate else 403)
    assert admin.post(url, {"algorithm": "ES256"}).status_code == (302 if may_rotate else 403)


def test_gives_roles_only_if_its_row_says(admin: Client, ours: Furnished, role: Role) -> None:
    form = {
        "mail": "new@woodgrove.example",
        "display_name": "New",
        "password": "staple battery horse",
        "roles": [Role.GLOBAL_ADMINISTRATOR],
    }
    admin.post(f"{ours.admin_url}directory/user/add/", form)
    made = User.objects.filter(mail="new@woodgrove.example").first()
    assert (made is not None) == allowed(role, "directory/user", "add")
    if made is not None:
        gave = made.role_assignments.exists()
        assert gave == ("change" in PERMISSIONS[role].get("roleassignment", ()))
