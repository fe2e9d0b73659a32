"""XML that strangers send: parsed without entities, and its text taken whole or not at all."""

import re
from typing import Any

from lxml import etree
from onelogin.saml2.constants import OneLogin_Saml2_Constants as Names
from onelogin.saml2.xml_utils import OneLogin_Saml2_XML

ASSERTION = f"{{{Names.NS_SAML}}}Assertion"
RESPONSE = f"{{{Names.NS_SAMLP}}}Response"
SIGNATURE = f"{{{Names.NS_DS}}}Signature"
# Whatever declares entities. No SAML message has a document type.
DOCUMENT_TYPE = re.compile(rb"<!(DOCTYPE|ENTITY)", re.IGNORECASE)
COMMENT = b"<!--"


class XmlRefused(Exception):
    """`reason`: too_large, entities, comments, not_xml."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def parse(xml: bytes, *, most: int, may_have_comments: bool = False) -> Any:
    """Return the root element. Raises XmlRefused.

    Comments cut a text in two: "admin@fabrikam.example<!---->.evil.example" is signed as one and read as the other.
    """
    if len(xml) > most:
        raise XmlRefused("too_large")
    if b"\x00" in xml:
        # UTF-16 and UTF-32, in which what is looked for below is written otherwise.
        raise XmlRefused("not_xml")
    if DOCUMENT_TYPE.search(xml):
        raise XmlRefused("entities")
    if COMMENT in xml and not may_have_comments:
        raise XmlRefused("comments")
    try:
        # Its parser resolves no entity, loads nothing, and refuses document types once more, in any encoding.
        return OneLogin_Saml2_XML.to_etree(xml)
    except (etree.LxmlError, ValueError) as error:
        raise XmlRefused("not_xml") from error


def find(element: Any, path: str) -> list[Any]:
    """Return what an XPath finds, with the prefixes samlp, saml, ds, xenc and md."""
    return list(OneLogin_Saml2_XML.query(element, path))


def text_of(element: Any) -> str | None:
    """Return the text of an element, None for one that has anything but text in it."""
    return None if len(element) else element.text or ""


def is_valid_message(element: Any) -> bool:
    """Answer whether the element is a message by the schema of the SAML protocol."""
    return not isinstance(OneLogin_Saml2_XML.validate_xml(element, "saml-schema-protocol-2.0.xsd"), str)
