"""What is read of a SAML answer that is in order, and what a provider says that signed nobody in."""

from dataclasses import replace
from typing import Any

import pytest
import xmlsec
from django.core.cache import cache
from lxml import etree

from directory.models import IdentityProvider
from tests.userflows.federation.saml_forger import (
    ENTITY_ID,
    MAIL_FORMAT,
    NAMES,
    PERSISTENT,
    TRANSIENT,
    Forger,
    ago,
    attribute,
    encrypt,
    finish,
    name_id,
    posted,
    problem_of,
    signer,
)
from userflows.federation.errors import ProviderCancelled, ProviderMisconfigured, ProviderRefused
from userflows.federation.saml_metadata import make_key_pair

pytestmark = pytest.mark.any_database


def test_takes_an_assertion_once(partner: IdentityProvider, forger: Forger) -> None:
    answer = posted(forger.signed())
    assert finish(partner, answer).subject == "amina-1"
    assert problem_of(partner, answer) == "saml_replayed"
    cache.clear()
    assert finish(partner, answer).subject == "amina-1"


@pytest.mark.parametrize("what", ["saml:Assertion", "samlp:Response"])
def test_takes_a_signed_assertion_or_a_signed_response(what: str, partner: IdentityProvider, forger: Forger) -> None:
    told = finish(partner, forger.signed(what=what))
    assert (told.issuer, told.subject, told.mail) == (ENTITY_ID, "amina-1", "")
    assert told.sign_out == {"name_id": "amina-1", "format": PERSISTENT, "session_index": "s-1"}


def test_takes_either_certificate_while_one_is_exchanged(partner: IdentityProvider, forger: Forger) -> None:
    assert finish(partner, replace(forger, signer=signer("next")).signed()).subject == "amina-1"


def test_takes_clocks_that_differ_by_a_minute(partner: IdentityProvider, forger: Forger) -> None:
    conditions = f'NotBefore="{ago(-1)}" NotOnOrAfter="{ago(-5)}"'
    assert finish(partner, forger.signed(conditions=conditions)).subject == "amina-1"
    cache.clear()
    conditions = f'NotBefore="{ago(9)}" NotOnOrAfter="{ago(1)}"'
    assert finish(partner, forger.signed(conditions=conditions)).subject == "amina-1"


def test_reads_encrypted_assertions_with_its_own_key(partner: IdentityProvider, forger: Forger) -> None:
    make_key_pair(partner)
    response = forger.signed()
    encrypt(response, partner.settings["sp_certificate"])
    assert b"amina-1" not in etree.tostring(response)
    assert finish(partner, response).subject == "amina-1"
    # By RSA 1.5 every answer of ours would tell something of the key.
    response = forger.signed(assertion_id="a-3")
    encrypt(response, partner.settings["sp_certificate"], transport=xmlsec.Transform.RSA_PKCS1)
    assert problem_of(partner, response) == "saml_encryption_algorithm"
    # A comment is no part of what is signed, and comes past the parser inside the encryption.
    response = forger.signed(name_id=f'<saml:NameID Format="{PERSISTENT}">admin.evil</saml:NameID>')
    element = response.find(".//saml:NameID", NAMES)
    element.text = "admin"
    element.append(etree.Comment("x"))
    element[0].tail = ".evil"
    encrypt(response, partner.settings["sp_certificate"])
    assert problem_of(partner, response) == "saml_comments"
    # Nobody's key, or another's.
    response = forger.signed()
    encrypt(response, signer("mallory").certificate)
    assert problem_of(partner, response) == "saml_not_decrypted"
    partner.secret = ""
    assert problem_of(partner, response) == "saml_encrypted_without_key"


def test_believes_an_unsigned_assertion_no_more_when_it_is_encrypted(partner: IdentityProvider, forger: Forger) -> None:
    make_key_pair(partner)
    response = forger.response()
    encrypt(response, partner.settings["sp_certificate"])
    assert problem_of(partner, response) == "saml_unsigned"


@pytest.mark.parametrize(
    ("codes", "error"),
    [
        (("Responder", "AuthnFailed"), ProviderCancelled),
        (("Responder", "RequestDenied"), ProviderCancelled),
        (("Responder", "NoPassive"), ProviderRefused),
        (("Requester", "InvalidNameIDPolicy"), ProviderRefused),
        (("VersionMismatch",), ProviderRefused),
    ],
)
def test_tells_what_the_provider_says_of_a_failure(
    codes: tuple[str, ...], error: type[Exception], partner: IdentityProvider, forger: Forger
) -> None:
    response = forger.response(assertions="")
    code = response.find(".//samlp:StatusCode", NAMES)
    code.set("Value", f"urn:oasis:names:tc:SAML:2.0:status:{codes[0]}")
    for inner in codes[1:]:
        nested = etree.SubElement(code, code.tag)
        nested.set("Value", f"urn:oasis:names:tc:SAML:2.0:status:{inner}")
    etree.SubElement(code.getparent(), f"{{{NAMES['samlp']}}}StatusMessage").text = "Not today."
    with pytest.raises(error) as caught:
        finish(partner, response)
    assert codes[-1] in getattr(caught.value, "provider_error", "")
    assert getattr(caught.value, "provider_description", "") == "Not today."
    response.set("InResponseTo", "ONELOGIN_2")
    assert problem_of(partner, response) == "saml_in_response_to"


