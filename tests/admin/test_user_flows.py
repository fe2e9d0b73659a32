"""User flows and user attributes in the admin."""

from collections.abc import Callable

from django.test import Client

from directory.models import Application, AuditEvent, UserAttribute
from tests.admin.conftest import Furnished
from tests.admin.form_data import flow_form, no_rows
from userflows.models import ApplicationAssignment, AttributeAssignment, UserFlow


def flow_url(ours: Furnished, flow: UserFlow, page: str = "change") -> str:
    return f"{ours.admin_url}userflows/userflow/{flow.pk}/{page}/"


def question(number: int, ours: Furnished, attribute: str, **values: str) -> dict[str, str]:
    row = {
        "user_attribute": str(UserAttribute.objects.get(tenant=ours.tenant, name=attribute).pk),
        "order": str(number),
        "input_type": "textBox",
        "required": "on",
        **values,
    }
    return {f"attribute_assignments-{number}-{name}": value for name, value in row.items()}


def rows_of(flow: UserFlow) -> dict[str, str]:
    """Return what the browser sends back for the questions that the flow has."""
    questions = list(flow.attribute_assignments.all())
    form = {
        "attribute_assignments-TOTAL_FORMS": str(len(questions)),
        "attribute_assignments-INITIAL_FORMS": str(len(questions)),
    }
    for number, asked in enumerate(questions):
        prefix = f"attribute_assignments-{number}-"
        form |= {
            f"{prefix}id": str(asked.pk),
            f"{prefix}user_flow": str(flow.pk),
            f"{prefix}user_attribute": str(asked.user_attribute_id),
            f"{prefix}order": str(asked.order),
            f"{prefix}input_type": asked.input_type,
            f"{prefix}required": "on",
        }
    return form


def test_makes_a_flow_with_its_questions_and_the_prefix(browser: Client, ours: Furnished) -> None:
    form = flow_form(
        name="Partners",
        **{"attribute_assignments-TOTAL_FORMS": "2"},
        **question(0, ours, "Surname", order="2", label="Family name"),
        **question(1, ours, "Country", input_type="dropdownSingleSelect", choices="* Austria | AT\n Germany | DE \n"),
    )
    assert browser.post(f"{ours.admin_url}userflows/userflow/add/", form).status_code == 302
    flow = UserFlow.objects.get(tenant=ours.tenant, name="B2X_1_Partners")
    country, surname = flow.attribute_assignments.all()
    assert (str(surname), surname.required) == ("Family name", True)
    assert country.choices == [
        {"name": "Austria", "value": "AT", "isDefault": True},
        {"name": "Germany", "value": "DE", "isDefault": False},
    ]
    events = AuditEvent.objects.filter(target_id=str(flow.pk)).order_by("at")
    assert [event.activity for event in events] == ["user_flow.created", "user_flow.updated"]
    assert events[1].details == {"added": ["question Family name", "question Country or region"]}


def test_shows_choices_as_they_were_written(browser: Client, ours: Furnished) -> None:
    asked = ours.flow.attribute_assignments.last()
    assert asked is not None
    asked.choices = [{"name": "Ja", "value": "yes", "isDefault": True}, {"name": "Nein", "value": "Nein"}]
    asked.input_type = "radioSingleSelect"
    asked.save()
    assert "* Ja | yes\nNein</textarea>" in browser.get(flow_url(ours, ours.flow)).content.decode()
    form = flow_form(**rows_of(ours.flow), **{"attribute_assignments-1-choices": "* Ja | yes\nNein"})
    assert browser.post(flow_url(ours, ours.flow), form).status_code == 302
    assert not AuditEvent.objects.filter(target_id=str(ours.flow.pk), activity="user_flow.updated").exists()


def test_says_what_is_wrong_with_a_question(browser: Client, ours: Furnished) -> None:
    form = flow_form(
        name="Broken",
        **{"attribute_assignments-TOTAL_FORMS": "1"},
        **question(0, ours, "Country", input_type="radioSingleSelect", choices="One, two"),
    )
    page = browser.post(f"{ours.admin_url}userflows/userflow/add/", form).content.decode()
    assert "contain a comma" in page
    assert "One, two" in page
    assert not UserFlow.objects.filter(name="B2X_1_Broken").exists()


