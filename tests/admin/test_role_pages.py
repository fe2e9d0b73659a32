"""The roles: what each may do, who holds it, giving it and taking it away."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.utils import timezone

from directory.models import AuditEvent, User
from directory.roles import PERMISSIONS, Role
from tests.admin.conftest import Furnished, browser_of

pytestmark = pytest.mark.any_database

GLOBAL = Role.GLOBAL_ADMINISTRATOR
READER = Role.GLOBAL_READER


def role_url(ours: Furnished, role: Role | str = "", action: str = "", user: User | None = None) -> str:
    tail = "".join(f"{part}/" for part in (role, action, user.pk if user else "") if part)
    return f"{ours.admin_url}directory/roleassignment/{tail}"


def text_of(response: object) -> str:
    return " ".join(response.content.decode().split()).replace("&#x27;", "'")  # type: ignore[attr-defined]


@pytest.fixture
def member(ours: Furnished, make_admin: Callable[..., User]) -> User:
    return make_admin(ours.tenant, mail="member@woodgrove.example")


def test_lists_every_role_in_words_with_its_count(browser: Client, ours: Furnished) -> None:
    page = text_of(browser.get(role_url(ours)))
    for role in Role:
        assert str(role.label) in page
        assert f'href="{role_url(ours, role)}"' in page
    assert "<strong>View, add, change and delete:</strong> identity providers" in page
    assert "<strong>View and change:</strong> signing keys" in page
    assert f'href="{role_url(ours)}"' in browser.get(ours.admin_url).content.decode()


def test_shows_who_holds_a_role(browser: Client, ours: Furnished, theirs: Furnished) -> None:
    page = text_of(browser.get(role_url(ours, GLOBAL)))
    assert ours.admin.mail in page
    assert f"{ours.admin_url}directory/user/{ours.admin.pk}/change/" in page
    assert theirs.marker not in page
    assert "Nobody yet." in text_of(browser.get(role_url(ours, READER)))


def test_gives_a_role_to_a_member_that_was_searched(browser: Client, ours: Furnished, member: User) -> None:
    found = text_of(browser.get(role_url(ours, READER), {"q": "MEMBER woodgrove"}))
    assert role_url(ours, READER, "assign", member) in found
    assert "From now on they may:" in text_of(browser.get(role_url(ours, READER, "assign", member)))
    assert not member.role_assignments.exists()
    page = text_of(browser.post(role_url(ours, READER, "assign", member), follow=True))
    assert "has the role Global Reader now." in page
    assert member.mail in page
    event = AuditEvent.objects.get(activity="role.assigned", target_id=str(member.pk))
    assert (event.actor_id, event.details) == (str(ours.admin.pk), {"role": "global_reader"})
    # Twice is said, and nothing happens.
    again = text_of(browser.post(role_url(ours, READER, "assign", member), follow=True))
    assert "This person has this role already." in again
    assert role_url(ours, READER, "assign", member) not in text_of(browser.get(role_url(ours, READER), {"q": "member"}))


def test_takes_a_role_away(browser: Client, ours: Furnished, make_admin: Callable[..., User]) -> None:
    reader = make_admin(ours.tenant, READER, mail="reader@woodgrove.example")
    theirs = browser_of(reader)
    assert theirs.get(ours.admin_url).status_code == 200
    assert "They lose what it lets one do" in text_of(browser.get(role_url(ours, READER, "remove", reader)))
    browser.post(role_url(ours, READER, "remove", reader))
    assert not reader.role_assignments.exists()
    assert theirs.get(ours.admin_url).status_code == 302


def test_finds_no_guests_no_deleted_and_nobody_elsewhere(
    browser: Client, ours: Furnished, theirs: Furnished, member: User
) -> None:
    User.objects.filter(pk=member.pk).update(deleted_at=timezone.now())
    for user, words in ((ours.guest, "marker"), (member, "member"), (theirs.admin, "globex")):
        page = text_of(browser.get(role_url(ours, READER), {"q": words}))
        assert role_url(ours, READER, "assign", user) not in page
        for action in ("assign", "remove"):
            assert browser.get(role_url(ours, READER, action, user)).status_code == 404
            assert browser.post(role_url(ours, READER, action, user)).status_code == 404
        assert not user.role_assignments.filter(role=READER).exists()


def test_nobody_changes_their_own_roles(browser: Client, ours: Furnished) -> None:
    assert "You" in text_of(browser.get(role_url(ours, GLOBAL)))
    assert role_url(ours, GLOBAL, "remove", ours.admin) not in text_of(browser.get(role_url(ours, GLOBAL)))
    for action in ("assign", "remove"):
        assert browser.post(role_url(ours, READER, action, ours.admin)).status_code == 403
    assert browser.post(role_url(ours, GLOBAL, "remove", ours.admin)).status_code == 403
    assert ours.admin.role_assignments.get().role == GLOBAL


def test_says_why_the_last_one_keeps_the_role(
    ours: Furnished, make_admin: Callable[..., User], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever gives roles without being one: no row of the table has that today."""
    monkeypatch.setitem(PERMISSIONS[Role.USER_ADMINISTRATOR], "roleassignment", frozenset({"view", "change"}))
    helper = browser_of(make_admin(ours.tenant, Role.USER_ADMINISTRATOR, mail="helper@woodgrove.example"))
    page = text_of(helper.post(role_url(ours, GLOBAL, "remove", ours.admin), follow=True))
    assert "is the last Global Administrator" in page
    assert ours.admin.role_assignments.exists()
    # The form on the person's own page says it too.
    form = {"display_name": "Ada", "roles": [READER], "identities-TOTAL_FORMS": "0", "identities-INITIAL_FORMS": "0"}
    form |= {"app_role_assignments-TOTAL_FORMS": "0", "app_role_assignments-INITIAL_FORMS": "0"}
    page = text_of(helper.post(f"{ours.admin_url}directory/user/{ours.admin.pk}/change/", form, follow=True))
    assert "is the last Global Administrator" in page
    assert ours.admin.role_assignments.get().role == GLOBAL