def test_knows_nobody_by_a_transient_name(partner: IdentityProvider, forger: Forger) -> None:
    changes: dict[str, Any] = {
        **name_id("_8a7b", name_format=TRANSIENT),
        "attributes": f"<saml:AttributeStatement>{attribute('uid', 'u-7')}</saml:AttributeStatement>",
    }
    with pytest.raises(ProviderMisconfigured) as caught:
        finish(partner, forger.signed(**changes))
    assert caught.value.provider_error == "saml_transient_name_id"
    partner.settings["subject_attribute"] = "uid"
    assert finish(partner, forger.signed(**changes)).subject == "u-7"


def test_takes_the_subject_from_one_attribute_with_one_value(partner: IdentityProvider, forger: Forger) -> None:
    def answer(*attributes: str) -> Any:
        cache.clear()
        statement = f"<saml:AttributeStatement>{''.join(attributes)}</saml:AttributeStatement>"
        return forger.signed(attributes=statement)

    partner.settings["subject_attribute"] = "uid"
    assert finish(partner, answer(attribute("urn:oid:0.9", "u-7", friendly_name="uid"))).subject == "u-7"
    # By its name first: a friendly name is anybody's to choose.
    both = attribute("urn:evil", "admin", friendly_name="uid"), attribute("uid", "u-7")
    assert finish(partner, answer(*both)).subject == "u-7"
    for attributes in (
        [attribute("uid", "u-7", "u-8")],
        [attribute("uid", "u-7"), attribute("uid", "u-8")],
        [attribute("urn:a", "u-7", friendly_name="uid"), attribute("urn:b", "", friendly_name="uid")],
    ):
        assert problem_of(partner, answer(*attributes)) == "saml_subject"
    with pytest.raises(ProviderMisconfigured):
        finish(partner, answer(attribute("uid", "u-7<b>x</b>")))


def test_keeps_the_name_spaces_of_a_provider_apart(partner: IdentityProvider, forger: Forger) -> None:
    own = name_id("amina-1", more=f'NameQualifier="{ENTITY_ID}"')
    other = name_id("amina-1", more='NameQualifier="https://branch.fabrikam.example"')
    assert finish(partner, forger.signed(**own)).subject == "amina-1"
    cache.clear()
    assert finish(partner, forger.signed(**other)).subject == "https://branch.fabrikam.example\tamina-1"


def test_reads_attributes_by_name_and_friendly_name(partner: IdentityProvider, forger: Forger) -> None:
    statement = "".join(
        (
            attribute("urn:oid:2.5.4.42", "Amina", friendly_name="givenName"),
            attribute("urn:oid:0.9.2342.19200300.100.1.3", "Amina@FABRIKAM.example", friendly_name="mail"),
            attribute("groups", "a", "b"),
            attribute("sn", "<![CDATA[Az]]>iz"),
        )
    )
    partner.trusted_domains = ["fabrikam.example"]
    told = finish(partner, forger.signed(attributes=f"<saml:AttributeStatement>{statement}</saml:AttributeStatement>"))
    assert told.mail == "Amina@fabrikam.example"
    assert told.is_mail_verified
    assert told.answers == {"GivenName": "Amina", "Surname": "Aziz"}
    assert told.claims["groups"] == ["a", "b"]
    assert told.claims["givenName"] == told.claims["urn:oid:2.5.4.42"] == "Amina"


def test_takes_the_address_from_the_name_only_where_it_is_one(partner: IdentityProvider, forger: Forger) -> None:
    told = finish(partner, forger.signed(**name_id("amina@fabrikam.example", name_format=MAIL_FORMAT)))
    assert (told.mail, told.is_mail_verified) == ("amina@fabrikam.example", False)
    cache.clear()
    assert finish(partner, forger.signed(**name_id("amina@fabrikam.example"))).mail == ""


def test_refuses_to_speak_for_another_kind_of_provider(partner: IdentityProvider, forger: Forger) -> None:
    partner.settings["entity_id"] = "google.com"
    with pytest.raises(ProviderMisconfigured):
        finish(partner, forger.signed(issuer="google.com"))
