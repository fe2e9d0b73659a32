"""Every difference between two definitions is told, in words, and nothing that isn't one."""

import copy
import random
from collections.abc import Callable
from typing import Any

import pytest

from userflows.changes import changes
from userflows.definition import Definition, questions_in
from userflows.questions import Question

pytestmark = pytest.mark.any_database

FALLBACK = "Something else was changed."


def question(name: str, **values: Any) -> Question:
    asked: dict[str, Any] = {
        "name": name,
        "label": name.title(),
        "hint": "",
        "required": True,
        "input_type": "textBox",
        "data_type": "string",
        "max_length": 250,
        "autocomplete": "",
        "choices": [],
    }
    return Question(**{**asked, **values})  # type: ignore[typeddict-item]


def choice(name: str, value: str = "", *, chosen: bool = False) -> dict[str, Any]:
    return {"name": name, "value": value or name, "isDefault": chosen}


@pytest.fixture
def before() -> Definition:
    colours = [choice("Red"), choice("Green", chosen=True), choice("Blue")]
    return Definition(
        heading="Welcome",
        introduction="",
        ways=[{"id": "1", "kind": "EmailOTP", "name": "Email code"}, {"id": "2", "kind": "Google", "name": "Google"}],
        pages=[
            {"heading": "", "questions": [question("first"), question("last"), question("company")]},
            {
                "heading": "More",
                "questions": [
                    question("country"),
                    question("phone", required=False),
                    question("colour", input_type="radioSingleSelect", choices=colours),
                ],
            },
        ],
        admission="allowedDomains",
        domains=["contoso.com", "fabrikam.com"],
        languages=["en"],
    )


def changed(before: Definition, change: Callable[[Any], object]) -> list[str]:
    after = copy.deepcopy(before)
    change(after)
    return changes(before, after)


def move(definition: Any, page: int, start: int, stop: int) -> None:
    questions = definition["pages"][page]["questions"]
    questions.insert(stop, questions.pop(start))


SENTENCES: list[tuple[Callable[[Any], object], list[str]]] = [
    (lambda d: d.update(heading=""), ["The heading of the first page is now the standard one instead of “Welcome”."]),
    (
        lambda d: d.update(introduction="Sign up here."),
        ["The text of the first page is now “Sign up here.” instead of the standard one."],
    ),
    (
        lambda d: d.update(code={"length": 6, "minutes": 5, "sender": "Woodgrove"}),
        [
            "Codes that we mail have 6 digits.",
            "Codes that we mail work for 5 minutes.",
            "Mail with codes comes from “Woodgrove”.",
        ],
    ),
    (lambda d: d["ways"].pop(), ["People can't sign in with “Google” any more."]),
    (lambda d: d["ways"].reverse(), ["The ways to sign in stand in this order: Google, Email code."]),
    (
        lambda d: d["pages"][1]["questions"][1].update(required=True),
        ["“Phone” is now required."],
    ),
    (
        lambda d: move(d, 1, 1, 0),
        [
            "The question “Phone” is asked fourth instead of fifth.",
            "A new page begins with “Phone”, headed “More”.",
            "No new page begins with “Country” any more.",
        ],
    ),  # fmt: skip  # noqa: E501
    (lambda d: move(d, 0, 2, 0), ["The question “Company” is asked first instead of third."]),
    (
        lambda d: d["pages"][0]["questions"].pop(0),
        ["The question “First” isn't asked any more."],
    ),
    (
        lambda d: d["pages"][0]["questions"].insert(1, question("tax", label="Tax ID", required=False)),
        ["The question “Tax ID” is new, asked second: Text, optional."],
    ),
    (
        lambda d: d["pages"][0]["questions"][0].update(label="Given name"),
        ["The question “First” is now put as “Given name”."],
    ),
    (
        lambda d: d["pages"][1]["questions"][2]["choices"].pop(0),
        ["“Colour” can't be answered with “Red” any more."],
    ),
    (
        lambda d: d["pages"][1]["questions"][2]["choices"].append(choice("Black")),
        ["“Colour” can be answered with “Black”."],
    ),
    (
        lambda d: d["pages"][1]["questions"][2]["choices"].reverse(),
        ["“Colour” offers its answers in this order: Blue, Green, Red."],
    ),
    (
        lambda d: d["pages"][1].update(heading=""),
        ["The heading of the page that begins with “Country” is now the standard one instead of “More”."],
    ),
    (
        lambda d: d["pages"][0]["questions"].extend(d["pages"].pop()["questions"]),
        ["No new page begins with “Country” any more."],
    ),
    (lambda d: d["domains"].append("adatum.com"), ["People with addresses of adatum.com can sign up."]),
    (lambda d: d["domains"].pop(), ["People with addresses of fabrikam.com can't sign up."]),
    (lambda d: d.update(admission="anyone", domains=[]), ["Who can sign up: Anyone with an email address."]),
    (lambda d: d["languages"].append("de"), ["The pages are offered in these languages: en, de."]),
]