def test_does_not_offer_the_address_as_a_question(browser: Client, ours: Furnished) -> None:
    email = UserAttribute.objects.get(tenant=ours.tenant, name="Email")
    assert f'value="{email.pk}"' not in browser.get(flow_url(ours, ours.flow)).content.decode()


def test_changes_reorders_and_removes_questions(browser: Client, ours: Furnished) -> None:
    form = flow_form(**rows_of(ours.flow))
    form |= {
        "attribute_assignments-0-order": "7",
        "attribute_assignments-0-hint": "As in your passport",
        "attribute_assignments-1-DELETE": "on",
    }
    assert browser.post(flow_url(ours, ours.flow), form).status_code == 302
    left = ours.flow.attribute_assignments.get()
    assert (left.order, left.hint) == (7, "As in your passport")
    details = AuditEvent.objects.get(activity="user_flow.updated").details
    assert details == {"edited": ["question First name"], "removed": [f"question {ours.attribute}"]}


def test_never_renames_a_flow(browser: Client, ours: Furnished) -> None:
    browser.post(flow_url(ours, ours.flow), flow_form(name="B2X_1_Other", **rows_of(ours.flow)))
    assert UserFlow.objects.get(pk=ours.flow.pk).name == ours.flow.name


def test_links_and_unlinks_applications_by_the_verbs(
    browser: Client, ours: Furnished, make_application: Callable[..., Application]
) -> None:
    linked, unlinked = ours.flow.application_assignments.get(), make_application(ours.tenant, "Order tracker", "spa")
    prefix = "application_assignments-"
    form = flow_form(**rows_of(ours.flow)) | {
        f"{prefix}TOTAL_FORMS": "2",
        f"{prefix}INITIAL_FORMS": "1",
        f"{prefix}0-id": str(linked.pk),
        f"{prefix}0-user_flow": str(ours.flow.pk),
        f"{prefix}0-DELETE": "on",
        f"{prefix}1-user_flow": str(ours.flow.pk),
        f"{prefix}1-application": str(unlinked.pk),
    }
    assert browser.post(flow_url(ours, ours.flow), form).status_code == 302
    assert ours.flow.application_assignments.get().application == unlinked
    for activity, application in (("application.unassigned", ours.application), ("application.assigned", unlinked)):
        event = AuditEvent.objects.get(activity=activity, actor_id=str(ours.admin.pk))
        assert event.target_name == str(application)


def test_refuses_first_party_applications_and_those_of_another_flow(
    browser: Client,
    ours: Furnished,
    make_user_flow: Callable[..., UserFlow],
    make_application: Callable[..., Application],
) -> None:
    flow = make_user_flow(ours.tenant, "Partners", questions=())
    own = make_application(ours.tenant, "Portal", is_first_party=True)
    for application, reason in ((own, "first-party application"), (ours.application, "uses a user flow already")):
        form = flow_form() | {
            "application_assignments-TOTAL_FORMS": "1",
            "application_assignments-0-user_flow": str(flow.pk),
            "application_assignments-0-application": str(application.pk),
        }
        assert reason in browser.post(flow_url(ours, flow), form).content.decode()
    assert not ApplicationAssignment.objects.filter(user_flow=flow).exists()


def test_deletes_no_flow_while_applications_use_it(browser: Client, ours: Furnished) -> None:
    url = flow_url(ours, ours.flow, "delete")
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


def test_leaves_the_people_on_their_way_alone_when_no_rows_are_sent(browser: Client, ours: Furnished) -> None:
    before = list(ours.flow.attribute_assignments.values_list("pk", flat=True))
    browser.post(flow_url(ours, ours.flow), {"sign_up_enabled": "on", **no_rows("attribute_assignments")})
    assert list(ours.flow.attribute_assignments.values_list("pk", flat=True)) == before
