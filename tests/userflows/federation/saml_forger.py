"""SAML responses written and signed by hand: right ones, and every wrong one that a forger could send."""

import base64
import copy
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import xmlsec
from lxml import etree

from directory.models import IdentityProvider
from tests.certificates import make_rsa_certificate
from userflows.federation import saml
from userflows.federation.errors import ProviderAnswerInvalid
from userflows.federation.told import Told
from userflows.models import Handshake

REQUEST_ID = "ONELOGIN_1"
ENTITY_ID = "https://idp.fabrikam.example/metadata"
SAML = "urn:oasis:names:tc:SAML:2.0:assertion"
SAMLP = "urn:oasis:names:tc:SAML:2.0:protocol"
DS = "http://www.w3.org/2000/09/xmldsig#"
NAMES = {"saml": SAML, "samlp": SAMLP, "ds": DS}
PERSISTENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"
MAIL_FORMAT = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"
TRANSIENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"

ASSERTION = """\
<saml:Assertion xmlns:saml="{saml}" ID="{assertion_id}" Version="2.0" IssueInstant="{now}">
<saml:Issuer>{issuer}</saml:Issuer>
<saml:Subject>{name_id}<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer">
<saml:SubjectConfirmationData {confirmation}/></saml:SubjectConfirmation></saml:Subject>
<saml:Conditions {conditions}>{restrictions}</saml:Conditions>
<saml:AuthnStatement AuthnInstant="{now}" SessionIndex="s-1"><saml:AuthnContext>
<saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:Password</saml:AuthnContextClassRef>
</saml:AuthnContext></saml:AuthnStatement>
{attributes}
</saml:Assertion>"""
RESPONSE = """\
<samlp:Response xmlns:samlp="{samlp}" xmlns:saml="{saml}" ID="r-1" Version="2.0" IssueInstant="{now}" {message}>
<saml:Issuer>{response_issuer}</saml:Issuer>
<samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:Status>
{assertions}</samlp:Response>"""


@dataclass(frozen=True)
class Signer:
    certificate: str
    key: str


def signer(name: str = "idp.fabrikam.example") -> Signer:
    return Signer(*make_rsa_certificate(name))


def partner_settings() -> dict[str, Any]:
    """Return the settings of a provider that trusts the right signer, and the one to come after it."""
    certificates = [signer("next").certificate, signer().certificate]
    return {"entity_id": ENTITY_ID, "sso_url": "https://idp.fabrikam.example/sso", "certificates": certificates}


@dataclass(frozen=True)
class Forger:
    """Knows everything that a partner knows: our addresses, the request's id; and has a key, right or wrong."""

    request_id: str
    acs: str
    audience: str
    signer: Signer

    def response(self, **changes: Any) -> Any:
        """Return a response that is in order, not signed, but for `changes` to the parts of the templates."""
        now = changes.pop("at", datetime.now(tz=UTC))
        times = {name: _written(now + timedelta(minutes=minutes)) for name, minutes in (("past", -5), ("soon", 5))}
        parts = {
            "saml": SAML,
            "samlp": SAMLP,
            "now": _written(now),
            "assertion_id": "a-1",
            "issuer": ENTITY_ID,
            "response_issuer": changes.get("issuer", ENTITY_ID),
            "name_id": f'<saml:NameID Format="{PERSISTENT}">amina-1</saml:NameID>',
            "confirmation": f'Recipient="{self.acs}" InResponseTo="{self.request_id}" NotOnOrAfter="{times["soon"]}"',
            "conditions": f'NotBefore="{times["past"]}" NotOnOrAfter="{times["soon"]}"',
            "restrictions": audience(self.audience),
            "attributes": "",
            "message": f'Destination="{self.acs}" InResponseTo="{self.request_id}"',
        } | changes
        parts.setdefault("assertions", ASSERTION.format(**parts))
        return etree.fromstring(RESPONSE.format(**parts).encode())

    def signed(self, *, what: str = "saml:Assertion", **changes: Any) -> Any:
        return self.sign(self.response(**changes), what=what)

    def sign(self, response: Any, *, what: str = "saml:Assertion", **how: Any) -> Any:
        for element in [response] if what == "samlp:Response" else response.findall(what, NAMES):
            sign(element, self.signer, **how)
        return response

    def mallory(self) -> Any:
        """Return an assertion, not signed, of somebody else."""
        name_id = f'<saml:NameID Format="{PERSISTENT}">mallory</saml:NameID>'
        return self.response(name_id=name_id, assertion_id="a-2").find("saml:Assertion", NAMES)