@pytest.mark.parametrize(("change", "sentences"), SENTENCES)
def test_says_it_in_words(before: Definition, change: Callable[[Any], object], sentences: list[str]) -> None:
    assert changed(before, change) == sentences


def test_says_nothing_where_nothing_changed(before: Definition) -> None:
    assert changes(before, copy.deepcopy(before)) == []


def test_does_not_mention_questions_that_were_only_pushed_along(before: Definition) -> None:
    sentences = changed(before, lambda d: d["pages"][0]["questions"].insert(0, question("title")))
    assert sentences == ["The question “Title” is new, asked first: Text, required."]


def test_tells_all_that_a_first_version_is_made_of(before: Definition) -> None:
    assert changes(None, before) == [
        "The first page is headed “Welcome”.",
        "People can sign in with “Email code”.",
        "People can sign in with “Google”.",
        "1. “First”: Text, required.",
        "2. “Last”: Text, required.",
        "3. “Company”: Text, required.",
        "Page 2 of the questions is headed “More”.",
        "4. “Country”: Text, required.",
        "5. “Phone”: Text, optional.",
        "6. “Colour”: Radio buttons, required.",
        "Who can sign up: Only people of these email domains.",
        "The email domains: contoso.com, fabrikam.com.",
    ]


def test_cuts_long_texts(before: Definition) -> None:
    sentence = changed(before, lambda d: d.update(introduction="word " * 90))[0]
    assert len(sentence) < 250


def leaves(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the paths of everything in a definition that isn't a list or a dict."""
    if isinstance(value, dict):
        return [leaf for key, inner in value.items() for leaf in leaves(inner, (*path, key))]
    if isinstance(value, list):
        return [leaf for place, inner in enumerate(value) for leaf in leaves(inner, (*path, place))]
    return [path]


OTHERS = {
    "input_type": "emailBox",
    "data_type": "int64",
    "admission": "blockedDomains",
    "max_length": 64,
}


def other(path: tuple[Any, ...], value: Any) -> Any:
    if path[-1] in OTHERS:
        return OTHERS[path[-1]]
    return not value if isinstance(value, bool) else f"{value}x"


def test_tells_of_every_leaf(before: Definition) -> None:
    for path in leaves(before):
        after: Any = copy.deepcopy(before)
        inner = after
        for key in path[:-1]:
            inner = inner[key]
        inner[path[-1]] = other(path, inner[path[-1]])
        assert changes(before, after), path
        assert FALLBACK not in changes(before, after), path


def shaken(definition: Definition, dice: random.Random) -> Definition:
    """Return the definition with questions moved, removed, added and put on other pages."""
    questions = questions_in(copy.deepcopy(definition))
    dice.shuffle(questions)
    questions = questions[: dice.randint(0, len(questions))]
    for number in range(dice.randint(0, 2)):
        questions.insert(dice.randint(0, len(questions)), question(f"new{number}"))
    for asked in questions:
        asked["required"] = dice.random() < 0.7
    pages: list[Any] = []
    for asked in questions:
        if not pages or dice.random() < 0.3:
            pages.append({"heading": dice.choice(["", "More", "Less"]), "questions": []})
        pages[-1]["questions"].append(asked)
    after: Any = {**copy.deepcopy(definition), "pages": pages}
    dice.shuffle(after["domains"])
    dice.shuffle(after["ways"])
    return after  # type: ignore[no-any-return]


def test_tells_of_whatever_is_done_to_it(before: Definition) -> None:
    dice = random.Random(7)  # noqa: S311 - not a secret
    for _round in range(400):
        one, two = shaken(before, dice), shaken(before, dice)
        sentences = changes(one, two)
        assert bool(sentences) is (one != two)
        assert FALLBACK not in sentences
        assert len(set(sentences)) == len(sentences)


def test_tells_when_a_flow_says_nothing_of_its_codes_any_more(before: Definition) -> None:
    wanted: Definition = {**before, "code": {"length": 6, "minutes": 5, "sender": "Woodgrove"}}
    assert changes(wanted, before) == [
        "Codes that we mail have as many digits as the identity provider says.",
        "Codes that we mail work for as long as the identity provider says.",
        "Mail with codes comes from whom the identity provider says.",
    ]
    assert "Codes that we mail have 6 digits." in changes(None, wanted)
