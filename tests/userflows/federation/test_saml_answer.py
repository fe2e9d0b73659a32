"""What a SAML answer must be. Each of the wrong ones is right but for one thing."""

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import xmlsec
from lxml import etree

from directory.models import IdentityProvider
from tests.userflows.federation.saml_forger import (
    DS,
    ENTITY_ID,
    NAMES,
    REQUEST_ID,
    SAML,
    WRAPPING,
    Forger,
    ago,
    audience,
    name_id,
    posted,
    problem_of,
    sign,
    signer,
)
from userflows.federation.saml_answer import MAX_LENGTH

pytestmark = pytest.mark.any_database

Change = Callable[[Forger], dict[str, Any]]


def confirmation(forger: Forger, **changes: str) -> dict[str, Any]:
    parts = {"Recipient": forger.acs, "InResponseTo": REQUEST_ID, "NotOnOrAfter": ago(-5)} | changes
    return {"confirmation": " ".join(f'{name}="{value}"' for name, value in parts.items() if value)}


def message(forger: Forger, **changes: str) -> dict[str, Any]:
    parts = {"Destination": forger.acs, "InResponseTo": REQUEST_ID} | changes
    return {"message": " ".join(f'{name}="{value}"' for name, value in parts.items() if value)}


# What it says, signed as it should be.
WRONG: dict[str, tuple[str, Change]] = {
    "audience of another": ("audience", lambda f: {"restrictions": audience("https://other.example")}),
    "audience of another tenant's": (
        "audience",
        lambda f: {"restrictions": audience(f.audience.replace("woodgrove", "globex"))},
    ),
    "no audience": ("audience", lambda f: {"restrictions": ""}),
    "two restrictions": (
        "audience",
        lambda f: {"restrictions": audience(f.audience) + audience("https://other.example")},
    ),
    "unknown condition": (
        "not_a_response",
        lambda f: {
            "restrictions": audience(f.audience)
            + '<saml:Condition xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:x="urn:x" xsi:type="x:y"/>'
        },
    ),
    "destination elsewhere": ("destination", lambda f: message(f, Destination="https://other.example/acs")),
    "destination that begins like ours": ("destination", lambda f: message(f, Destination=f.acs + ".evil.example")),
    "recipient elsewhere": ("recipient", lambda f: confirmation(f, Recipient="https://other.example/acs")),
    "recipient that has ours in it": ("recipient", lambda f: confirmation(f, Recipient=f"https://x.example/?{f.acs}")),
    "no recipient": ("recipient", lambda f: confirmation(f, Recipient="")),
    "unsolicited": ("in_response_to", lambda f: message(f, InResponseTo="") | confirmation(f, InResponseTo="")),
    "answer to another request": ("in_response_to", lambda f: message(f, InResponseTo="ONELOGIN_2")),
    "confirmation of another request": ("in_response_to", lambda f: confirmation(f, InResponseTo="ONELOGIN_2")),
    "confirmation of no request": ("in_response_to", lambda f: confirmation(f, InResponseTo="")),
    "expired": ("expired", lambda f: {"conditions": f'NotOnOrAfter="{ago(2)}"'}),
    "confirmation expired": ("expired", lambda f: confirmation(f, NotOnOrAfter=ago(2))),
    "confirmation without an end": ("no_end", lambda f: confirmation(f, NotOnOrAfter="")),
    "not yet valid": ("too_early", lambda f: {"conditions": f'NotBefore="{ago(-2)}"'}),
    "issuer": ("issuer", lambda f: {"issuer": "https://idp.evil.example"}),
    "issuer of the assertion": (
        "issuer",
        lambda f: {"issuer": "https://idp.evil.example", "response_issuer": ENTITY_ID},
    ),
    "issuer of the response": ("issuer", lambda f: {"response_issuer": "https://idp.evil.example"}),
    "blank before the NameID": ("subject", lambda _: name_id(" amina-1")),
    "blank after the NameID": ("subject", lambda _: name_id("amina-1\n")),
    "invisible letter in the NameID": ("subject", lambda _: name_id("ami\u200bna-1")),
    "no-break space in the NameID": ("subject", lambda _: name_id("amina\u00a01")),
    "empty NameID": ("subject", lambda _: name_id("")),
    "NameID too long": ("subject_too_long", lambda _: name_id("a" * 256)),
    "NameID for another service": (
        "name_qualifier",
        lambda _: name_id("amina-1", more='SPNameQualifier="https://other.example"'),
    ),
    "comment in the NameID": ("comments", lambda _: name_id("admin@fabrikam.example<!-- -->.evil.example")),
    "two assertions": ("number_of_assertions", lambda f: {}),
}


