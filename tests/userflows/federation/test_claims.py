"""From claims, of which anything can be said, to answers that forms and pages can hold."""

from collections.abc import Callable
from typing import Any

import pytest

from directory.models import DataType, IdentityProvider, Tenant, UserAttribute
from userflows.federation.claims import answers_of, clean_mail, mapping_of, name_of_form_post, told_mail

pytestmark = pytest.mark.any_database

CLAIMS = {
    "name": "Amina Aziz",
    "given_name": "Amina",
    "family_name": "Aziz",
    "address": {"locality": "Bielefeld", "country": "DE"},
    "groups": ["buyers", "sellers"],
    "https://fabrikam.example/department": "Purchase",
    "age": "42",
    "is_partner": True,
}


@pytest.fixture
def provider(tenant: Tenant, make_provider: Callable[..., IdentityProvider]) -> IdentityProvider:
    return make_provider(tenant, "OpenIdConnect")


def test_fills_in_what_the_kind_says(provider: IdentityProvider) -> None:
    assert answers_of(provider, CLAIMS) == {
        "DisplayName": "Amina Aziz",
        "GivenName": "Amina",
        "Surname": "Aziz",
        "City": "Bielefeld",
        "Country": "DE",
    }


def test_lets_the_administrator_say_it_otherwise(
    provider: IdentityProvider, make_attribute: Callable[..., UserAttribute], tenant: Tenant
) -> None:
    make_attribute(tenant, "Groups")
    make_attribute(tenant, "Age", DataType.INT)
    make_attribute(tenant, "Partner", DataType.BOOLEAN)
    provider.claims_mapping = {
        "City": "",
        "GivenName": "name",
        "JobTitle": "https://fabrikam.example/department",
        "extension_Groups": "groups",
        "extension_Age": "age",
        "extension_Partner": "is_partner",
        "extension_Unknown": "name",
        "Email": "name",
    }
    answers = answers_of(provider, CLAIMS)
    assert "City" not in answers
    assert "Email" not in mapping_of(provider)
    assert answers["GivenName"] == "Amina Aziz"
    assert answers["JobTitle"] == "Purchase"
    assert answers["extension_Groups"] == "buyers, sellers"
    assert (answers["extension_Age"], answers["extension_Partner"]) == (42, True)
    assert "extension_Unknown" not in answers


@pytest.mark.parametrize(
    ("told", "answer"),
    [
        ("  Amina \t ", "Amina"),
        ("Ami\x00na\x07", "Amina"),
        ("Ami\u202ena\u200b", "Amina"),
        ("Amina\r\nBcc: all@fabrikam.example", "Amina Bcc: all@fabrikam.example"),
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
        ("x" * 100_000, "x" * 64),
        (["Amina", {"a": 1}, None, "Binta"], "Amina, Binta"),
        ([], None),
        ({"a": "b"}, None),
        ("", None),
        (" \u2028 ", None),
        (None, None),
        (7, "7"),
        (True, "true"),
        ([[[["deep"]]]], "deep"),
    ],
)
def test_takes_only_what_can_be_shown(provider: IdentityProvider, told: Any, answer: str | None) -> None:
    assert answers_of(provider, {"given_name": told}).get("GivenName") == answer


@pytest.mark.parametrize(
    ("data_type", "told", "answer"),
    [
        (DataType.INT, "12", 12),
        (DataType.INT, -12, -12),
        (DataType.INT, "1e9", None),
        (DataType.INT, "٣", None),
        (DataType.INT, "9" * 400, None),
        (DataType.INT, 2**63, None),
        (DataType.BOOLEAN, "True", True),
        (DataType.BOOLEAN, False, False),
        (DataType.BOOLEAN, "0", False),
        (DataType.BOOLEAN, "perhaps", None),
    ],
)
def test_keeps_to_the_type_of_the_attribute(
    provider: IdentityProvider,
    make_attribute: Callable[..., UserAttribute],
    tenant: Tenant,
    data_type: DataType,
    told: Any,
    answer: int | bool | None,
) -> None:
    make_attribute(tenant, "Custom", data_type)
    provider.claims_mapping = {"extension_Custom": "custom"}
    assert answers_of(provider, {"custom": told}).get("extension_Custom") is answer or answer == answers_of(
        provider, {"custom": told}
    ).get("extension_Custom")


@pytest.mark.parametrize(
    ("told", "answer"), [("de", "DE"), ("Germany", "DE"), ("germany", "DE"), ("Atlantis", "Atlantis")]
)
def test_knows_countries_by_code_and_by_name(provider: IdentityProvider, told: str, answer: str) -> None:
    assert answers_of(provider, {"address": {"country": told}})["Country"] == answer


@pytest.mark.parametrize(
    ("told", "mail"),
    [
        ("Amina@Fabrikam.Example", "Amina@fabrikam.example"),
        ("amina@bücher.example", "amina@xn--bcher-kva.example"),
        ("amina@fabrikam.example\nBcc: x@y.example", ""),
        ("no address", ""),
        (["amina@fabrikam.example"], ""),
        ("a" * 400 + "@fabrikam.example", ""),
        (None, ""),
        (7, ""),
    ],
)
def test_takes_an_address_as_the_forms_do(told: Any, mail: str) -> None:
    assert clean_mail(told) == mail


@pytest.mark.parametrize(
    ("trusts_mail", "domains", "email_verified", "is_proven"),
    [
        (False, [], True, False),
        (True, [], True, True),
        (True, [], "true", True),
        (True, [], "false", False),
        (True, [], None, False),
        (False, ["fabrikam.example"], None, True),
        (False, ["example"], None, True),
        (False, ["brikam.example"], None, False),
        ("yes", [], True, False),
    ],
)
def test_takes_an_address_for_proven_only_where_the_administrator_said_so(
    provider: IdentityProvider, trusts_mail: object, domains: list[str], email_verified: object, is_proven: bool
) -> None:
    provider.settings["trusts_mail"] = trusts_mail
    provider.trusted_domains = domains
    claims = {"email": "amina@fabrikam.example", "email_verified": email_verified}
    assert told_mail(provider, claims) == ("amina@fabrikam.example", is_proven)


@pytest.mark.parametrize(
    ("user", "names"),
    [
        ('{"name":{"firstName":"Jane","lastName":"Doe"}}', {"given_name": "Jane", "family_name": "Doe"}),
        ('{"name":{"firstName":"J\\u202eane"}}', {"given_name": "Jane"}),
        ('{"name":null}', {}),
        ('{"name":["Jane"]}', {}),
        ("[]", {}),
        ("not json", {}),
        ("[" * 4000, {}),
        ("", {}),
    ],
)
def test_reads_a_name_out_of_what_anybody_can_post(user: str, names: dict[str, str]) -> None:
    assert name_of_form_post(user) == names