def _written(time: datetime) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")


def audience(*names: str) -> str:
    listed = "".join(f"<saml:Audience>{name}</saml:Audience>" for name in names)
    return f"<saml:AudienceRestriction>{listed}</saml:AudienceRestriction>"


def ago(minutes: float) -> str:
    return _written(datetime.now(tz=UTC) - timedelta(minutes=minutes))


def name_id(content: str, *, name_format: str = PERSISTENT, more: str = "") -> dict[str, Any]:
    return {"name_id": f'<saml:NameID Format="{name_format}" {more}>{content}</saml:NameID>'}


def attribute(name: str, *values: str, friendly_name: str = "") -> str:
    friendly = f' FriendlyName="{friendly_name}"' if friendly_name else ""
    listed = "".join(f"<saml:AttributeValue>{value}</saml:AttributeValue>" for value in values)
    return f'<saml:Attribute Name="{name}"{friendly}>{listed}</saml:Attribute>'


def sign(
    element: Any,
    by: Signer,
    *,
    algorithm: Any = xmlsec.Transform.RSA_SHA256,
    digest: Any = xmlsec.Transform.SHA256,
    certificate: str = "",
    before_signing: Callable[[Any], None] = lambda signature: None,
) -> None:
    """Put a signature of the whole element behind its issuer. `certificate` is what KeyInfo shows."""
    signature = xmlsec.template.create(element, xmlsec.Transform.EXCL_C14N, algorithm, ns="ds")
    element.find("saml:Issuer", NAMES).addnext(signature)
    reference = xmlsec.template.add_reference(signature, digest, uri=f"#{element.get('ID')}")
    xmlsec.template.add_transform(reference, xmlsec.Transform.ENVELOPED)
    xmlsec.template.add_transform(reference, xmlsec.Transform.EXCL_C14N)
    xmlsec.template.add_x509_data(xmlsec.template.ensure_key_info(signature))
    before_signing(signature)
    xmlsec.tree.add_ids(element, ["ID"])
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(by.key, xmlsec.KeyFormat.PEM, None)
    context.key.load_cert_from_memory((certificate or by.certificate).encode(), xmlsec.KeyFormat.PEM)
    context.sign(signature)


def encrypt(response: Any, certificate: str, *, transport: Any = xmlsec.Transform.RSA_OAEP) -> None:
    """Put the assertion's encrypted form into its place."""
    manager = xmlsec.KeysManager()
    manager.add_key(xmlsec.Key.from_memory(certificate.encode(), xmlsec.KeyFormat.CERT_PEM, None))
    assertion = response.find("saml:Assertion", NAMES)
    data = xmlsec.template.encrypted_data_create(
        response, xmlsec.Transform.AES256, type=xmlsec.EncryptionType.ELEMENT, ns="xenc"
    )
    xmlsec.template.encrypted_data_ensure_cipher_value(data)
    key = xmlsec.template.add_encrypted_key(xmlsec.template.encrypted_data_ensure_key_info(data, ns="ds"), transport)
    xmlsec.template.encrypted_data_ensure_cipher_value(key)
    context = xmlsec.EncryptionContext(manager)
    context.key = xmlsec.Key.generate(xmlsec.KeyData.AES, 256, xmlsec.KeyDataType.SESSION)
    encrypted = context.encrypt_xml(data, assertion)
    wrapper = etree.Element(f"{{{SAML}}}EncryptedAssertion")
    encrypted.getparent().replace(encrypted, wrapper)
    wrapper.append(encrypted)


