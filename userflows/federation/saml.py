"""SAML 2.0: the Web Browser SSO profile, as the service provider. What a response must be is in saml_answer.py."""

import hashlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from allauth.socialaccount.providers.saml.provider import SAMLProvider
from django.core.cache import cache
from django.utils import timezone
from django.utils.translation import gettext as _
from onelogin.saml2.authn_request import OneLogin_Saml2_Authn_Request
from onelogin.saml2.constants import OneLogin_Saml2_Constants as Names
from onelogin.saml2.errors import OneLogin_Saml2_Error
from onelogin.saml2.logout_request import OneLogin_Saml2_Logout_Request

from directory.models import IdentityProvider
from userflows.federation.addresses import acs_url, metadata_url
from userflows.federation.claims import answers_of, clean_mail, is_trusted_domain
from userflows.federation.errors import ProviderAnswerInvalid, ProviderCancelled, ProviderMisconfigured, ProviderRefused
from userflows.federation.saml_answer import SKEW, AnswerRefused, Expected, StatusRefused, read_answer
from userflows.federation.saml_metadata import is_reserved
from userflows.federation.saml_settings import escape_all, redirect_url, toolkit_settings
from userflows.federation.saml_xml import find, text_of
from userflows.federation.told import Told
from userflows.models import Handshake
from userflows.models.handshake import LIFETIME

logger = logging.getLogger(__name__)

# What Identity keeps.
MAX_SUBJECT = 255
# SAML Core 3.2.2.2. Some providers say AuthnFailed when somebody presses Cancel.
CANCELLED = frozenset(("AuthnFailed", "RequestDenied"))
MAIL_ATTRIBUTES = (*SAMLProvider.default_attribute_mapping["email"], "mail", "email", "emailAddress", "Email")


@dataclass(frozen=True)
class Attribute:
    """One attribute of an assertion. A value that isn't text, but elements, is not among its values."""

    name: str
    friendly_name: str
    values: tuple[str, ...]


def begin(provider: IdentityProvider, handshake: Handshake, login_hint: str) -> str:
    """Return the URL at the provider. The handshake is to be saved: it keeps the request's id."""
    try:
        request = OneLogin_Saml2_Authn_Request(
            toolkit_settings(provider, quoted=True), force_authn=handshake.wants_sign_in_anew
        )
        message = {"SAMLRequest": request.get_request(), "RelayState": str(handshake.secrets["state"])}
        url = redirect_url(provider, provider.setting("sso_url"), message)
    except OneLogin_Saml2_Error as error:
        raise ProviderMisconfigured("saml_settings", str(error), stage="authorize") from error
    handshake.keep(request_id=request.get_id())
    # Outside the signature, which covers its own parameters only. Who doesn't know it leaves it alone.
    return f"{url}&{urlencode({'login_hint': login_hint})}" if login_hint else url


def finish(provider: IdentityProvider, handshake: Handshake, parameters: Mapping[str, str]) -> Told:
    """Return what the provider's answer tells. Raises a FederationError."""
    try:
        assertion = read_answer(
            parameters.get("SAMLResponse", ""),
            expected=Expected(
                request_id=str(handshake.secrets["request_id"]),
                issuer=str(provider.setting("entity_id")),
                audience=metadata_url(provider),
                recipient=acs_url(provider),
                now=timezone.now(),
            ),
            toolkit=toolkit_settings(provider),
        )
        told = _told(provider, assertion)
        _take_once(provider, assertion)
    except AnswerRefused as error:
        raise ProviderAnswerInvalid(f"saml_{error.reason}", error.detail) from error
    except StatusRefused as error:
        if CANCELLED.intersection(error.codes):
            raise ProviderCancelled(error.codes[-1], error.message) from error
        raise ProviderRefused(", ".join(error.codes), error.message, stage="authorize") from error
    except OneLogin_Saml2_Error as error:
        raise ProviderMisconfigured("saml_settings", str(error)) from error
    return told


def _take_once(provider: IdentityProvider, assertion: Any) -> None:
    """SAML Profiles 4.1.4.5. Nothing older than a handshake is taken at all, so that is how long it is remembered."""
    digest = hashlib.sha256(str(assertion.get("ID")).encode()).hexdigest()
    seconds = int((LIFETIME + SKEW).total_seconds())
    if not cache.add(f"saml-assertion:{provider.pk}:{digest}", True, timeout=seconds):
        raise AnswerRefused("replayed")


def _told(provider: IdentityProvider, assertion: Any) -> Told:
    issuer = str(provider.setting("entity_id"))
    if is_reserved(issuer):
        raise ProviderMisconfigured("saml_entity_id_reserved", issuer)
    name_id = name_id_of(find(assertion, "saml:Subject"), own_entity_id=metadata_url(provider))
    attributes = attributes_of(assertion)
    claims = claims_of(attributes) | ({"NameID": name_id["name_id"]} if name_id else {})
    mail = clean_mail(_mail(provider, claims, name_id))
    session_index = find(assertion, "saml:AuthnStatement")[0].get("SessionIndex", "")
    return Told(
        issuer=issuer,
        subject=_subject(provider, name_id, attributes),
        mail=mail,
        # A signature says who speaks, not that they have checked the address: only the administrator can know that.
        is_mail_verified=is_trusted_domain(provider, mail),
        answers=answers_of(provider, claims),
        sign_out=name_id | ({"session_index": session_index} if session_index else {}) if name_id else {},
        claims=claims,
    )


