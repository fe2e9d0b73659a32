"""User flows, their questions and their applications: what may be configured."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError

from directory.applications import create_application
from directory.models import Application, ApplicationKind, DataType, Tenant, UserAttribute
from userflows.definition import definition_of, questions_in
from userflows.flows import NewQuestion, assign_application, create_user_flow, unassign_application
from userflows.models import ApplicationAssignment, AttributeAssignment, InputType, UserFlow
from userflows.models.attribute_assignment import CHOICE_INPUTS, INPUTS_BY_DATA_TYPE

MakeTenant = Callable[..., Tenant]
MakeAttribute = Callable[..., UserAttribute]
Ask = Callable[..., AttributeAssignment]
Offer = Callable[[str, Any], AttributeAssignment]
CHOICES: list[dict[str, Any]] = [
    {"name": "Screws", "value": "screws"},
    {"name": "Nails", "value": "nails", "isDefault": True},
]


def flow(tenant: Tenant, name: str = "Suppliers") -> UserFlow:
    return create_user_flow(UserFlow(tenant=tenant, name=name))


def application(tenant: Tenant, **values: Any) -> Application:
    app = Application(tenant=tenant, **{"name": "Supplier Portal", "kind": ApplicationKind.SPA, **values})
    create_application(app)
    return app


# User flows


@pytest.mark.parametrize("typed", ["Suppliers", "B2X_1_Suppliers", "b2x_1_Suppliers"])
def test_puts_the_prefix_in_front_of_the_name(tenant: Tenant, typed: str) -> None:
    made = flow(tenant, typed)
    assert made.name == str(made) == "B2X_1_Suppliers"
    assert made.sign_up_enabled
    made.full_clean()
    assert made.name == "B2X_1_Suppliers"


@pytest.mark.parametrize(
    "name", ["", "B2X_1_", "Sup pliers", "Sup-pliers", "Lieferanten/DE", "Größe", "a.b", "x" * 65, "x\n", "<b>"]
)
def test_refuses_a_name_that_is_no_path_segment(tenant: Tenant, name: str) -> None:
    with pytest.raises(ValidationError) as refused:
        flow(tenant, name)
    assert list(refused.value.message_dict) == ["name"]
    assert not UserFlow.objects.exists()


def test_takes_the_longest_name(tenant: Tenant) -> None:
    assert len(flow(tenant, "x" * 64).name) == 70


def test_refuses_a_flow_name_that_differs_in_case_only(make_tenant: MakeTenant) -> None:
    one, other = make_tenant("contoso"), make_tenant("fabrikam")
    flow(one)
    flow(other)
    with pytest.raises(ValidationError, match="This tenant has a user flow with this name"):
        flow(one, "SUPPLIERS")
    with pytest.raises(IntegrityError), transaction.atomic():
        UserFlow.objects.create(tenant=one, name="B2X_1_SUPPLIERS")


def test_has_the_prefix_in_the_database_too(tenant: Tenant) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        UserFlow.objects.create(tenant=tenant, name="Suppliers")


def test_never_changes_the_flow_name(tenant: Tenant) -> None:
    made = flow(tenant)
    made.name = "B2X_1_Partners"
    with pytest.raises(ValidationError, match="The name can never be changed"):
        made.full_clean()


# Applications


def test_serves_many_applications_and_an_application_has_one_flow(tenant: Tenant) -> None:
    suppliers, partners = flow(tenant), flow(tenant, "Partners")
    first, second = application(tenant), application(tenant)
    for app in (first, second):
        assign_application(suppliers, app)
    assert suppliers.application_assignments.count() == 2
    for user_flow in (suppliers, partners):
        with pytest.raises(ValidationError, match="An application has at most one"):
            assign_application(user_flow, first)
    with pytest.raises(IntegrityError), transaction.atomic():
        ApplicationAssignment.objects.create(user_flow=partners, application=first)
    unassign_application(ApplicationAssignment.objects.get(application=first))
    assign_application(partners, Application.objects.get(pk=first.pk))
    assert partners.application_assignments.get().application == first


def test_refuses_a_first_party_application(tenant: Tenant) -> None:
    with pytest.raises(ValidationError) as refused:
        assign_application(flow(tenant), application(tenant, is_first_party=True))
    assert refused.value.message_dict == {
        "application": ["A user flow can't be used with a first-party application. Choose one of your own."]
    }
    assert not ApplicationAssignment.objects.exists()


def test_refuses_an_application_of_another_tenant(make_tenant: MakeTenant) -> None:
    here, there = make_tenant("contoso"), make_tenant("fabrikam")
    with pytest.raises(ValidationError) as refused:
        assign_application(flow(here), application(there))
    assert refused.value.message_dict == {"application": ["Choose one of this tenant."]}
    assert not ApplicationAssignment.objects.exists()


# Questions


def fits(data_type: DataType, input_type: InputType) -> bool:
    return input_type in INPUTS_BY_DATA_TYPE[data_type]


@pytest.mark.parametrize("data_type", DataType)
@pytest.mark.parametrize("input_type", InputType)
def test_asks_in_a_way_that_fits_the_data(
    tenant: Tenant, make_attribute: MakeAttribute, ask: Ask, data_type: DataType, input_type: InputType
) -> None:
    attribute = make_attribute(tenant, "Answer", data_type)
    choices = [{"name": "One", "value": "1"}] if input_type in CHOICE_INPUTS else []
    if fits(data_type, input_type):
        assert ask(flow(tenant), attribute, input_type, choices=choices).pk
        return
    with pytest.raises(ValidationError) as refused:
        ask(flow(tenant), attribute, input_type, choices=choices)
    assert refused.value.message_dict == {"input_type": ["This input type doesn't fit the attribute's data type."]}


def test_offers_each_data_type_a_way_of_asking() -> None:
    assert set(INPUTS_BY_DATA_TYPE) == set(DataType)
    assert frozenset().union(*INPUTS_BY_DATA_TYPE.values()) == set(InputType)
    assert [kind for kind in DataType if fits(kind, InputType.TEXT)] == [DataType.STRING]
    assert [kind for kind in DataType if fits(kind, InputType.CHECKBOX)] == [DataType.BOOLEAN]
    assert [kind for kind in DataType if fits(kind, InputType.NUMBER)] == [DataType.INT]


def test_asks_for_an_attribute_once(tenant: Tenant, make_attribute: MakeAttribute, ask: Ask) -> None:
    attribute, user_flow = make_attribute(tenant, "Answer"), flow(tenant)
    ask(user_flow, attribute, InputType.TEXT)
    with pytest.raises(ValidationError, match="asks for this attribute already"):
        ask(user_flow, attribute, InputType.EMAIL)
    with pytest.raises(IntegrityError), transaction.atomic():
        AttributeAssignment.objects.create(user_flow=user_flow, user_attribute=attribute)
    ask(flow(tenant, "Partners"), attribute, InputType.EMAIL)


def test_refuses_the_email_address_as_a_question(tenant: Tenant, ask: Ask) -> None:
    attribute = UserAttribute.objects.get(tenant=tenant, name="Email")
    with pytest.raises(ValidationError, match="always asked for and checked first"):
        ask(flow(tenant), attribute, InputType.EMAIL)


def test_refuses_an_attribute_of_another_tenant(
    make_tenant: MakeTenant, make_attribute: MakeAttribute, ask: Ask
) -> None:
    here, there = make_tenant("contoso"), make_tenant("fabrikam")
    for attribute in (make_attribute(there, "Answer"), UserAttribute.objects.get(tenant=there, name="Email")):
        with pytest.raises(ValidationError) as refused:
            ask(flow(here, attribute.name), attribute, InputType.TEXT)
        assert refused.value.message_dict == {"user_attribute": ["Choose one of this tenant."]}


def test_keeps_an_attribute_that_a_flow_asks_for(tenant: Tenant, make_attribute: MakeAttribute, ask: Ask) -> None:
    attribute, user_flow = make_attribute(tenant, "Answer"), flow(tenant)
    ask(user_flow, attribute, InputType.TEXT)
    with pytest.raises(ProtectedError):
        attribute.delete()
    user_flow.delete()
    attribute.delete()


@pytest.fixture
def offer(tenant: Tenant, make_attribute: MakeAttribute, ask: Ask) -> Offer:
    """Put a question with choices."""

    def make(input_type: str, choices: Any) -> AttributeAssignment:
        return ask(flow(tenant), make_attribute(tenant, "Answer"), input_type, choices=choices)

    return make


@pytest.mark.parametrize("input_type", sorted(CHOICE_INPUTS))
@pytest.mark.parametrize(
    ("choices", "words"),
    [
        ([], "Write at least one choice."),
        ({}, "Write a list of choices"),
        ("screws", "Write a list of choices"),
        (["screws"], "Write a list of choices"),
        ([{"name": "Screws"}], "Write a list of choices"),
        ([{"name": "", "value": "screws"}], "Write a list of choices"),
        ([{"name": "Screws", "value": " "}], "Write a list of choices"),
        ([{"name": "Screws", "value": 1}], "Write a list of choices"),
        ([{"name": "Screws", "value": "screws", "default": True}], "Write a list of choices"),
        ([{"name": str(number), "value": str(number)} for number in range(301)], "Write a list of choices"),
        ([{"name": "Both", "value": "screws,nails"}], "A value can't contain a comma"),
        ([*CHOICES, {"name": "Others", "value": "nails"}], "Two choices have the same value"),
    ],
)
def test_refuses_choices_that_nobody_can_choose(offer: Offer, input_type: str, choices: Any, words: str) -> None:
    with pytest.raises(ValidationError) as refused:
        offer(input_type, choices)
    assert list(refused.value.message_dict) == ["choices"]
    assert words in refused.value.message_dict["choices"][0]


@pytest.mark.parametrize("input_type", sorted(CHOICE_INPUTS))
def test_takes_choices(offer: Offer, input_type: str) -> None:
    assert offer(input_type, CHOICES).choices == CHOICES


@pytest.mark.parametrize(
    ("name", "input_type", "choices", "words"),
    [
        ("PostalCode", InputType.RADIO, [{"name": "Long", "value": "x" * 41}], "at most 40 characters"),
        ("City", InputType.CHECKBOXES, [{"name": "Long", "value": "x" * 129}], "at most 128 characters"),
        ("extension_Staff", InputType.RADIO, [{"name": "Many", "value": "many"}], "whole numbers"),
        ("extension_Staff", InputType.DROPDOWN, [{"name": "Huge", "value": "9" * 19}], "whole numbers"),
        ("City", InputType.RADIO, [{**choice, "isDefault": True} for choice in CHOICES], "Only one choice"),
        ("City", InputType.DROPDOWN, [{**choice, "isDefault": True} for choice in CHOICES], "Only one choice"),
    ],
)
def test_refuses_choices_that_cannot_be_kept(
    tenant: Tenant, make_attribute: MakeAttribute, name: str, input_type: str, choices: Any, words: str
) -> None:
    make_attribute(tenant, "Staff", DataType.INT)
    question = AttributeAssignment(
        user_flow=flow(tenant),
        user_attribute=UserAttribute.objects.get(tenant=tenant, name=name),
        input_type=input_type,
        choices=choices,
    )
    with pytest.raises(ValidationError) as refused:
        question.full_clean()
    assert words in refused.value.message_dict["choices"][0]


def test_asks_in_the_order_of_the_flow_by_its_own_words(tenant: Tenant, make_attribute: MakeAttribute) -> None:
    make_attribute(tenant, "Company", autocomplete="organization")
    made = create_user_flow(
        UserFlow(tenant=tenant, name="Suppliers"),
        questions=[
            NewQuestion("Surname", label="Family name", hint="As in your passport."),
            NewQuestion("extension_Company", required=False),
            NewQuestion("GivenName"),
        ],
    )
    questions = questions_in(definition_of(made))
    assert [question["name"] for question in questions] == ["Surname", "extension_Company", "GivenName"]
    assert [question["label"] for question in questions] == ["Family name", "Company", "First name"]
    assert [question["autocomplete"] for question in questions] == ["family-name", "organization", "given-name"]
    assert [question["required"] for question in questions] == [True, False, True]
    assert [question["max_length"] for question in questions] == [64, 250, 64]
    assert questions[0]["hint"] == "As in your passport."