def posted(response: Any) -> str:
    content = response if isinstance(response, bytes) else etree.tostring(response)
    return base64.b64encode(content).decode()


def finish(provider: IdentityProvider, answer: Any) -> Told:
    """Give the portal an answer to the request REQUEST_ID: base64, or an element."""
    handshake = Handshake(tenant=provider.tenant, identity_provider=provider)
    handshake.keep(request_id=REQUEST_ID)
    return saml.finish(provider, handshake, {"SAMLResponse": answer if isinstance(answer, str) else posted(answer)})


def problem_of(provider: IdentityProvider, answer: Any) -> str:
    """Return why the portal refuses an answer."""
    with pytest.raises(ProviderAnswerInvalid) as caught:
        finish(provider, answer)
    return caught.value.problem


# XSW 1 to 8 (Somorovsky et al., “On Breaking SAML”): what was signed is moved, what is read is Mallory's.


def _without_signature(element: Any) -> Any:
    copied = copy.deepcopy(element)
    for signature in copied.findall("ds:Signature", NAMES):
        copied.remove(signature)
    return copied


def _evil_response(forger: Forger) -> tuple[Any, Any, Any]:
    signed = forger.signed(what="samlp:Response")
    evil = _without_signature(signed)
    evil.set("ID", "r-2")
    evil.replace(evil.find("saml:Assertion", NAMES), forger.mallory())
    return signed, evil, _without_signature(signed)


def xsw1(forger: Forger) -> Any:
    signed, evil, original = _evil_response(forger)
    signature = signed.find("ds:Signature", NAMES)
    evil.find("saml:Issuer", NAMES).addnext(signature)
    signature.append(original)
    return evil


def xsw2(forger: Forger) -> Any:
    signed, evil, original = _evil_response(forger)
    issuer = evil.find("saml:Issuer", NAMES)
    issuer.addnext(signed.find("ds:Signature", NAMES))
    issuer.addnext(original)
    return evil


def xsw3(forger: Forger) -> Any:
    response = forger.signed()
    response.find("saml:Assertion", NAMES).addprevious(forger.mallory())
    return response


def xsw4(forger: Forger) -> Any:
    response, evil = forger.signed(), forger.mallory()
    original = response.find("saml:Assertion", NAMES)
    response.replace(original, evil)
    evil.append(original)
    return response


def xsw5(forger: Forger) -> Any:
    response, evil = forger.signed(), forger.mallory()
    original = response.find("saml:Assertion", NAMES)
    signature = original.find("ds:Signature", NAMES)
    response.replace(original, evil)
    evil.find("saml:Issuer", NAMES).addnext(signature)
    response.append(original)
    return response


def xsw6(forger: Forger) -> Any:
    response = xsw5(forger)
    evil, original = response.findall("saml:Assertion", NAMES)
    evil.find("ds:Signature", NAMES).append(original)
    return response


def xsw7(forger: Forger) -> Any:
    response = forger.signed()
    original = response.find("saml:Assertion", NAMES)
    extensions = etree.Element(f"{{{SAMLP}}}Extensions")
    response.find("saml:Issuer", NAMES).addnext(extensions)
    extensions.append(original)
    response.append(forger.mallory())
    return response


def xsw8(forger: Forger) -> Any:
    response = xsw5(forger)
    evil, original = response.findall("saml:Assertion", NAMES)
    etree.SubElement(evil.find("ds:Signature", NAMES), f"{{{DS}}}Object").append(original)
    return response


def same_id(forger: Forger) -> Any:
    response = xsw8(forger)
    response.find("saml:Assertion", NAMES).set("ID", "a-1")
    return response


WRAPPING: tuple[Callable[[Forger], Any], ...] = (xsw1, xsw2, xsw3, xsw4, xsw5, xsw6, xsw7, xsw8, same_id)