@pytest.mark.parametrize("case", WRONG)
def test_refuses_what_is_signed_and_wrong(case: str, partner: IdentityProvider, forger: Forger) -> None:
    problem, change = WRONG[case]
    response = forger.response(**change(forger))
    if case == "two assertions":
        response.append(forger.mallory())
    assert problem_of(partner, forger.sign(response)) == f"saml_{problem}"


@pytest.mark.parametrize("attack", WRAPPING, ids=lambda attack: str(attack.__name__))
def test_refuses_wrapped_signatures(attack: Callable[[Forger], Any], partner: IdentityProvider, forger: Forger) -> None:
    assert problem_of(partner, attack(forger)) in {
        "saml_number_of_assertions",
        "saml_wrapped",
        "saml_ids",
        "saml_not_a_response",
    }


def _unsigned(forger: Forger) -> Any:
    return forger.response()


def _signed_by_another(forger: Forger) -> Any:
    return replace(forger, signer=signer("mallory")).signed()


def _signed_by_another_who_shows_our_certificate(forger: Forger) -> Any:
    response = forger.response()
    sign(response.find("saml:Assertion", NAMES), signer("mallory"), certificate=forger.signer.certificate)
    return response


def _changed_afterwards(forger: Forger) -> Any:
    response = forger.signed()
    response.find(".//saml:NameID", NAMES).text = "mallory"
    return response


def _sha1(forger: Forger) -> Any:
    return forger.sign(forger.response(), algorithm=xmlsec.Transform.RSA_SHA1)


def _sha1_digest(forger: Forger) -> Any:
    return forger.sign(forger.response(), digest=xmlsec.Transform.SHA1)


def _empty_reference(forger: Forger) -> Any:
    def whole_document(signature: Any) -> None:
        signature.find(".//ds:Reference", NAMES).set("URI", "")

    return forger.sign(forger.response(), before_signing=whole_document)


def _two_references(forger: Forger) -> Any:
    def twice(signature: Any) -> None:
        reference = signature.find(".//ds:Reference", NAMES)
        reference.addnext(copy.deepcopy(reference))

    return forger.sign(forger.response(), before_signing=twice)


def _xpath_transform(forger: Forger) -> Any:
    def nothing_of_it(signature: Any) -> None:
        transform = etree.SubElement(signature.xpath(".//ds:Transforms", namespaces=NAMES)[0], f"{{{DS}}}Transform")
        transform.set("Algorithm", "http://www.w3.org/TR/1999/REC-xpath-19991116")
        etree.SubElement(transform, f"{{{DS}}}XPath").text = "not(ancestor-or-self::*[local-name()='Subject'])"

    return forger.sign(forger.response(), before_signing=nothing_of_it)


def _manifest(forger: Forger) -> Any:
    response = forger.signed()
    manifest = etree.SubElement(
        etree.SubElement(response.find(".//ds:Signature", NAMES), f"{{{DS}}}Object"), f"{{{DS}}}Manifest"
    )
    reference = copy.deepcopy(response.find(".//ds:Reference", NAMES))
    reference.set("URI", "http://127.0.0.1/fetched-by-the-portal")
    manifest.append(reference)
    return response


