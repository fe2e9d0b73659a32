"""The flow builder: everything of a draft on one page, saved in one go, never over somebody else's work."""

from collections.abc import Callable

import pytest
from django.test import Client

from directory.models import Application, AuditEvent, IdentityProvider, User, UserAttribute
from directory.roles import Role
from tests.admin.building import PREFIX, attribute_id, flow_url, form_of, new_row, open_builder, row, save
from tests.admin.conftest import Furnished, browser_of
from userflows.definition import definition_of, questions_in
from userflows.models import ApplicationAssignment, UserFlow
from userflows.publishing import has_unpublished_changes

pytestmark = pytest.mark.any_database


def asked(flow: UserFlow) -> list[str]:
    names = flow.attribute_assignments.values_list("user_attribute__name", flat=True)
    return list(names.order_by("order"))


def test_saves_nothing_that_was_not_changed(browser: Client, ours: Furnished) -> None:
    form = open_builder(browser, ours)
    page = browser.post(flow_url(ours), form, follow=True)
    assert "Nothing was changed." in page.content.decode()
    ours.flow.refresh_from_db()
    assert ours.flow.revision == 0
    assert not has_unpublished_changes(ours.flow)
    assert not AuditEvent.objects.filter(activity="user_flow.updated").exists()


def test_saves_every_part_in_one_go_and_says_so_in_the_log(browser: Client, ours: Furnished) -> None:
    form = open_builder(browser, ours)
    form |= {
        "description": "For suppliers",
        "heading": "Welcome",
        "introduction": "One\r\nTwo",
        "admission": "allowedDomains",
        "domains": "Fabrikam.com\ncontoso.com",
        "code_length": "6",
        "code_minutes": "30",
        "code_sender": "Fabrikam suppliers",
        "questions_heading": "About you",
        **row(0, order="2", hint="As in your passport"),
        **row(1, order="1", label="Marker?"),
    }
    del form[f"{PREFIX}-0-required"]
    form |= new_row(form, user_attribute=attribute_id(ours, "City"), starts_page="on", page_heading="Where you are")
    assert save(browser, ours, form).status_code == 302
    flow = UserFlow.objects.get(pk=ours.flow.pk)
    definition = definition_of(flow)
    assert (flow.revision, flow.description) == (1, "For suppliers")
    assert (definition["heading"], definition["introduction"]) == ("Welcome", "One\nTwo")
    assert definition["domains"] == ["fabrikam.com", "contoso.com"]
    assert definition["code"] == {"length": 6, "minutes": 30, "sender": "Fabrikam suppliers"}
    assert [page["heading"] for page in definition["pages"]] == ["About you", "Where you are"]
    assert [question["label"] for question in questions_in(definition)] == ["Marker?", "First name", "City"]
    assert [question["required"] for question in questions_in(definition)] == [True, False, True]
    event = AuditEvent.objects.get(activity="user_flow.updated")
    assert event.actor_name == str(ours.admin)
    told = "\n".join(event.details["changes"])
    for words in ("“Welcome” instead of the standard one", "First name” is now optional", "For suppliers", "Marker?"):
        assert words in told


def test_does_not_touch_what_people_meet(browser: Client, ours: Furnished) -> None:
    form = open_builder(browser, ours) | {"heading": "Draft only"}
    page = browser.post(flow_url(ours), form, follow=True).content.decode()
    ours.flow.refresh_from_db()
    assert ours.flow.live_version is not None
    assert ours.flow.live_version.definition["heading"] == ""
    assert "People still meet version 1 until you publish." in page
    assert "1 unpublished change" in page


def test_removes_questions_and_orders_equals_as_they_stand(browser: Client, ours: Furnished) -> None:
    form = open_builder(browser, ours) | row(0, order="5", DELETE="on") | row(1, order="")
    form |= new_row(form, user_attribute=attribute_id(ours, "City"), order="7")
    form |= new_row(form, user_attribute=attribute_id(ours, "Country"), order="7")
    assert save(browser, ours, form).status_code == 302
    assert asked(ours.flow) == ["City", "Country", ours.attribute.name]


