"""What a flow says of the codes that are mailed, in the flow builder."""

import pytest
from django.test import Client

from tests.admin.building import open_builder, save
from tests.admin.conftest import Furnished


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("code_length", "5"),
        ("code_length", "11"),
        ("code_minutes", "4"),
        ("code_minutes", "61"),
        ("code_minutes", "x"),
        ("code_sender", "eve@evil.example"),
        ("code_sender", 'Bank" <eve'),
        ("code_sender", "x" * 61),
    ],
)
def test_refuses_codes_that_nobody_should_get(browser: Client, ours: Furnished, name: str, value: str) -> None:
    page = save(browser, ours, open_builder(browser, ours) | {name: value})
    assert page.status_code == 200
    assert f'href="#id_{name}"' in page.content.decode()
    ours.flow.refresh_from_db()
    assert ours.flow.revision == 0
