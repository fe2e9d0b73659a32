"""Answers that are not right: refused in words that say what to do, and nothing typed is lost."""

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

CHOICES = [{"name": "Screws", "value": "screws"}, {"name": "Nails", "value": "nails"}]
NUMBERS = [{"name": "One", "value": "1"}, {"name": "Ten", "value": "10"}]
NAME = "extension_Answer"
Arrive = Callable[..., Stranger]
Put = Callable[..., None]


@pytest.fixture
def flow(tenant: Tenant, make_user_flow: Callable[..., UserFlow]) -> UserFlow:
    return make_user_flow(tenant, questions=())


@pytest.fixture
def put(flow: UserFlow, make_attribute: Callable[..., UserAttribute], ask: Callable[..., AttributeAssignment]) -> Put:
    """Put a question with an attribute of its own into the flow."""

    def make(input_type: InputType, data_type: DataType = DataType.STRING, name: str = "Answer", **values: Any) -> None:
        ask(flow, make_attribute(flow.tenant, name, data_type), input_type, **values)

    return make


@pytest.fixture
def arrive(flow: UserFlow, make_relying_party: Callable[..., RelyingParty]) -> Arrive:
    """Go as far as the page with the questions."""

    def go() -> Stranger:
        party = make_relying_party(flow.tenant, flow)
        return Stranger().open(party.request_url()).give_email().give_code()

    return go


def refusal(stranger: Stranger, answer: Any, name: str = NAME) -> str:
    """Send an answer that is refused; return the words beside the field."""
    stranger.submit(**{name: answer})
    assert (stranger.step, stranger.left_to, User.objects.count()) == ("attributes", "", 0)
    return Page(stranger.html).errors[name].removeprefix("Error: ")


@dataclass(frozen=True)
class Wrong:
    """An answer that is refused, and the words for it."""

    input_type: InputType
    answer: Any
    words: str
    data_type: DataType = DataType.STRING
    choices: Any = ()


NO_ADDRESS = "Enter an email address such as name@example.com."
NO_INTEGER = "Enter a whole number, in digits."
FAR_OFF = "Enter a number that is not so far from zero."
NO_PHONE = "Enter a phone number with its country code, such as +44 20 7946 0000."
NO_DATE = "Enter a date such as 2026-11-22: year, month, day."
NOT_OFFERED = "Choose one of the answers that are offered."
WRONG = [
    Wrong(InputType.TEXT, "", "Fill in “Answer”."),
    Wrong(InputType.TEXT, "  ", "Fill in “Answer”."),
    Wrong(InputType.EMAIL, "", "Fill in “Answer”."),
    Wrong(InputType.NUMBER, "", "Fill in “Answer”.", DataType.INT),
    Wrong(InputType.PHONE, "", "Fill in “Answer”."),
    Wrong(InputType.DATE, "", "Fill in “Answer”."),
    Wrong(InputType.COUNTRY, "", "Choose an answer to “Answer”."),
    Wrong(InputType.DROPDOWN, "", "Choose an answer to “Answer”.", choices=CHOICES),
    Wrong(InputType.RADIO, [], "Choose an answer to “Answer”.", DataType.INT, NUMBERS),
    Wrong(InputType.CHECKBOX, [], "Tick “Answer” to go on.", DataType.BOOLEAN),
    Wrong(InputType.CHECKBOXES, [], "Tick at least one answer to “Answer”.", choices=CHOICES),
    Wrong(InputType.TEXT, "x" * 251, "Use at most 250 characters for “Answer”."),
    Wrong(InputType.EMAIL, "nobody", NO_ADDRESS),
    Wrong(InputType.NUMBER, "twelve", NO_INTEGER, DataType.INT),
    Wrong(InputType.NUMBER, "1.5", NO_INTEGER, DataType.INT),
    Wrong(InputType.NUMBER, "1e3", NO_INTEGER, DataType.INT),
    Wrong(InputType.NUMBER, "9" * 5000, NO_INTEGER, DataType.INT),
    Wrong(InputType.NUMBER, str(2**63), FAR_OFF, DataType.INT),
    Wrong(InputType.NUMBER, str(-(2**63)), FAR_OFF, DataType.INT),
    Wrong(InputType.PHONE, "020 7946 0000", NO_PHONE),
    Wrong(InputType.PHONE, "+44", NO_PHONE),
    Wrong(InputType.PHONE, "+999 1234 5678", NO_PHONE),
    Wrong(InputType.PHONE, "+44 20 7946 0000 0000 00", NO_PHONE),
    Wrong(InputType.PHONE, "call me", NO_PHONE),
    Wrong(InputType.PHONE, "+" + "4" * 60, NO_PHONE),
    Wrong(InputType.DATE, "22.11.2026", NO_DATE),
    Wrong(InputType.DATE, "11/22/2026", NO_DATE),
    Wrong(InputType.DATE, "2026-02-30", NO_DATE),
    Wrong(InputType.DATE, "2026-11-22T10:00", NO_DATE),
    Wrong(InputType.COUNTRY, "XX", NOT_OFFERED),
    Wrong(InputType.COUNTRY, "Germany", NOT_OFFERED),
    Wrong(InputType.DROPDOWN, "Screws", NOT_OFFERED, choices=CHOICES),
    Wrong(InputType.DROPDOWN, "2", NOT_OFFERED, DataType.INT, NUMBERS),
    Wrong(InputType.RADIO, "rivets", NOT_OFFERED, choices=CHOICES),
    Wrong(InputType.CHECKBOXES, ["screws", "rivets"], NOT_OFFERED, choices=CHOICES),
    Wrong(InputType.CHECKBOXES, "screws,nails", NOT_OFFERED, choices=CHOICES),
]