def test_adds_a_row_without_script_and_loses_nothing(browser: Client, ours: Furnished) -> None:
    form = open_builder(browser, ours) | {"heading": "Typed"} | row(0, label="Also typed")
    page = save(browser, ours, form, _add_question="")
    assert page.status_code == 200
    again = form_of(page.content.decode())
    assert again[f"{PREFIX}-TOTAL_FORMS"] == ["3"]
    assert (again["heading"], again[f"{PREFIX}-0-label"]) == (["Typed"], ["Also typed"])
    assert again[f"{PREFIX}-2-required"] == ["on"]
    assert "errornote" not in page.content.decode()
    ours.flow.refresh_from_db()
    assert ours.flow.heading == ""
    assert save(browser, ours, again | row(2, user_attribute=attribute_id(ours, "City"))).status_code == 302
    assert asked(ours.flow) == ["GivenName", ours.attribute.name, "City"]


def test_leaves_out_rows_in_which_nothing_was_typed(browser: Client, ours: Furnished) -> None:
    page = save(browser, ours, open_builder(browser, ours), _add_question="")
    assert save(browser, ours, form_of(page.content.decode())).status_code == 302
    assert len(asked(ours.flow)) == 2


def test_makes_a_new_attribute_in_the_same_save(browser: Client, ours: Furnished) -> None:
    form = open_builder(browser, ours)
    form |= new_row(
        form, user_attribute="new", label="Number of employees", data_type="int64", input_type="numericTextBox"
    )
    assert save(browser, ours, form).status_code == 302
    made = UserAttribute.objects.get(name="extension_NumberOfEmployees")
    assert (made.tenant, made.data_type, made.display_name) == (ours.tenant, "int64", "Number of employees")
    assert asked(ours.flow)[-1] == made.name
    assert AuditEvent.objects.get(activity="user_attribute.created").target_id == str(made.pk)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"label": ""}, "named after it"),
        ({"label": "First name"}, "Choose “First name” instead of making another."),
        ({"label": "Size", "data_type": "int64", "input_type": "dateTimeDropdown"}, "doesn&#x27;t fit"),
        ({"label": "Size", "input_type": "radioSingleSelect"}, "Write at least one choice."),
    ],
)
def test_makes_no_attribute_that_it_cannot_ask(
    browser: Client, ours: Furnished, values: dict[str, str], words: str
) -> None:
    form = open_builder(browser, ours)
    form |= new_row(form, user_attribute="new", **values) | {"heading": "Typed"}
    page = save(browser, ours, form)
    assert page.status_code == 200
    html = page.content.decode()
    assert words in html or words.replace("&#x27;", "'") in html
    assert form_of(html)["heading"] == ["Typed"]
    assert not UserAttribute.objects.filter(name="extension_Size").exists()
    ours.flow.refresh_from_db()
    assert ours.flow.heading == ""


def test_two_new_attributes_of_one_name_are_refused(browser: Client, ours: Furnished) -> None:
    form = open_builder(browser, ours)
    form |= new_row(form, user_attribute="new", label="Size")
    form |= new_row(form, user_attribute="new", label="size")
    assert "asks for this attribute already" in save(browser, ours, form).content.decode()
    assert not UserAttribute.objects.filter(name="extension_Size").exists()


def test_offers_new_attributes_only_to_those_who_may_make_them(
    browser: Client, ours: Furnished, make_admin: Callable[..., User]
) -> None:
    limited = browser_of(make_admin(ours.tenant, Role.USER_FLOW_ADMINISTRATOR, mail="flows@woodgrove.example"))
    form = open_builder(limited, ours)
    assert 'value="new"' not in limited.get(flow_url(ours)).content.decode()
    assert 'value="new"' in browser.get(flow_url(ours)).content.decode()
    form |= new_row(form, user_attribute="new", label="Smuggled")
    assert "Select a valid choice" in save(limited, ours, form).content.decode()
    assert not UserAttribute.objects.filter(display_name="Smuggled").exists()