def test_asks_who_is_there_first(ours: Furnished, member: User) -> None:
    browser = browser_of(ours.admin, proven=False)
    assert browser.get(role_url(ours)).status_code == 200
    assert browser.post(role_url(ours, READER, "assign", member)).status_code == 302
    assert not member.role_assignments.exists()


@pytest.mark.parametrize("role", list(Role))
def test_each_role_sees_and_does_what_its_row_says(
    ours: Furnished, make_admin: Callable[..., User], member: User, role: Role
) -> None:
    browser = browser_of(make_admin(ours.tenant, role, mail="one.role@woodgrove.example"))
    row = PERMISSIONS[role].get("roleassignment", frozenset())
    seen = 200 if "view" in row else 403
    assert browser.get(role_url(ours)).status_code == seen
    page = browser.get(role_url(ours, GLOBAL), {"q": "member"})
    assert page.status_code == seen
    assert ("Give it to a member" in page.content.decode()) == ("change" in row)
    for action in ("assign", "remove"):
        expected = 302 if "change" in row else 403
        assert browser.post(role_url(ours, Role.APPLICATION_ADMINISTRATOR, action, member)).status_code == expected
    gave = AuditEvent.objects.filter(activity="role.assigned", target_id=str(member.pk)).exists()
    assert gave == ("change" in row)


def test_shows_any_name_and_takes_any_search(browser: Client, ours: Furnished, member: User) -> None:
    User.objects.filter(pk=member.pk).update(display_name="<script>alert(1)</script>", search_text="<script>alert")
    for words in ("<script>", "%", "_", "\\", "x" * 5000, "אבג", "a\x00b"):
        page = browser.get(role_url(ours, READER), {"q": words})
        assert page.status_code == 200
        assert "<script>alert" not in page.content.decode()
    browser.post(role_url(ours, READER, "assign", member))
    for url in (role_url(ours, READER), role_url(ours, READER, "remove", member)):
        assert "<script>alert" not in browser.get(url).content.decode()


@pytest.mark.parametrize("path", ["emperor/", "emperor/assign/{pk}/", "add/", "{pk}/change/", "{pk}/delete/"])
def test_knows_no_other_pages(browser: Client, ours: Furnished, path: str) -> None:
    url = role_url(ours) + path.format(pk=ours.admin.pk)
    assert browser.get(url).status_code == 404
    assert browser.post(url).status_code == 404
