"""User attributes in the admin: what can be asked, where it is asked, and what stands against changing it."""

from collections.abc import Callable

import pytest
from django.core.exceptions import ValidationError
from django.test import Client

from directory.models import AuditEvent, DataType, User, UserAttribute
from directory.roles import Role
from tests.admin.conftest import Furnished, browser_of
from userflows.attribute_use import delete_attribute
from userflows.models import AttributeAssignment, UserFlow

pytestmark = pytest.mark.any_database


@pytest.fixture
def unused(ours: Furnished, make_attribute: Callable[..., UserAttribute]) -> UserAttribute:
    return make_attribute(ours.tenant, "Hobby")


def url_of(ours: Furnished, attribute: UserAttribute, page: str = "change") -> str:
    return f"{ours.admin_url}directory/userattribute/{attribute.pk}/{page}/"


def form(**values: str) -> dict[str, str]:
    return {"display_name": "Hobby", "description": "", "autocomplete": "", **values}


def flow_link(ours: Furnished, flow: UserFlow) -> str:
    return f'<a href="{ours.admin_url}userflows/userflow/{flow.pk}/change/">{flow.name}</a>'


@pytest.mark.parametrize("page", ["list", "change"])
def test_shows_which_flows_ask_for_it_and_where(
    browser: Client, ours: Furnished, theirs: Furnished, make_user_flow: Callable[..., UserFlow], page: str
) -> None:
    url = f"{ours.admin_url}directory/userattribute/" if page == "list" else url_of(ours, ours.attribute)
    link = flow_link(ours, ours.flow)
    assert f"{link} (draft and live)" in browser.get(url).content.decode()
    ours.flow.attribute_assignments.all().delete()
    assert f"{link} (live)" in browser.get(url).content.decode()
    drafted = UserFlow.objects.create(tenant=ours.tenant, name="B2X_1_Partners")
    AttributeAssignment.objects.create(user_flow=drafted, user_attribute=ours.attribute)
    html = browser.get(url).content.decode()
    assert f"{flow_link(ours, drafted)} (draft)" in html
    assert theirs.flow.name not in html
    UserFlow.objects.filter(pk=ours.flow.pk).update(live_version=None)
    assert link not in browser.get(url).content.decode()


def test_names_no_more_flows_than_a_row_can_hold(browser: Client, ours: Furnished) -> None:
    for number in range(6):
        flow = UserFlow.objects.create(tenant=ours.tenant, name=f"B2X_1_{number}")
        AttributeAssignment.objects.create(user_flow=flow, user_attribute=ours.attribute)
    html = browser.get(f"{ours.admin_url}directory/userattribute/").content.decode()
    assert "B2X_1_2</a> (draft) and more" in html
    assert "B2X_1_3" not in html
    assert "B2X_1_5</a> (draft)" in browser.get(url_of(ours, ours.attribute)).content.decode()


def test_changes_the_data_type_of_one_that_nothing_uses(
    browser: Client, ours: Furnished, unused: UserAttribute
) -> None:
    assert 'name="data_type"' in browser.get(url_of(ours, unused)).content.decode()
    assert browser.post(url_of(ours, unused), form(data_type="int64")).status_code == 302
    unused.refresh_from_db()
    assert unused.data_type == DataType.INT
    event = AuditEvent.objects.get(activity="user_attribute.updated")
    assert (event.details["before"]["data_type"], event.details["after"]["data_type"]) == ("string", "int64")


def test_fixes_the_data_type_once_a_flow_asks(browser: Client, ours: Furnished) -> None:
    html = browser.get(url_of(ours, ours.attribute)).content.decode()
    assert 'name="data_type"' not in html
    assert "It can&#x27;t be changed any more" in html or "It can't be changed any more" in html
    browser.post(url_of(ours, ours.attribute), form(data_type="int64", name="extension_Other"))
    ours.attribute.refresh_from_db()
    assert (ours.attribute.data_type, ours.attribute.name) == (DataType.STRING, "extension_woodgrove_marker")


def test_fixes_the_data_type_once_a_person_has_a_value(browser: Client, ours: Furnished, unused: UserAttribute) -> None:
    User.objects.filter(pk=ours.guest.pk).update(extension_values={unused.name: "Chess"})
    page = browser.post(url_of(ours, unused), form(data_type="int64"))
    assert "be changed any more" in str(page.context["adminform"].form.errors["data_type"])
    unused.refresh_from_db()
    assert unused.data_type == DataType.STRING


