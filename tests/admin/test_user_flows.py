"""User flows and user attributes in the admin."""

import re
import uuid
from collections.abc import Callable

import pytest
from django.test import Client

from directory.models import AuditEvent, Tenant, User, UserAttribute
from directory.roles import Role
from tests.admin.building import flow_url
from tests.admin.conftest import Furnished, browser_of
from userflows.flows import create_user_flow, set_sign_up_enabled
from userflows.models import AttributeAssignment, SignUp, UserFlow

pytestmark = pytest.mark.any_database


def columns(browser: Client, ours: Furnished, query: str = "") -> dict[str, str]:
    """Return the rows of the list by the flow's name, as text."""
    html = browser.get(f"{ours.admin_url}userflows/userflow/{query}").content.decode()
    table = re.search(r"<tbody>(.*?)</tbody>", html, re.DOTALL)
    rows = re.findall(r"<tr>(.*?)</tr>", table[1], re.DOTALL) if table else []
    texts = [" ".join(re.sub(r"<[^>]*>", " ", row).split()) for row in rows]
    return {text.split()[0]: text for text in texts}


def test_lists_what_there_is_to_know_of_each_flow(
    browser: Client, ours: Furnished, make_user_flow: Callable[..., UserFlow]
) -> None:
    draft = create_user_flow(UserFlow(tenant=ours.tenant, name="Draft", description="For <b>later</b>"))
    paused = make_user_flow(ours.tenant, "Paused", questions=())
    set_sign_up_enabled(paused, enabled=False)
    UserFlow.objects.filter(pk=ours.flow.pk).update(heading="Changed")
    rows = columns(browser, ours)
    assert rows[ours.flow.name].startswith(f"{ours.flow.name} Live version 1 Unpublished changes")
    assert " 1 2 " in rows[ours.flow.name]
    assert rows[paused.name].startswith("B2X_1_Paused Paused version 1")
    assert "Unpublished changes" not in rows[paused.name]
    assert rows[draft.name].startswith("B2X_1_Draft For &lt;b&gt;later&lt;/b&gt; Not published")


def test_filters_by_status_and_searches_in_descriptions(
    browser: Client, ours: Furnished, make_user_flow: Callable[..., UserFlow]
) -> None:
    create_user_flow(UserFlow(tenant=ours.tenant, name="Draft", description="For the spring fair"))
    set_sign_up_enabled(make_user_flow(ours.tenant, "Paused", questions=()), enabled=False)
    for query, name in (
        ("?status=live", ours.flow.name),
        ("?status=draft", "B2X_1_Draft"),
        ("?status=paused", "B2X_1_Paused"),
        ("?q=spring", "B2X_1_Draft"),
    ):
        assert list(columns(browser, ours, query)) == [name]
    assert len(columns(browser, ours, "?status=other")) == 3


def test_an_empty_list_offers_the_templates(
    make_tenant: Callable[..., Tenant], make_admin: Callable[..., User]
) -> None:
    admin = make_admin(make_tenant("empty"), Role.GLOBAL_ADMINISTRATOR)
    page = browser_of(admin).get("/empty/admin/userflows/userflow/").content.decode()
    assert "Start from a template" in page


def test_says_what_deleting_hits(
    browser: Client, ours: Furnished, make_guest: Callable[..., User], make_user_flow: Callable[..., UserFlow]
) -> None:
    flow = make_user_flow(ours.tenant, "Old", questions=())
    url = flow_url(ours, flow, "delete")
    assert "Nobody has signed up by it." in browser.get(url).content.decode()
    guest = make_guest(ours.tenant, "came@x.example")
    SignUp.objects.create(
        user=guest, tenant=ours.tenant, user_flow=flow, journey_id=uuid.uuid4(), correlation_id=uuid.uuid4()
    )
    page = browser.get(url).content.decode()
    assert "1 person came by it and keeps their account and answers." in page
    assert browser.post(url, {"post": "yes"}).status_code == 302
    assert SignUp.objects.get(user=guest).user_flow is None


def test_deletes_no_flow_while_applications_use_it(browser: Client, ours: Furnished) -> None:
    url = flow_url(ours, page="delete")
    page = browser.post(url, {"post": "yes"}).content.decode()
    assert "can&#x27;t be deleted" in page or "can't be deleted" in page
    assert f"The application {ours.application.name} uses it." in page
    assert UserFlow.objects.filter(pk=ours.flow.pk).exists()
    ours.flow.application_assignments.all().delete()
    assert browser.post(url, {"post": "yes"}).status_code == 302
    assert not AttributeAssignment.objects.filter(user_flow_id=ours.flow.pk).exists()
    assert AuditEvent.objects.filter(activity="user_flow.deleted").exists()


def test_adds_a_custom_attribute_with_the_prefix(browser: Client, ours: Furnished) -> None:
    form = {"name": "Hobby", "display_name": "Hobby", "data_type": "string"}
    url = f"{ours.admin_url}directory/userattribute/add/"
    assert browser.post(url, form).status_code == 302
    attribute = UserAttribute.objects.get(tenant=ours.tenant, name="extension_Hobby")
    assert attribute.attribute_type == "custom"
    assert AuditEvent.objects.get(target_id=str(attribute.pk)).activity == "user_attribute.created"
    assert (
        "This tenant has an attribute with this name." in browser.post(url, {**form, "name": "hobby"}).content.decode()
    )


def test_changes_only_the_words_of_a_built_in_attribute(browser: Client, ours: Furnished) -> None:
    built_in = UserAttribute.objects.get(tenant=ours.tenant, name="GivenName")
    url = f"{ours.admin_url}directory/userattribute/{built_in.pk}/"
    form = {"display_name": "Forename", "description": "Note", "name": "extension_X", "data_type": "int64"}
    browser.post(f"{url}change/", {**form, "autocomplete": "tel", "attribute_type": "custom"})
    built_in.refresh_from_db()
    assert (built_in.display_name, built_in.description) == ("Forename", "Note")
    assert (built_in.name, built_in.data_type, built_in.autocomplete) == ("GivenName", "string", "")
    assert browser.post(f"{url}delete/", {"post": "yes"}).status_code == 403


def test_deletes_no_attribute_while_a_flow_asks_for_it(browser: Client, ours: Furnished) -> None:
    url = f"{ours.admin_url}directory/userattribute/{ours.attribute.pk}/delete/"
    page = browser.post(url, {"post": "yes"}).content.decode()
    assert f"The user flow {ours.flow.name} asks for it." in page
    assert UserAttribute.objects.filter(pk=ours.attribute.pk).exists()