@pytest.mark.parametrize("wrong", WRONG)
def test_says_what_to_do(put: Put, arrive: Arrive, wrong: Wrong) -> None:
    put(wrong.input_type, wrong.data_type, choices=list(wrong.choices))
    assert refusal(arrive(), wrong.answer) == wrong.words


UNSEEN = (
    "\x07\x1b\x7f\x85\u200b\u200e\u202e\u2066\u2028\u2029\ufeff\u00ad"
    # A tag, a private one, and one that is none.
    "\U000e0041\ue000\ufdd0"
)


@pytest.mark.parametrize("required", [True, False])
@pytest.mark.parametrize("input_type", [InputType.TEXT, InputType.EMAIL])
def test_refuses_what_cannot_be_seen(put: Put, arrive: Arrive, input_type: InputType, required: bool) -> None:
    put(input_type, required=required)
    stranger = arrive()
    for unseen in UNSEEN:
        words = refusal(stranger, f"am{unseen}ina@fabrikam.example")
        assert "Remove the characters that can't be seen." in words or words == NO_ADDRESS


def test_refuses_a_null_character(put: Put, arrive: Arrive) -> None:
    """PostgreSQL can't keep one."""
    put(InputType.TEXT)
    assert "Null characters are not allowed." in refusal(arrive(), "a\x00b")


@pytest.mark.parametrize(
    ("name", "limit"),
    [
        ("DisplayName", 256),
        ("GivenName", 64),
        ("Surname", 64),
        ("JobTitle", 128),
        ("StreetAddress", 1024),
        ("City", 128),
        ("State", 128),
        ("PostalCode", 40),
        ("Country", 128),
    ],
)
def test_keeps_to_the_length_of_a_built_in_attribute(
    flow: UserFlow, ask: Callable[..., AttributeAssignment], arrive: Arrive, name: str, limit: int
) -> None:
    attribute = UserAttribute.objects.get(tenant=flow.tenant, name=name)
    ask(flow, attribute, InputType.TEXT)
    stranger = arrive()
    words = refusal(stranger, "é" * (limit + 1), name)
    assert words == f"Use at most {limit} characters for “{attribute.display_name}”."
    stranger.submit(**{name: "é" * limit})
    assert stranger.left_to
    assert getattr(User.objects.get(), attribute.built_in.field) == "é" * limit  # type: ignore[union-attr]


def test_counts_a_line_break_once(flow: UserFlow, ask: Callable[..., AttributeAssignment], arrive: Arrive) -> None:
    ask(flow, UserAttribute.objects.get(tenant=flow.tenant, name="StreetAddress"), InputType.TEXT)
    stranger = arrive()
    assert "Remove the characters" in refusal(stranger, "1 High Street\r\nFlat\x0b2", "StreetAddress")
    stranger.submit(StreetAddress="a\r\n" * 511 + "bb")
    assert stranger.left_to
    assert len(User.objects.get().street_address) == 1024