def test_says_which_question_is_wrong(browser: Client, ours: Furnished) -> None:
    form = open_builder(browser, ours) | row(1, input_type="radioSingleSelect", choices="One, two", label="Colour")
    html = save(browser, ours, form).content.decode()
    assert "<title>Error:" in html
    assert "Colour: A value can" in html
    assert f'href="#id_{PREFIX}-1-choices"' in html
    assert "One, two</textarea>" in html


def test_refuses_the_same_attribute_twice(browser: Client, ours: Furnished) -> None:
    form = open_builder(browser, ours)
    form |= new_row(form, user_attribute=attribute_id(ours, "GivenName"))
    assert "asks for this attribute already" in save(browser, ours, form).content.decode()


def test_keeps_the_ways_to_sign_in_that_are_ticked(browser: Client, ours: Furnished) -> None:
    provider = IdentityProvider.objects.get(tenant=ours.tenant)
    form = open_builder(browser, ours)
    assert form.pop(f"ways-{provider.pk}-offered") == ["on"]
    assert save(browser, ours, form).status_code == 302
    assert not ours.flow.identity_provider_assignments.exists()
    page = browser.get(flow_url(ours)).content.decode()
    assert "There is no way to sign in: nobody can get in." in page


def test_never_renames_a_flow_and_pauses_nothing(browser: Client, ours: Furnished) -> None:
    form = open_builder(browser, ours) | {"name": "B2X_1_Other", "heading": "New", "sign_up_enabled": ""}
    save(browser, ours, form)
    flow = UserFlow.objects.get(pk=ours.flow.pk)
    assert (flow.name, flow.heading, flow.sign_up_enabled) == (ours.flow.name, "New", True)


def test_says_what_is_wrong_with_the_domains(browser: Client, ours: Furnished) -> None:
    for domains, words in (("", "Name at least one"), ("not a domain", "is no email domain")):
        form = open_builder(browser, ours) | {"admission": "allowedDomains", "domains": domains}
        assert words in save(browser, ours, form).content.decode()


# Two administrators


def test_the_second_save_of_an_old_page_overwrites_nothing(
    browser: Client, ours: Furnished, make_admin: Callable[..., User]
) -> None:
    other = make_admin(ours.tenant, Role.USER_FLOW_ADMINISTRATOR, mail="other@woodgrove.example")
    mine = open_builder(browser, ours) | {"heading": "Mine"}
    theirs = open_builder(browser_of(other), ours) | {"heading": "Theirs"} | row(0, hint="Theirs too")
    assert save(browser_of(other), ours, theirs).status_code == 302
    page = save(browser, ours, mine)
    html = page.content.decode()
    ours.flow.refresh_from_db()
    assert (page.status_code, ours.flow.heading) == (200, "Theirs")
    assert "Somebody else saved this flow while you were at work." in html
    assert "other@woodgrove.example" in html
    assert "The heading of the first page is now “Theirs” instead of the standard one." in html
    assert "The hint of “First name” is now “Theirs too”" in html
    assert form_of(html)["heading"] == ["Mine"]

    # Pressing “Save draft” again is no consent.
    again = save(browser, ours, form_of(html), _save="")
    assert "Somebody else saved" in again.content.decode()
    assert save(browser, ours, form_of(html), _overwrite="1").status_code == 302
    ours.flow.refresh_from_db()
    assert (ours.flow.heading, ours.flow.attribute_assignments.first().hint) == ("Mine", "")  # type: ignore[union-attr]


def test_consent_to_overwrite_holds_for_what_was_shown_only(browser: Client, ours: Furnished) -> None:
    mine = open_builder(browser, ours) | {"heading": "Mine"}
    UserFlow.objects.filter(pk=ours.flow.pk).update(heading="Third", revision=2)
    for revision in ("1", "0", "-1", "x", "9" * 30):
        save(browser, ours, mine, _overwrite=revision)
        ours.flow.refresh_from_db()
        assert ours.flow.heading == "Third"


