"""A provider that signs its person out: the request is believed by its signature alone (SAML Bindings 3.4)."""

import base64
import binascii
import hashlib
import zlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.core.cache import cache
from django.http import QueryDict
from django.utils import timezone
from onelogin.saml2.auth import OneLogin_Saml2_Auth
from onelogin.saml2.constants import OneLogin_Saml2_Constants as Names
from onelogin.saml2.logout_response import OneLogin_Saml2_Logout_Response

from directory import audit
from directory.models import Identity, IdentityProvider, Session, User
from directory.session_store import SessionStore
from userflows.federation.addresses import metadata_url, single_logout_url
from userflows.federation.saml import name_id_of, subject_of
from userflows.federation.saml_answer import SKEW, AnswerRefused, check_times, time_of
from userflows.federation.saml_settings import RSA_SIGNATURES, redirect_url, request_to, toolkit_settings
from userflows.federation.saml_xml import XmlRefused, find, is_valid_message, parse, text_of

LOGOUT_REQUEST = f"{{{Names.NS_SAMLP}}}LogoutRequest"
MAX_LENGTH = 100_000
# A browser brings it at once.
LIFETIME = timedelta(minutes=5)
PARAMETERS = ("SAMLRequest", "RelayState", "SigAlg", "Signature")


@dataclass(frozen=True)
class SignOutRequest:
    """Whom the provider signs out. Without `session_indexes` everywhere, as far as it knows of."""

    id: str
    name_id: dict[str, str]
    session_indexes: tuple[str, ...]
    relay_state: str


def read_request(provider: IdentityProvider, query: str) -> SignOutRequest:
    """Return what a query string asks that is the provider's own. Raises AnswerRefused."""
    given = QueryDict(query)
    # The signature covers what is written; a second one, or one written otherwise, would be read instead.
    if any(len(given.getlist(name)) > 1 for name in PARAMETERS):
        raise AnswerRefused("parameters")
    if not given.get("Signature") or given.get("SigAlg") not in RSA_SIGNATURES:
        raise AnswerRefused("algorithm" if given.get("Signature") else "unsigned", given.get("SigAlg") or "")
    try:
        request = parse(_inflated(given.get("SAMLRequest") or ""), most=MAX_LENGTH)
    except XmlRefused as error:
        raise AnswerRefused(error.reason) from error
    if request.tag != LOGOUT_REQUEST or not is_valid_message(request):
        raise AnswerRefused("not_a_request")
    _check(request, provider, timezone.now())
    received = request_to(single_logout_url(provider), query_string=query, validate_signature_from_qs=True)
    if not OneLogin_Saml2_Auth(received, toolkit_settings(provider)).validate_request_signature(given):
        raise AnswerRefused("signature")
    name_id = name_id_of([request], own_entity_id=metadata_url(provider))
    if not name_id:
        raise AnswerRefused("no_name_id")
    _take_once(provider, request)
    indexes = tuple(text_of(element) or "" for element in find(request, "samlp:SessionIndex"))
    return SignOutRequest(str(request.get("ID")), name_id, indexes, given.get("RelayState") or "")


def _inflated(encoded: str) -> bytes:
    if len(encoded) > MAX_LENGTH:
        raise AnswerRefused("too_large")
    try:
        # Never more than that, though a few hundred bytes may stand for gigabytes: what is cut off is no XML.
        return zlib.decompressobj(-15).decompress(base64.b64decode(encoded, validate=True), MAX_LENGTH)
    except (binascii.Error, ValueError, zlib.error) as error:
        raise AnswerRefused("not_xml") from error


def _check(request: Any, provider: IdentityProvider, now: datetime) -> None:
    if [text_of(element) for element in find(request, "saml:Issuer")] != [provider.setting("entity_id")]:
        raise AnswerRefused("issuer")
    if request.get("Destination") != single_logout_url(provider):
        raise AnswerRefused("destination", str(request.get("Destination")))
    check_times(request, now)
    if abs(time_of(request.get("IssueInstant")) - now) > LIFETIME + SKEW:
        raise AnswerRefused("expired", request.get("IssueInstant"))


def _take_once(provider: IdentityProvider, request: Any) -> None:
    digest = hashlib.sha256(str(request.get("ID")).encode()).hexdigest()
    seconds = int(2 * (LIFETIME + SKEW).total_seconds())
    if not cache.add(f"saml-sign-out:{provider.pk}:{digest}", True, timeout=seconds):
        raise AnswerRefused("replayed")


def end_sessions(provider: IdentityProvider, asked: SignOutRequest, *, here: User | None) -> list[str]:
    """End the sessions that the person began with this provider, in all their browsers; return the keys of the rows.

    `here` is whose browser brought the request: known even when the NameID isn't what identifies people.
    """
    identities = Identity.objects.filter(
        tenant=provider.tenant_id,
        issuer=provider.issuer,
        issuer_assigned_id=subject_of(asked.name_id, provider.issuer),
    )
    people = {*identities.values_list("user_id", flat=True), *([here.pk] if here else [])}
    store = SessionStore(tenant_id=provider.tenant_id)
    ended = []
    for session in Session.objects.filter(tenant=provider.tenant_id, user__in=people).select_related("user__tenant"):
        if not _is_meant(store.decode(session.session_data), provider, asked):
            continue
        ended.append(session.session_key)
        session.delete()
        audit.record(
            "user.signed_out",
            tenant=provider.tenant,
            actor=session.user,
            target=session.user,
            details={"identity_provider": provider.name},
        )
    return ended


def _is_meant(session: dict[str, Any], provider: IdentityProvider, asked: SignOutRequest) -> bool:
    kept = session.get("sign_out") or {}
    if session.get("idp") != provider.issuer or kept.get("name_id") != asked.name_id["name_id"]:
        return False
    if kept.get("name_qualifier", "") != asked.name_id.get("name_qualifier", ""):
        return False
    index = kept.get("session_index")
    return not index or not asked.session_indexes or index in asked.session_indexes


def answer_url(provider: IdentityProvider, asked: SignOutRequest) -> str:
    """Return where the browser takes our answer, "" for a provider that told no address."""
    if not provider.setting("slo_url"):
        return ""
    response = OneLogin_Saml2_Logout_Response(toolkit_settings(provider, quoted=True))
    response.build(asked.id)
    message = {"SAMLResponse": response.get_response()}
    if asked.relay_state:
        message["RelayState"] = asked.relay_state
    return redirect_url(provider, provider.setting("slo_url"), message)