@pytest.mark.parametrize("input_type", [InputType.TEXT, InputType.EMAIL])
def test_copes_with_a_percent_sign_in_the_label(put: Put, arrive: Arrive, input_type: InputType) -> None:
    put(input_type, label="Share in % (s)")
    stranger = arrive()
    assert "Use at most 250 characters for “Share in % (s)”." in refusal(stranger, "x" * 251 + "@example.com")
    assert refusal(stranger, "") == "Fill in “Share in % (s)”."


def test_keeps_no_more_ticked_answers_than_there_is_room_for(put: Put, arrive: Arrive) -> None:
    put(InputType.CHECKBOXES, choices=[{"name": letter, "value": letter * 90} for letter in "abc"])
    stranger = arrive()
    assert "Tick fewer answers" in refusal(stranger, ["a" * 90, "b" * 90, "c" * 90])
    stranger.submit(**{NAME: ["a" * 90, "b" * 90]})
    assert stranger.left_to


# One of each kind, and an answer that is right.
ALL_KINDS: dict[str, tuple[InputType, DataType, list[Any], Any]] = {
    "Text": (InputType.TEXT, DataType.STRING, [], "Müller & “Söhne” <GmbH>"),
    "Mail": (InputType.EMAIL, DataType.STRING, [], "orders@fabrikam.example"),
    "Number": (InputType.NUMBER, DataType.INT, [], "0042"),
    "Phone": (InputType.PHONE, DataType.STRING, [], "+44 (0)20 7946-0000"),
    "Country": (InputType.COUNTRY, DataType.STRING, [], "DE"),
    "Dropdown": (InputType.DROPDOWN, DataType.STRING, CHOICES, "nails"),
    "Radio": (InputType.RADIO, DataType.INT, NUMBERS, "10"),
    "Tick": (InputType.CHECKBOX, DataType.BOOLEAN, [], "on"),
    "Ticks": (InputType.CHECKBOXES, DataType.STRING, CHOICES, ["screws", "nails"]),
    "Date": (InputType.DATE, DataType.STRING, [], "2026-11-22"),
}


def test_loses_nothing_that_was_typed(put: Put, arrive: Arrive) -> None:
    for name, (input_type, data_type, choices, _answer) in ALL_KINDS.items():
        put(input_type, data_type, name=name, choices=choices)
    put(InputType.TEXT, name="Last")
    right = {f"extension_{name}": answer for name, (*_rest, answer) in ALL_KINDS.items()}
    stranger = arrive()
    stranger.submit(**right)
    page = Page(stranger.html)
    assert page.errors == {"extension_Last": "Error: Fill in “Last”."}
    typed = {name: answer if isinstance(answer, list) else [answer] for name, answer in right.items()}
    assert {name: page.values[name] for name in typed} == typed
    again = {name: page.values[name] for name in typed}
    stranger.submit(**again, extension_Last="x")
    assert stranger.left_to
    kept = User.objects.get().extension_values
    assert (kept["extension_Number"], kept["extension_Phone"]) == (42, "+442079460000")


def test_shows_what_is_wrong_as_it_was_typed(put: Put, arrive: Arrive) -> None:
    wrong = {"Number": "4 2", "Phone": "<020>", "Mail": "me@", "Date": "1.2.2026"}
    for name in wrong:
        input_type, data_type, choices, _answer = ALL_KINDS[name]
        put(input_type, data_type, name=name, choices=choices)
    stranger = arrive()
    stranger.submit(**{f"extension_{name}": typed for name, typed in wrong.items()})
    page = Page(stranger.html)
    assert len(page.errors) == 4
    for name, typed in wrong.items():
        assert page.values[f"extension_{name}"] == [typed]
        assert page.attributes[f"extension_{name}"]["aria-invalid"] == "true"


def test_unticks_what_was_unticked(put: Put, arrive: Arrive) -> None:
    """A page with errors shows the person's choice, not the default again."""
    put(InputType.CHECKBOXES, name="Ticks", required=False, choices=[{**CHOICES[0], "isDefault": True}, CHOICES[1]])
    put(InputType.TEXT)
    stranger = arrive()
    assert Page(stranger.html).values["extension_Ticks"] == ["screws"]
    stranger.submit()
    assert Page(stranger.html).values["extension_Ticks"] == []