def test_a_refused_save_makes_no_attribute_and_links_nothing(
    browser: Client, ours: Furnished, make_application: Callable[..., Application]
) -> None:
    application = make_application(ours.tenant, "Order tracker", "spa")
    form = open_builder(browser, ours)
    form |= new_row(form, user_attribute="new", label="Size") | {"applications-application": str(application.pk)}
    UserFlow.objects.filter(pk=ours.flow.pk).update(revision=5)
    assert save(browser, ours, form).status_code == 200
    assert not UserAttribute.objects.filter(display_name="Size").exists()
    assert not ApplicationAssignment.objects.filter(application=application).exists()


# Applications


def test_links_and_unlinks_applications_by_the_verbs(
    browser: Client, ours: Furnished, make_application: Callable[..., Application]
) -> None:
    linked, unlinked = ours.flow.application_assignments.get(), make_application(ours.tenant, "Order tracker", "spa")
    form = open_builder(browser, ours)
    form |= {"applications-remove": [str(linked.pk)], "applications-application": str(unlinked.pk)}
    assert save(browser, ours, form).status_code == 302
    assert ours.flow.application_assignments.get().application == unlinked
    ours.flow.refresh_from_db()
    assert ours.flow.revision == 0
    for activity, application in (("application.unassigned", ours.application), ("application.assigned", unlinked)):
        event = AuditEvent.objects.get(activity=activity, actor_id=str(ours.admin.pk))
        assert event.target_name == str(application)


def test_moves_no_application_from_another_flow_silently(
    browser: Client, ours: Furnished, make_user_flow: Callable[..., UserFlow]
) -> None:
    flow = make_user_flow(ours.tenant, "Partners", questions=())
    form = open_builder(browser, ours, flow) | {"applications-application": str(ours.application.pk)}
    html = browser.post(flow_url(ours, flow), form).content.decode()
    assert f"uses the flow {ours.flow.name} now" in html
    assert f"/directory/application/{ours.application.pk}/" in html
    assert ApplicationAssignment.objects.get(application=ours.application).user_flow == ours.flow


def test_refuses_first_party_applications(
    browser: Client, ours: Furnished, make_application: Callable[..., Application]
) -> None:
    own = make_application(ours.tenant, "Portal", is_first_party=True)
    form = open_builder(browser, ours) | {"applications-application": str(own.pk)}
    assert "Select a valid choice" in save(browser, ours, form).content.decode()
    assert not ApplicationAssignment.objects.filter(application=own).exists()


# What others may not


def test_takes_nothing_of_another_tenant(browser: Client, ours: Furnished, theirs: Furnished) -> None:
    ApplicationAssignment.objects.filter(application=theirs.application).delete()
    foreign = IdentityProvider.objects.get(tenant=theirs.tenant)
    link = ApplicationAssignment.objects.create(user_flow=theirs.flow, application=theirs.application)
    form = open_builder(browser, ours)
    attempts = (
        new_row(form, user_attribute=str(theirs.attribute.pk)),
        {"applications-application": str(theirs.application.pk)},
        {"applications-remove": [str(link.pk)]},
        row(0, user_attribute=attribute_id(ours, "Email")),
        row(0, user_attribute="no-id"),
    )
    for attempt in attempts:
        assert "Select a valid choice" in save(browser, ours, {**form, **attempt}).content.decode(), attempt
    ours.flow.refresh_from_db()
    assert (ours.flow.revision, ours.flow.application_assignments.count()) == (0, 1)
    save(browser, ours, form, **{f"ways-{foreign.pk}-offered": "on", f"ways-{foreign.pk}-order": "1"})
    assert not ours.flow.identity_provider_assignments.filter(identity_provider=foreign).exists()
    assert list(theirs.flow.application_assignments.all()) == [link]


def test_knows_no_flow_of_another_tenant(browser: Client, ours: Furnished, theirs: Furnished) -> None:
    form = open_builder(browser, ours) | {"heading": "Taken over"}
    for page in ("change", "preview", "publish", "discard", "pause", "versions", "versions/1", "versions/1/preview", "versions/1/roll-back"):  # fmt: skip  # noqa: E501
        url = f"{ours.admin_url}userflows/userflow/{theirs.flow.pk}/{page}/"
        for response in (browser.get(url), browser.post(url, form | {"sign_up": "off", "revision": "0"})):
            assert response.status_code == 404, url
    theirs.flow.refresh_from_db()
    assert (theirs.flow.heading, theirs.flow.sign_up_enabled, theirs.flow.revision) == ("", True, 0)


