"""The documents say what is."""

import re

import pytest
from django.core.management import get_commands

from tests.processes import ROOT

pytestmark = pytest.mark.any_database

README = (ROOT / "README.md").read_text()
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text()


def test_the_readme_lists_every_setting() -> None:
    source = (ROOT / "identity_portal" / "settings.py").read_text()
    names = set(re.findall(r'env\.\w+\(\s*"([A-Z_]+)"', source))
    assert len(names) > 10
    assert {name for name in names if f"| `{name}` |" not in README} == set()


def test_the_readme_lists_no_setting_that_is_gone() -> None:
    source = (ROOT / "identity_portal" / "settings.py").read_text()
    assert {name for name in re.findall(r"^\| `([A-Z_]+)` \|", README, re.M) if f'"{name}"' not in source} == set()


def test_the_documents_name_only_files_and_commands_that_exist() -> None:
    paths = set(
        re.findall(r"`((?:directory|userflows|identity_portal|examples|templates|tests)/[\w/.]*)`", ARCHITECTURE)
    )
    assert len(paths) > 20
    assert {path for path in paths if not (ROOT / path).exists()} == set()
    commands = set(re.findall(r"manage\.py (\w+)", README))
    assert commands - set(get_commands()) == set()


def test_the_life_of_a_sign_up_uses_the_names_in_the_code() -> None:
    life = ARCHITECTURE.split("## The life of one sign-up")[1].split("## Sessions")[0]
    code = "\n".join(
        path.read_text()
        for folder in ("directory", "userflows", "identity_portal")
        for path in (ROOT / folder).rglob("*.py")
    )
    names = {name.rpartition(".")[2] for name in re.findall(r"`([A-Za-z_.]+)`", life)}
    assert len(names) > 30
    assert {name for name in names if name not in code} <= {"py"}
