"""A SAML response, judged: nothing of it is believed before all of this has been said of it.

The toolkit checks signatures, the schema and more. Where it is lenient (addresses compared by their beginning, audience
or InResponseTo left out, five minutes of skew, a signature's transforms, further references) the clause is kept here.
"""

import base64
import binascii
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import xmlsec
from lxml import etree
from onelogin.saml2.constants import OneLogin_Saml2_Constants as Names
from onelogin.saml2.errors import OneLogin_Saml2_Error, OneLogin_Saml2_ValidationError
from onelogin.saml2.response import OneLogin_Saml2_Response
from onelogin.saml2.settings import OneLogin_Saml2_Settings

from userflows.federation.saml_settings import DIGESTS, SIGNATURES, request_to
from userflows.federation.saml_xml import (
    ASSERTION,
    RESPONSE,
    XmlRefused,
    find,
    is_valid_message,
    parse,
    text_of,
)

# Of the base64 that a browser posts. An answer with a few hundred groups in it is a tenth of that.
MAX_LENGTH = 400_000
SKEW = timedelta(seconds=90)
EXCLUSIVE = ("http://www.w3.org/2001/10/xml-exc-c14n#", "http://www.w3.org/2001/10/xml-exc-c14n#WithComments")
ENVELOPED = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
# RSA 1.5 and CBC tell whoever tries long enough; with a handshake for each try nobody can, and AD FS uses CBC.
KEY_ENCRYPTIONS = frozenset((Names.RSA_OAEP_MGF1P, "http://www.w3.org/2009/xmlenc11#rsa-oaep"))
ENCRYPTIONS = frozenset(
    (Names.AES128_CBC, Names.AES192_CBC, Names.AES256_CBC)
    + tuple(f"http://www.w3.org/2009/xmlenc11#aes{bits}-gcm" for bits in (128, 192, 256))
)


class AnswerRefused(Exception):
    """`reason` is for logs and tests, `detail` for an administrator who looks for the cause."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason)
        self.reason, self.detail = reason, detail


class StatusRefused(Exception):
    """The provider says that it didn't sign the person in: its status codes (the last part of each) and words."""

    def __init__(self, codes: list[str], message: str) -> None:
        super().__init__(codes)
        self.codes, self.message = codes, message


@dataclass(frozen=True)
class Expected:
    """What an answer must say to be the one to our request."""

    request_id: str
    issuer: str
    audience: str
    recipient: str
    now: datetime


def read_answer(encoded: str, *, expected: Expected, toolkit: OneLogin_Saml2_Settings) -> Any:
    """Return the assertion (an element) of a response that is in order. Raises AnswerRefused, StatusRefused."""
    try:
        response = parse(_decoded(encoded), most=MAX_LENGTH)
    except XmlRefused as error:
        raise AnswerRefused(error.reason) from error
    if response.tag != RESPONSE or not is_valid_message(response):
        raise AnswerRefused("not_a_response")
    _check_status(response, expected)
    encrypted = find(response, "saml:EncryptedAssertion")
    if encrypted:
        _check_encryption(response, toolkit)
    try:
        checked = OneLogin_Saml2_Response(toolkit, "".join(encoded.split()))
    except (OneLogin_Saml2_Error, OneLogin_Saml2_ValidationError, xmlsec.Error, etree.LxmlError, ValueError) as error:
        raise AnswerRefused("not_decrypted", str(error)) from error
    document = checked.decrypted_document if encrypted else checked.document
    assertion = _only_assertion(document)
    _check_signatures(document, assertion)
    _check_message(document, expected)
    _check_assertion(assertion, expected)
    if not checked.is_valid(request_to(expected.recipient), expected.request_id):
        problem = checked.get_error() or ""
        raise AnswerRefused("signature" if "ignature" in problem else "not_valid", problem)
    return assertion