def test_deletes_one_that_no_flow_uses_and_says_what_it_was(
    browser: Client, ours: Furnished, unused: UserAttribute
) -> None:
    assert "Answers that people gave stay" in browser.get(url_of(ours, unused, "delete")).content.decode()
    assert browser.post(url_of(ours, unused, "delete"), {"post": "yes"}).status_code == 302
    assert not UserAttribute.objects.filter(pk=unused.pk).exists()
    event = AuditEvent.objects.get(activity="user_attribute.deleted")
    assert (event.actor_id, event.target_id) == (str(ours.admin.pk), str(unused.pk))
    assert event.details["before"]["name"] == "extension_Hobby"


@pytest.mark.parametrize(
    ("in_draft", "is_live", "words"),
    [
        (True, True, "Remove the question there and publish the flow first."),
        (True, False, "Remove the question there first."),
        (False, True, "asks for it until it is published without the question."),
    ],
)
def test_is_kept_while_a_flow_asks_in_its_draft_or_live(
    browser: Client, ours: Furnished, in_draft: bool, is_live: bool, words: str
) -> None:
    if not in_draft:
        ours.flow.attribute_assignments.all().delete()
    if not is_live:
        UserFlow.objects.filter(pk=ours.flow.pk).update(live_version=None)
    for page in (
        browser.get(url_of(ours, ours.attribute, "delete")),
        browser.post(url_of(ours, ours.attribute, "delete"), {"post": "yes"}),
    ):
        html = page.content.decode()
        assert words in html
        assert f"{ours.admin_url}userflows/userflow/{ours.flow.pk}/change/" in html
    with pytest.raises(ValidationError, match=ours.flow.name):
        delete_attribute(ours.attribute)
    assert UserAttribute.objects.filter(pk=ours.attribute.pk).exists()


def test_an_old_version_keeps_no_attribute_from_being_deleted(browser: Client, ours: Furnished) -> None:
    ours.flow.attribute_assignments.all().delete()
    UserFlow.objects.filter(pk=ours.flow.pk).update(live_version=None)
    assert ours.attribute.user_flow_versions.exists()
    assert browser.post(url_of(ours, ours.attribute, "delete"), {"post": "yes"}).status_code == 302
    assert not UserAttribute.objects.filter(pk=ours.attribute.pk).exists()


def test_no_built_in_one_is_deleted(browser: Client, ours: Furnished) -> None:
    city = UserAttribute.objects.get(tenant=ours.tenant, name="City")
    assert browser.post(url_of(ours, city, "delete"), {"post": "yes"}).status_code == 403
    with pytest.raises(ValidationError, match="built-in"):
        delete_attribute(city)


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", "\u202eشركة", "🦊" * 100, "{{ x }}%(name)s%"])
def test_shows_hostile_labels_harmlessly(browser: Client, ours: Furnished, unused: UserAttribute, name: str) -> None:
    UserAttribute.objects.filter(pk=unused.pk).update(display_name=name[:100], description=name[:250])
    pages = [f"{ours.admin_url}directory/userattribute/"]
    pages += [url_of(ours, unused, page) for page in ("change", "delete", "history")]
    for url in pages:
        page = browser.get(url)
        assert page.status_code == 200
        assert "<script>alert" not in page.content.decode()


@pytest.mark.parametrize("label", ["x" * 101, "a\x00b", " "])
def test_refuses_labels_that_it_cannot_keep(
    browser: Client, ours: Furnished, unused: UserAttribute, label: str
) -> None:
    page = browser.post(url_of(ours, unused), form(display_name=label, data_type="string"))
    assert page.context["adminform"].form.errors["display_name"]


def test_links_to_flows_for_those_who_look_after_attributes(ours: Furnished, make_admin: Callable[..., User]) -> None:
    role = Role.USER_FLOW_ATTRIBUTE_ADMINISTRATOR
    other = browser_of(make_admin(ours.tenant, role, mail="other@woodgrove.example"))
    assert flow_link(ours, ours.flow) in other.get(url_of(ours, ours.attribute)).content.decode()
    assert other.get(f"{ours.admin_url}userflows/userflow/{ours.flow.pk}/change/").status_code == 200
