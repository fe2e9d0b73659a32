"""A new flow: from a template, or as a copy; it works with no change at all."""

from collections.abc import Callable

import pytest
from django.test import Client

from directory.models import AuditEvent, User, UserAttribute
from directory.roles import Role
from tests.admin.conftest import Furnished, browser_of
from tests.relying_party import RelyingParty
from tests.stranger import Stranger
from userflows.definition import definition_of, questions_in
from userflows.flow_templates import TEMPLATES
from userflows.models import UserFlow
from userflows.publishing import publish

pytestmark = pytest.mark.any_database

QUESTIONS = {
    "suppliers": ["First name", "Last name", "Company name", "Tax ID", "Phone number", "Country or region"],
    "partners": ["First name", "Last name", "Company name", "Job title", "What will we work on together?"],
    "customers": ["First name", "Last name", "Country or region"],
    "blank": ["First name", "Last name"],
}


def add_url(ours: Furnished) -> str:
    return f"{ours.admin_url}userflows/userflow/add/"


def labels(flow: UserFlow) -> list[str]:
    return [question["label"] for question in questions_in(definition_of(flow))]


def test_every_template_is_in_these_tests() -> None:
    assert [template.id for template in TEMPLATES] == list(QUESTIONS)


@pytest.mark.parametrize("template", QUESTIONS)
def test_makes_a_flow_that_can_be_published_as_it_is(browser: Client, ours: Furnished, template: str) -> None:
    assert template in browser.get(add_url(ours)).content.decode()
    made = browser.post(add_url(ours), {"template": template, "name": "Fresh"})
    flow = UserFlow.objects.get(tenant=ours.tenant, name="B2X_1_Fresh")
    assert made["Location"] == f"{ours.admin_url}userflows/userflow/{flow.pk}/change/"
    assert labels(flow) == QUESTIONS[template]
    assert flow.identity_provider_assignments.count() == 1
    assert flow.live_version is None
    assert publish(flow).number == 1
    assert AuditEvent.objects.get(activity="user_flow.created", target_id=str(flow.pk)).actor_id == str(ours.admin.pk)
    assert browser.get(made["Location"]).status_code == 200


def test_uses_the_attributes_that_there_are(
    browser: Client, ours: Furnished, make_attribute: Callable[..., UserAttribute]
) -> None:
    own = UserAttribute(tenant=ours.tenant, name="Firm", display_name="company NAME")
    own.full_clean()
    own.save()
    by_name = make_attribute(ours.tenant, "taxid")
    for name in ("One", "Two"):
        assert browser.post(add_url(ours), {"template": "suppliers", "name": name}).status_code == 302
    flow = UserFlow.objects.get(name="B2X_1_Two")
    asked = {assignment.user_attribute for assignment in flow.attribute_assignments.all()}
    assert {own, by_name} <= asked
    assert UserAttribute.objects.filter(tenant=ours.tenant, display_name="Phone number").count() == 1
    assert AuditEvent.objects.filter(activity="user_attribute.created").count() == 1


def test_a_role_without_attributes_gets_the_template_without_them(
    ours: Furnished, make_admin: Callable[..., User]
) -> None:
    limited = browser_of(make_admin(ours.tenant, Role.USER_FLOW_ADMINISTRATOR, mail="flows@woodgrove.example"))
    page = limited.post(add_url(ours), {"template": "suppliers", "name": "Fresh"}, follow=True).content.decode()
    assert "Company name, Tax ID, Phone number" in page
    assert labels(UserFlow.objects.get(name="B2X_1_Fresh")) == ["First name", "Last name", "Country or region"]
    assert not UserAttribute.objects.filter(display_name="Tax ID").exists()


def test_copies_the_draft_of_a_flow(browser: Client, ours: Furnished) -> None:
    UserFlow.objects.filter(pk=ours.flow.pk).update(heading="Of the draft", description="Note")
    form = {"template": "copy", "source": str(ours.flow.pk), "name": "Second"}
    assert browser.post(add_url(ours), form).status_code == 302
    copy = UserFlow.objects.get(name="B2X_1_Second")
    ours.flow.refresh_from_db()
    assert definition_of(copy) == definition_of(ours.flow)
    assert (copy.heading, copy.description, copy.application_assignments.count()) == ("Of the draft", "Note", 0)
    assert ours.flow.application_assignments.count() == 1
    event = AuditEvent.objects.get(activity="user_flow.created", target_id=str(copy.pk))
    assert event.details == {"copied_from": ours.flow.name}


def test_copies_no_flow_of_another_tenant(browser: Client, ours: Furnished, theirs: Furnished) -> None:
    form = {"template": "copy", "source": str(theirs.flow.pk), "name": "Second"}
    page = browser.post(add_url(ours), form).content.decode()
    assert "Select a valid choice" in page
    assert theirs.marker not in browser.get(add_url(ours)).content.decode()
    assert not UserFlow.objects.filter(name="B2X_1_Second").exists()


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"template": "blank", "name": ""}, "Give the flow a name"),
        ({"template": "copy", "name": "X"}, "Choose the flow to copy."),
        ({"name": "X"}, "Choose what to begin with."),
        ({"template": "evil", "name": "X"}, "Select a valid choice"),
        ({"template": "blank", "name": "<script>alert(1)</script>"}, "no spaces or hyphens"),
        ({"template": "blank", "name": "اسم"}, "no spaces or hyphens"),
        ({"template": "blank", "name": "👩"}, "no spaces or hyphens"),
        ({"template": "blank", "name": "x" * 300}, "at most 70 characters"),
        ({"template": "blank", "name": "x" * 65}, "at most 70 characters"),
        ({"template": "blank", "name": "nul\0l"}, "Null characters are not allowed."),
        ({"template": "blank", "name": "woodgrove_MARKER"}, "This tenant has a user flow with this name."),
    ],
)
def test_says_what_is_wrong(browser: Client, ours: Furnished, form: dict[str, str], words: str) -> None:
    before = UserFlow.objects.count()
    page = browser.post(add_url(ours), form)
    assert page.status_code == 200
    assert words in page.content.decode()
    assert "<script>alert" not in page.content.decode()
    assert UserFlow.objects.count() == before


def test_is_for_those_who_may_add_flows(ours: Furnished, make_admin: Callable[..., User]) -> None:
    reader = browser_of(make_admin(ours.tenant, Role.GLOBAL_READER, mail="reader@woodgrove.example"))
    assert reader.get(add_url(ours)).status_code == 403
    assert reader.post(add_url(ours), {"template": "blank", "name": "X"}).status_code == 403


def test_a_stranger_signs_up_by_a_template(
    browser: Client, ours: Furnished, make_relying_party: Callable[..., RelyingParty], stranger: Stranger
) -> None:
    browser.post(add_url(ours), {"template": "blank", "name": "Fresh"})
    flow = UserFlow.objects.get(name="B2X_1_Fresh")
    publish(flow)
    application = make_relying_party(ours.tenant, flow, name="Fresh app")
    stranger.open(application.request_url()).give_email().give_code()
    stranger.submit(GivenName="Amina", Surname="Haddad")
    assert User.objects.get(given_name="Amina").sign_up.user_flow == flow