def _decoded(encoded: str) -> bytes:
    if len(encoded) > MAX_LENGTH:
        raise AnswerRefused("too_large")
    try:
        return base64.b64decode("".join(encoded.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise AnswerRefused("not_xml") from error


def _check_status(response: Any, expected: Expected) -> None:
    codes = [str(element.get("Value", "")) for element in find(response, "samlp:Status//samlp:StatusCode")]
    if codes[:1] == [Names.STATUS_SUCCESS]:
        return
    # Refusals are seldom signed; one that answers another request is not for this person.
    if response.get("InResponseTo") not in (None, expected.request_id):
        raise AnswerRefused("in_response_to")
    messages = find(response, "samlp:Status/samlp:StatusMessage")
    raise StatusRefused([code.rpartition(":")[2] for code in codes], (text_of(messages[0]) or "") if messages else "")


def _check_encryption(response: Any, toolkit: OneLogin_Saml2_Settings) -> None:
    if not toolkit.get_sp_key():
        raise AnswerRefused("encrypted_without_key")
    of_keys = {element.get("Algorithm") for element in find(response, "//xenc:EncryptedKey/xenc:EncryptionMethod")}
    of_data = {element.get("Algorithm") for element in find(response, "//xenc:EncryptedData/xenc:EncryptionMethod")}
    if not of_keys or not of_data or of_keys - KEY_ENCRYPTIONS or of_data - ENCRYPTIONS:
        raise AnswerRefused(
            "encryption_algorithm", ", ".join(sorted(map(str, (of_keys - KEY_ENCRYPTIONS) | (of_data - ENCRYPTIONS))))
        )


def _only_assertion(document: Any) -> Any:
    """Return the one assertion, which stands where it belongs: the wrapping attacks need another, elsewhere."""
    if find(document, "//comment() | //processing-instruction()"):
        # What was decrypted comes past the parser that takes them out.
        raise AnswerRefused("comments")
    assertions = find(document, "//saml:Assertion")
    if len(assertions) != 1 or find(document, "//saml:EncryptedAssertion"):
        raise AnswerRefused("number_of_assertions")
    if assertions[0].getparent() is not document or document.tag != RESPONSE or assertions[0].tag != ASSERTION:
        raise AnswerRefused("wrapped")
    ids = [str(value) for value in find(document, "//@ID | //@Id | //@id")]
    if len(ids) != len(set(ids)):
        raise AnswerRefused("ids")
    return assertions[0]


def _check_signatures(document: Any, assertion: Any) -> None:
    """A signature covers the element that it stands in, all of it, by algorithms that hold (SAML Core 5.4)."""
    signatures = find(document, "//ds:Signature")
    if not signatures:
        raise AnswerRefused("unsigned")
    parents = [signature.getparent() for signature in signatures]
    if any(parent is not document and parent is not assertion for parent in parents) or len(parents) > len(
        {id(parent) for parent in parents}
    ):
        raise AnswerRefused("wrapped")
    for signature, parent in zip(signatures, parents, strict=True):
        names = [etree.QName(child).localname for child in signature]
        if names not in (["SignedInfo", "SignatureValue"], ["SignedInfo", "SignatureValue", "KeyInfo"]):
            # An Object may hold references of its own, which would be followed.
            raise AnswerRefused("wrapped")
        references = find(signature, "ds:SignedInfo/ds:Reference")
        if len(references) != 1 or references[0].get("URI") != f"#{parent.get('ID')}":
            raise AnswerRefused("wrapped")
        _check_algorithms(signature)


def _check_algorithms(signature: Any) -> None:
    def used(path: str) -> set[str]:
        return {str(element.get("Algorithm")) for element in find(signature, path)}

    transforms = used(".//ds:Transform") | used(".//ds:CanonicalizationMethod")
    weak = (
        (used(".//ds:SignatureMethod") - SIGNATURES)
        | (used(".//ds:DigestMethod") - DIGESTS)
        | (transforms - {ENVELOPED, *EXCLUSIVE})
    )
    if weak:
        raise AnswerRefused("algorithm", ", ".join(sorted(weak)))


def _check_message(document: Any, expected: Expected) -> None:
    """SAML Bindings 3.5.5.2, Profiles 4.1.4.3. An answer that nobody asked for (IdP-initiated) is refused."""
    if document.get("InResponseTo") != expected.request_id:
        raise AnswerRefused("in_response_to")
    is_signed = bool(find(document, "ds:Signature"))
    destination = document.get("Destination")
    if (destination is None and is_signed) or destination not in (None, expected.recipient):
        raise AnswerRefused("destination", f"{destination or ''}")
    issuers = [text_of(element) for element in find(document, "saml:Issuer")]
    if issuers not in ([], [expected.issuer]):
        raise AnswerRefused("issuer", f"{issuers[0]}")


def _check_assertion(assertion: Any, expected: Expected) -> None:
    issuers = [text_of(element) for element in find(assertion, "saml:Issuer")]
    if issuers != [expected.issuer]:
        raise AnswerRefused("issuer", f"{issuers[:1]}")
    conditions = find(assertion, "saml:Conditions")
    if len(conditions) != 1:
        # One that isn't understood can't be met (SAML Core 2.5.1), and there the schema knows all that we do.
        raise AnswerRefused("conditions")
    check_times(conditions[0], expected.now)
    restrictions = find(conditions[0], "saml:AudienceRestriction")
    audiences = [[text_of(element) for element in find(one, "saml:Audience")] for one in restrictions]
    if not audiences or any(expected.audience not in names for names in audiences):
        raise AnswerRefused("audience", ", ".join(str(name) for names in audiences for name in names))
    if len(find(assertion, "saml:AuthnStatement")) != 1:
        raise AnswerRefused("no_authentication")
    problems = list(_problems_of_confirmations(assertion, expected))
    if not problems or "" not in problems:
        raise AnswerRefused(problems[0] if problems else "no_confirmation")


def _problems_of_confirmations(assertion: Any, expected: Expected) -> Iterator[str]:
    """Yield what is wrong with each bearer confirmation, "" for one that holds (SAML Profiles 4.1.4.2)."""
    for confirmation in find(assertion, f"saml:Subject/saml:SubjectConfirmation[@Method='{Names.CM_BEARER}']"):
        for data in find(confirmation, "saml:SubjectConfirmationData"):
            try:
                if data.get("Recipient") != expected.recipient:
                    yield "recipient"
                elif data.get("InResponseTo") != expected.request_id:
                    yield "in_response_to"
                elif data.get("NotOnOrAfter") is None:
                    yield "no_end"
                else:
                    check_times(data, expected.now)
                    yield ""
            except AnswerRefused as error:
                yield error.reason


def check_times(element: Any, now: datetime) -> None:
    begins, ends = element.get("NotBefore"), element.get("NotOnOrAfter")
    if begins is not None and time_of(begins) > now + SKEW:
        raise AnswerRefused("too_early", begins)
    if ends is not None and time_of(ends) <= now - SKEW:
        raise AnswerRefused("expired", ends)


def time_of(text: str) -> datetime:
    """SAML Core 1.3.3: UTC. A time without a zone would be ours."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError as error:
        raise AnswerRefused("time", text) from error
    return time if time.tzinfo else time.replace(tzinfo=UTC)