def test_those_who_may_only_look_see_a_form_that_they_cannot_send(
    ours: Furnished, make_admin: Callable[..., User]
) -> None:
    reader = browser_of(make_admin(ours.tenant, Role.GLOBAL_READER, mail="reader@woodgrove.example"))
    page = reader.get(flow_url(ours)).content.decode()
    assert '<fieldset class="parts" disabled>' in page
    assert "_save" not in page
    assert "_review" not in page
    assert reader.post(flow_url(ours), open_builder(reader, ours)).status_code == 403


# Hostile input

HOSTILE = (
    "<script>alert(1)</script>",
    "{{ 7*7 }}%(x)s%s",
    "‮evil‬⁦",
    "👩‍🚀" * 10,
    "الاسم الأول",
    "' OR 1=1 --",
)


@pytest.mark.parametrize("text", HOSTILE)
def test_shows_hostile_words_harmlessly(browser: Client, ours: Furnished, text: str) -> None:
    form = open_builder(browser, ours) | {"description": text, "heading": text, "introduction": text}
    form |= row(0, label=text, hint=text) | new_row(form, user_attribute="new", label=text[:90])
    assert save(browser, ours, form).status_code == 302
    for page in ("change", "publish", "history", "preview"):
        html = browser.get(flow_url(ours, page=page)).content.decode()
        assert "<script>alert" not in html
    browser.post(flow_url(ours, page="publish"), {"revision": "1"})
    for page in ("versions", "versions/2", "versions/2/preview", "versions/1/roll-back"):
        assert "<script>alert" not in browser.get(flow_url(ours, page=page)).content.decode()
    listed = browser.get(f"{ours.admin_url}userflows/userflow/", {"q": text})
    assert listed.status_code == 200
    assert "<script>alert" not in listed.content.decode()


@pytest.mark.parametrize("name", ["description", "heading", "introduction", "domains", "questions_heading", "label", "hint", "choices", "page_heading", "new"])  # fmt: skip  # noqa: E501
def test_refuses_what_is_too_long_or_null(browser: Client, ours: Furnished, name: str) -> None:
    own = open_builder(browser, ours)
    for text in ("x" * 30_000, "nul\0l"):
        if name == "new":
            more = new_row(own, user_attribute="new", label=text)
        elif name in own or name in ("domains", "description", "heading", "introduction"):
            more = {name: text, "admission": "blockedDomains"}
        else:
            more = row(0, **{name: text, "input_type": "dropdownSingleSelect", "starts_page": "on"})
        page = save(browser, ours, {**own, **more})
        assert page.status_code == 200, text[:5]
        assert "It was not saved." in page.content.decode()
    ours.flow.refresh_from_db()
    assert ours.flow.revision == 0


@pytest.mark.parametrize(
    "counts",
    [
        {},
        {"TOTAL_FORMS": "x", "INITIAL_FORMS": "0"},
        {"TOTAL_FORMS": "-5", "INITIAL_FORMS": "0"},
        {"TOTAL_FORMS": "999999999", "INITIAL_FORMS": "999999999"},
        {"TOTAL_FORMS": "9" * 40, "INITIAL_FORMS": "0"},
    ],
)
def test_survives_a_broken_form(browser: Client, ours: Furnished, counts: dict[str, str]) -> None:
    form = {name: sent for name, sent in open_builder(browser, ours).items() if not name.endswith("_FORMS")}
    form |= {f"{PREFIX}-{name}": value for name, value in counts.items()}
    for button in ("_save", "_add_question"):
        assert save(browser, ours, form, **{button: ""}).status_code == 200
    assert browser.post(flow_url(ours, page="preview"), form).status_code == 200
    assert len(asked(ours.flow)) == 2
    assert save(browser, ours, {}).status_code == 200
