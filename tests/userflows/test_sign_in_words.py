"""The sign-in log has words for everything that is written into it."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from userflows import errors
from userflows.errors import UserFlowError
from userflows.federation import errors as federation_errors
from userflows.mail_code import CodeCheck
from userflows.models import Outcome
from userflows.sign_in_words import REASONS, STEPS, reason_in_words, step_in_words
from userflows.steps import STEPS as STEP_MODULES

pytestmark = pytest.mark.any_database

ROOT = Path(__file__).resolve().parent.parent.parent
SOURCES = [*(ROOT / "userflows").rglob("*.py"), *(ROOT / "identity_portal").rglob("*.py")]
# These take a reason for the audit log; what they say isn't a step of a journey.
OTHER_CALLS = {"record", "_record_theft"}


def refusals(kind: type[UserFlowError] = UserFlowError) -> Iterator[type[UserFlowError]]:
    yield kind
    for derived in kind.__subclasses__():
        yield from refusals(derived)


def reasons_in_calls() -> Iterator[str]:
    """Every `reason="…"` that is written anywhere, but for those of the audit log."""
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call):
                continue
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            for keyword in node.keywords:
                is_text = isinstance(keyword.value, ast.Constant) and keyword.value.value
                if keyword.arg == "reason" and is_text and called not in OTHER_CALLS:
                    yield str(keyword.value.value)  # type: ignore[attr-defined]


def reasons_returned(function_name: str) -> Iterator[str]:
    tree = ast.parse((ROOT / "userflows" / "journey.py").read_text())
    function = next(node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == function_name)
    for node in ast.walk(function):
        for constant in ast.walk(node) if isinstance(node, ast.Return) else ():
            if isinstance(constant, ast.Constant) and constant.value:
                yield str(constant.value)


def test_has_words_for_every_refusal() -> None:
    codes = {refusal.reason or refusal.code for refusal in refusals() if refusal.__module__ == errors.__name__}
    assert len(codes) > 10
    assert codes - set(REASONS) == set()


def test_has_words_for_every_trip_to_a_provider_that_led_nowhere() -> None:
    codes = {refusal.code for refusal in refusals() if refusal.__module__ == federation_errors.__name__}
    assert len(codes) > 10
    # Nobody's journey is known then: there is no entry to write it into.
    assert codes - set(REASONS) == {"answer_unknown"}


def test_has_words_for_every_reason_in_the_source() -> None:
    wrong_codes = {f"code_{check.value}" for check in CodeCheck if check is not CodeCheck.RIGHT}
    refused = set(reasons_returned("sign_up_refusal"))
    assert len(refused) >= 5
    assert ({*reasons_in_calls(), *refused, *wrong_codes}) - set(REASONS) == set()


def test_has_words_for_every_step_and_outcome() -> None:
    written = {"started", "refused", *(module.NAME for module in STEP_MODULES)}
    written |= {outcome.value for outcome in Outcome} - {Outcome.IN_PROGRESS.value}
    assert written - set(STEPS) == set()


def test_has_no_words_for_what_nobody_writes() -> None:
    source = "".join(path.read_text() for path in SOURCES if path.name != "sign_in_words.py")
    codes = {f"code_{check.value}" for check in CodeCheck}
    assert [code for code in REASONS if f'"{code}"' not in source and code not in codes] == []


@pytest.mark.parametrize(
    ("step", "words"),
    [
        ({"step": "attributes", "outcome": "done", "page": 2}, "Answered the questions. Page 2."),
        (
            {"step": "attributes", "outcome": "refused", "reason": "answers_refused", "fields": ["Age", "City"]},
            "Some answers were missing or not valid. Asked again: Age, City.",
        ),
        ({"step": "email_code", "outcome": "refused", "reason": "code_wrong"}, "The code was wrong."),
        ({"step": "choose", "outcome": "done", "provider": "Google"}, "Google: Chosen to sign in with."),
        (
            {
                "step": "federation",
                "outcome": "refused",
                "reason": "provider_answer_invalid",
                "provider": "Fabrikam",
                "problem": "nonce",
                "said": "of 2001",
            },
            "Fabrikam: The identity provider's answer didn't stand the checks. "
            "The ID token answers another request than ours. It said: “of 2001”.",
        ),
        ({"step": "of_a_later_version", "outcome": "done"}, "of_a_later_version"),
        ({}, ""),
    ],
)
def test_says_it_in_a_sentence(step: dict[str, object], words: str) -> None:
    assert step_in_words(step) == words
    assert reason_in_words("of_a_later_version") == "of_a_later_version"