def _extension(forger: Forger, name: str) -> tuple[Any, Any]:
    """Return a response that is in order, and an element in it that nobody has signed and that may be anything."""
    response = forger.signed()
    extensions = etree.Element(f"{{{NAMES['samlp']}}}Extensions")
    response.find("saml:Issuer", NAMES).addnext(extensions)
    return response, etree.SubElement(extensions, name)


def _signature_of_a_part(forger: Forger) -> Any:
    response, part = _extension(forger, "{urn:x}part")
    part.set("ID", "p-1")
    etree.SubElement(part, f"{{{SAML}}}Issuer").text = ENTITY_ID
    sign(part, forger.signer)
    return response


def _same_id_elsewhere(forger: Forger) -> Any:
    response, part = _extension(forger, "{urn:x}part")
    part.set("ID", "a-1")
    return response


def _same_xml_id_elsewhere(forger: Forger) -> Any:
    response, part = _extension(forger, "{urn:x}part")
    part.set("{http://www.w3.org/XML/1998/namespace}id", "a-1")
    return response


SIGNATURES: dict[str, tuple[str, Callable[[Forger], Any]]] = {
    "none": ("unsigned", _unsigned),
    "another's": ("signature", _signed_by_another),
    "another's, with the right certificate shown": ("signature", _signed_by_another_who_shows_our_certificate),
    "changed afterwards": ("signature", _changed_afterwards),
    "SHA-1": ("algorithm", _sha1),
    "SHA-1 digest": ("algorithm", _sha1_digest),
    "empty reference": ("wrapped", _empty_reference),
    "two references": ("wrapped", _two_references),
    "a transform that takes the subject out": ("algorithm", _xpath_transform),
    "a manifest": ("wrapped", _manifest),
    "a part's beside it": ("wrapped", _signature_of_a_part),
    "its ID given twice": ("ids", _same_id_elsewhere),
    "its ID given twice, as xml:id": ("not_a_response", _same_xml_id_elsewhere),
}


@pytest.mark.parametrize("case", SIGNATURES)
def test_refuses_wrong_signatures(case: str, partner: IdentityProvider, forger: Forger) -> None:
    problem, make = SIGNATURES[case]
    assert problem_of(partner, make(forger)) == f"saml_{problem}"


DOCUMENT_TYPES = {
    "entity": '<!DOCTYPE r [<!ENTITY e "amina-1">]>',
    "external entity": '<!DOCTYPE r [<!ENTITY e SYSTEM "file:///etc/hostname">]>',
    "billion laughs": '<!DOCTYPE r [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY e "&b;&b;&b;&b;">]>',
    "external subset": '<!DOCTYPE r SYSTEM "http://127.0.0.1/dtd">',
}


@pytest.mark.parametrize("case", DOCUMENT_TYPES)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_refuses_document_types(case: str, encoding: str, partner: IdentityProvider, forger: Forger) -> None:
    text = etree.tostring(forger.signed()).decode().replace("amina-1", "&e;")
    content = f"<?xml version='1.0' encoding='{encoding}'?>{DOCUMENT_TYPES[case]}{text}".encode(encoding)
    expected = "saml_entities" if encoding == "utf-8" else "saml_not_xml"
    assert problem_of(partner, posted(content)) == expected


def test_reads_no_encoding_in_which_it_would_not_see_a_comment(partner: IdentityProvider, forger: Forger) -> None:
    text = etree.tostring(forger.signed()).decode().replace("amina-1", "amina<!-- -->-1")
    assert problem_of(partner, posted(text.encode())) == "saml_comments"
    assert problem_of(partner, posted(text.encode("utf-16"))) == "saml_not_xml"


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        ("", "not_xml"),
        ("%%%", "not_xml"),
        (posted(b"not xml"), "not_xml"),
        (posted(b"<a/>"), "not_a_response"),
        ("A" * (MAX_LENGTH + 1), "too_large"),
    ],
)
def test_refuses_what_is_no_response(answer: str, problem: str, partner: IdentityProvider) -> None:
    assert problem_of(partner, answer) == f"saml_{problem}"
