"""Commands as an operator gives them."""

import json
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

Run = Callable[..., str]
RunJson = Callable[..., dict[str, Any]]


@pytest.fixture
def run(db: None) -> Run:
    """Run a command, and return what it says to people."""

    def make(*arguments: str) -> str:
        output = StringIO()
        call_command(*arguments, stdout=output)
        return output.getvalue()

    return make


@pytest.fixture
def run_json(run: Run) -> RunJson:
    """Run a command with --json, and return its answer: one object on one line."""

    def make(*arguments: str) -> dict[str, Any]:
        said = run(*arguments, "--json")
        assert said.count("\n") == 1
        return dict(json.loads(said))

    return make