def name_id_of(parents: list[Any], *, own_entity_id: str) -> dict[str, str]:
    """Return the NameID of an element, as sign-out takes it, {} where there is none. Raises AnswerRefused."""
    found = find(parents[0], "saml:NameID") if len(parents) == 1 else []
    if len(found) != 1:
        return {}
    if found[0].get("SPNameQualifier") not in (None, "", own_entity_id):
        raise AnswerRefused("name_qualifier")
    given = {
        "name_id": _whole(text_of(found[0])),
        "format": found[0].get("Format", ""),
        "name_qualifier": found[0].get("NameQualifier", ""),
        "sp_name_qualifier": found[0].get("SPNameQualifier", ""),
    }
    return {name: value for name, value in given.items() if value}


def subject_of(name_id: Mapping[str, str], issuer: str) -> str:
    """Return what identifies a person by NameID. One from another namespace than the provider's own says so.

    No NameID has a tab in it, so the two can't be taken for each other (SAML Core 2.2.2).
    """
    qualifier = name_id.get("name_qualifier", "")
    return name_id["name_id"] if qualifier in ("", issuer) else f"{_whole(qualifier)}\t{name_id['name_id']}"


def _subject(provider: IdentityProvider, name_id: Mapping[str, str], attributes: list[Attribute]) -> str:
    wanted = str(provider.setting("subject_attribute"))
    if wanted:
        named = [one for one in attributes if one.name == wanted]
        named = named or [one for one in attributes if one.friendly_name == wanted]
        values = [value for one in named for value in one.values]
        if not values:
            words = _("The answer has no attribute “%(name)s”.") % {"name": wanted}
            raise ProviderMisconfigured("saml_no_subject_attribute", words)
        if len(values) > 1 or len({one.name for one in named}) > 1:
            raise AnswerRefused("subject", wanted)
        subject = _whole(values[0])
    elif not name_id:
        raise ProviderMisconfigured("saml_no_name_id", _("The answer has no NameID, or an encrypted one."))
    elif name_id.get("format") == Names.NAMEID_TRANSIENT:
        # Another one at each visit: the person would sign up each time anew.
        raise ProviderMisconfigured(
            "saml_transient_name_id",
            _("The NameID is transient: nobody is known again by it. Ask for a persistent one, or name an attribute."),
        )
    else:
        subject = subject_of(name_id, str(provider.setting("entity_id")))
    if len(subject) > MAX_SUBJECT:
        raise AnswerRefused("subject_too_long")
    return subject


def _whole(text: str | None) -> str:
    """Refuse what only looks like another id: cut by an element, with blanks around it, or with invisible letters."""
    if not text or text != text.strip() or not text.isprintable():
        raise AnswerRefused("subject", repr(text)[:100])
    return text


def attributes_of(assertion: Any) -> list[Attribute]:
    found = []
    for element in find(assertion, "saml:AttributeStatement/saml:Attribute"):
        texts = [text_of(value) for value in find(element, "saml:AttributeValue")]
        values = tuple(text.strip() for text in texts if text and text.strip())
        found.append(Attribute(element.get("Name", ""), element.get("FriendlyName", ""), values))
    return found


def claims_of(attributes: list[Attribute]) -> dict[str, Any]:
    """Return the values by name, and by friendly name where no attribute has that name: one, or a list."""
    by_name: dict[str, list[str]] = {}
    by_friendly_name: dict[str, list[str]] = {}
    for attribute in attributes:
        by_name.setdefault(attribute.name, []).extend(attribute.values)
        if attribute.friendly_name:
            by_friendly_name.setdefault(attribute.friendly_name, []).extend(attribute.values)
    every = by_friendly_name | by_name
    return {name: values[0] if len(values) == 1 else values for name, values in every.items() if name and values}


def _mail(provider: IdentityProvider, claims: Mapping[str, Any], name_id: Mapping[str, str]) -> str:
    wanted = str(provider.setting("mail_attribute"))
    for name in (wanted,) if wanted else MAIL_ATTRIBUTES:
        value = claims.get(name, "")
        if value:
            return str(value[0] if isinstance(value, list) else value)
    if not wanted and name_id.get("format") == Names.NAMEID_EMAIL_ADDRESS:
        return name_id["name_id"]
    return ""


def sign_out_url(provider: IdentityProvider, sign_out: Mapping[str, str]) -> str:
    """Return where the person's browser signs out at the provider, "" where that can't be done."""
    if not provider.setting("slo_url") or not sign_out.get("name_id"):
        return ""
    try:
        toolkit = toolkit_settings(provider, quoted=True)
    except OneLogin_Saml2_Error as error:
        # Nobody is kept from signing out here for it.
        logger.warning("Signing out at %s is not offered: %s", provider.pk, error)
        return ""
    request = OneLogin_Saml2_Logout_Request(
        toolkit,
        name_id=sign_out["name_id"],
        # The template escapes nothing, as with AuthnRequest; the NameID goes past it.
        session_index=escape_all(sign_out.get("session_index", "")),
        nq=sign_out.get("name_qualifier"),
        name_id_format=sign_out.get("format"),
        spnq=sign_out.get("sp_name_qualifier"),
    )
    return redirect_url(provider, provider.setting("slo_url"), {"SAMLRequest": request.get_request()})
