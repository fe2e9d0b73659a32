"""Questions of every kind, through real sign-ups: what is kept in the directory and told to the application."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from directory.models import DataType, Tenant, User, UserAttribute
from tests.page_reader import Page
from tests.relying_party import RelyingParty
from tests.stranger import Stranger
from userflows.models import AttributeAssignment, InputType, UserFlow

pytestmark = pytest.mark.any_database

MakeAttribute = Callable[..., UserAttribute]
Ask = Callable[..., AttributeAssignment]
CHOICES = [
    {"name": "Nothing yet", "value": "none", "isDefault": False},
    {"name": "Screws & bolts", "value": "screws", "isDefault": False},
    {"name": "Nails", "value": "nails", "isDefault": False},
]
NUMBERS = [{"name": "One", "value": "1"}, {"name": "Ten", "value": "10"}]
NAME = "extension_Answer"
# A browser sends nothing for these when nothing is ticked.
TICKED = {InputType.RADIO, InputType.CHECKBOX, InputType.CHECKBOXES}


@dataclass
class Questionnaire:
    """A flow with questions of our own, and the application that people come from."""

    flow: UserFlow
    relying_party: RelyingParty
    make_attribute: MakeAttribute
    ask: Ask

    def put(self, input_type: InputType, data_type: DataType = DataType.STRING, **values: Any) -> AttributeAssignment:
        name = values.pop("name", "Answer")
        return self.ask(self.flow, self.make_attribute(self.flow.tenant, name, data_type), input_type, **values)

    def arrive(self) -> Stranger:
        """Go as far as the page with the questions."""
        stranger = Stranger().open(self.relying_party.request_url()).give_email().give_code()
        assert stranger.step == "attributes", stranger.html
        return stranger

    def claims(self, stranger: Stranger) -> dict[str, Any]:
        assert stranger.left_to, Page(stranger.html).errors
        code = self.relying_party.answer(stranger.left_to)["code"]
        return self.relying_party.verified(self.relying_party.redeem(code).json()["id_token"])


@pytest.fixture
def questionnaire(
    tenant: Tenant,
    make_user_flow: Callable[..., UserFlow],
    make_relying_party: Callable[..., RelyingParty],
    make_attribute: MakeAttribute,
    ask: Ask,
) -> Questionnaire:
    flow = make_user_flow(tenant, questions=())
    return Questionnaire(flow, make_relying_party(tenant, flow), make_attribute, ask)


@dataclass(frozen=True)
class Kind:
    """A way of asking, what is typed, and what is kept of it."""

    input_type: InputType
    typed: Any
    kept: str | int | bool
    data_type: DataType = DataType.STRING
    choices: Any = ()

    def values(self) -> dict[str, Any]:
        return {"data_type": self.data_type, "choices": list(self.choices)}


KINDS = [
    Kind(InputType.TEXT, "  Fabrikam “Nuts & Bolts” GmbH ", "Fabrikam “Nuts & Bolts” GmbH"),
    Kind(InputType.TEXT, "نیم\u200cفاصله", "نیم\u200cفاصله"),
    Kind(InputType.TEXT, "0", "0"),
    Kind(InputType.EMAIL, "Orders@fabrikam.example", "Orders@fabrikam.example"),
    Kind(InputType.NUMBER, "42", 42, DataType.INT),
    Kind(InputType.NUMBER, " 0 ", 0, DataType.INT),
    Kind(InputType.NUMBER, "-7", -7, DataType.INT),
    Kind(InputType.NUMBER, "٤٢", 42, DataType.INT),
    Kind(InputType.NUMBER, str(2**63 - 1), 2**63 - 1, DataType.INT),
    Kind(InputType.PHONE, "+44 20 7946 0000", "+442079460000"),
    Kind(InputType.COUNTRY, "DE", "DE"),
    Kind(InputType.DROPDOWN, "screws", "screws", choices=CHOICES),
    Kind(InputType.DROPDOWN, "10", 10, DataType.INT, NUMBERS),
    Kind(InputType.RADIO, "nails", "nails", choices=CHOICES),
    Kind(InputType.RADIO, "1", 1, DataType.INT, NUMBERS),
    Kind(InputType.CHECKBOX, "on", True, DataType.BOOLEAN),
    Kind(InputType.CHECKBOXES, ["screws"], "screws", choices=CHOICES),
    Kind(InputType.CHECKBOXES, ["screws", "nails", "nails"], "screws,nails", choices=CHOICES),
    Kind(InputType.DATE, "2026-11-22", "2026-11-22"),
]


@pytest.mark.parametrize("required", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_keeps_the_answer_and_tells_it_with_its_type(questionnaire: Questionnaire, kind: Kind, required: bool) -> None:
    questionnaire.put(kind.input_type, **kind.values(), required=required)
    claims = questionnaire.claims(questionnaire.arrive().submit(**{NAME: kind.typed}))
    assert User.objects.get().extension_values == {NAME: kind.kept}
    assert claims[NAME] == kind.kept
    assert type(claims[NAME]) is type(kind.kept)


LEFT_OPEN = [
    *((input_type, {NAME: ""}) for input_type in InputType if input_type not in TICKED),
    (InputType.TEXT, {NAME: " \t"}),
    (InputType.PHONE, {NAME: "  "}),
    *((input_type, {}) for input_type in InputType if input_type is not InputType.CHECKBOX),
]


@pytest.mark.parametrize(("input_type", "blank"), LEFT_OPEN)
def test_keeps_nothing_of_an_optional_question_left_open(
    questionnaire: Questionnaire, input_type: InputType, blank: dict[str, str]
) -> None:
    kind = next(kind for kind in KINDS if kind.input_type is input_type)
    questionnaire.put(input_type, **kind.values(), required=False)
    stranger = questionnaire.arrive()
    assert "(optional)" in stranger.html
    claims = questionnaire.claims(stranger.submit(**blank))
    assert User.objects.get().extension_values == {}
    assert NAME not in claims


def test_keeps_an_empty_checkbox_as_no(questionnaire: Questionnaire) -> None:
    questionnaire.put(InputType.CHECKBOX, DataType.BOOLEAN, required=False)
    claims = questionnaire.claims(questionnaire.arrive().submit())
    assert User.objects.get().extension_values == {NAME: False}
    assert claims[NAME] is False


def test_fills_the_built_in_attributes(questionnaire: Questionnaire, tenant: Tenant) -> None:
    answers = {
        "DisplayName": "Amina H.",
        "GivenName": "Amina",
        "Surname": "Haddad",
        "JobTitle": "Buyer",
        "StreetAddress": "1 High Street\r\nFlat 2",
        "City": "Leeds",
        "State": "Yorkshire",
        "PostalCode": "LS1 1AA",
        "Country": "GB",
    }
    for order, name in enumerate(answers):
        attribute = UserAttribute.objects.get(tenant=tenant, name=name)
        input_type = InputType.COUNTRY if name == "Country" else InputType.TEXT
        questionnaire.ask(questionnaire.flow, attribute, input_type)
        AttributeAssignment.objects.filter(user_attribute=attribute).update(order=order)
    stranger = questionnaire.arrive()
    page = Page(stranger.html)
    assert [name for name in page.values if name in answers] == list(answers)
    assert page.attributes["GivenName"]["autocomplete"] == "given-name"
    claims = questionnaire.claims(stranger.submit(**answers))
    guest = User.objects.get()
    assert (guest.display_name, guest.job_title, guest.country) == ("Amina H.", "Buyer", "GB")
    assert guest.street_address == claims["streetAddress"] == "1 High Street\nFlat 2"
    assert (claims["name"], claims["given_name"], claims["family_name"]) == ("Amina H.", "Amina", "Haddad")
    assert (claims["city"], claims["state"], claims["postalCode"]) == ("Leeds", "Yorkshire", "LS1 1AA")
    assert (claims["country"], claims["jobTitle"]) == ("GB", "Buyer")


@pytest.mark.parametrize(
    ("input_type", "chosen"),
    [(InputType.DROPDOWN, ["nails"]), (InputType.RADIO, ["nails"]), (InputType.CHECKBOXES, ["screws", "nails"])],
)
def test_chooses_the_defaults_beforehand(
    questionnaire: Questionnaire, input_type: InputType, chosen: list[str]
) -> None:
    choices = [{**choice, "isDefault": choice["value"] in chosen} for choice in CHOICES]
    questionnaire.put(input_type, choices=choices)
    stranger = questionnaire.arrive()
    page = Page(stranger.html)
    assert page.values[NAME] == chosen
    questionnaire.claims(stranger.submit(**{NAME: page.values[NAME]}))
    assert User.objects.get().extension_values == {NAME: ",".join(chosen)}


@pytest.mark.parametrize("input_type", [InputType.DROPDOWN, InputType.RADIO, InputType.CHECKBOXES])
def test_chooses_nothing_beforehand_without_a_default(questionnaire: Questionnaire, input_type: InputType) -> None:
    questionnaire.put(input_type, choices=CHOICES)
    page = Page(questionnaire.arrive().html)
    assert page.values[NAME] in ([], [""])
    assert [choice.value for choice in page.choices[NAME] if choice.value] == ["none", "screws", "nails"]


def test_offers_every_country_by_its_name(questionnaire: Questionnaire) -> None:
    questionnaire.put(InputType.COUNTRY)
    stranger = questionnaire.arrive()
    codes = [choice.value for choice in Page(stranger.html).choices[NAME]]
    assert codes[0] == ""
    assert len(codes) > 240
    assert {"DE", "GB", "TW", "PS", "XK"} - set(codes) <= {"XK"}
    assert ">Germany</option>" in stranger.html


@pytest.mark.parametrize(
    "typed",
    [
        "+44 20 7946 0000",
        "0044 20 7946 0000",
        "+44 (0)20 7946 0000",
        "+44-20-7946-0000",
        "(+44) 20.7946.0000",
        " +442079460000 ",
        "＋４４ ２０ ７９４６ ００００",
    ],
)
def test_reads_a_phone_number_however_it_is_spelled(questionnaire: Questionnaire, typed: str) -> None:
    questionnaire.put(InputType.PHONE)
    questionnaire.claims(questionnaire.arrive().submit(**{NAME: typed}))
    assert User.objects.get().extension_values == {NAME: "+442079460000"}


def test_shows_labels_and_hints_as_text(questionnaire: Questionnaire) -> None:
    questionnaire.put(
        InputType.RADIO,
        label="<b>100 %(label)s?</b>",
        hint="<i>%s</i>",
        choices=[{"name": "<script>", "value": "<b>"}],
    )
    html = questionnaire.arrive().submit().html
    assert "&lt;b&gt;100 %(label)s?&lt;/b&gt;" in html
    assert "&lt;i&gt;%s&lt;/i&gt;" in html
    assert not any(tag in html for tag in ("<b>", "<i>", "<script>"))


def test_takes_no_answer_to_a_question_that_was_not_asked(questionnaire: Questionnaire, tenant: Tenant) -> None:
    questionnaire.put(InputType.TEXT)
    questionnaire.make_attribute(tenant, "Other")
    planted = {"extension_Other": "x", "user_type": "Member", "is_operator": "1", "mail": "x@evil.example"}
    questionnaire.claims(questionnaire.arrive().submit(**{NAME: "x", "GivenName": "Eve", "Email": "x", **planted}))
    guest = User.objects.get()
    assert guest.extension_values == {NAME: "x"}
    assert (guest.user_type, guest.is_operator, guest.given_name) == ("Guest", False, "")
    assert guest.mail == "amina@fabrikam.example"


def test_goes_on_with_the_questions_it_began_with(questionnaire: Questionnaire, tenant: Tenant) -> None:
    """A flow that is changed while somebody fills it in does not lose what they type."""
    question = questionnaire.put(InputType.DROPDOWN, choices=CHOICES)
    stranger = questionnaire.arrive()
    question.delete()
    questionnaire.put(InputType.TEXT, name="New")
    stranger.open(stranger.path)
    assert list(Page(stranger.html).choices) == [NAME]
    stranger.submit()
    assert "Choose an answer" in stranger.html
    stranger.submit(**{NAME: "nails"})
    assert stranger.left_to
    assert User.objects.get().extension_values == {NAME: "nails"}
