"""A SAML provider that signs its person out: only what it has signed well counts, and only for its own."""

import base64
import time
import uuid
import zlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, urlencode, urlsplit

import pytest
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.test import Client
from onelogin.saml2.utils import OneLogin_Saml2_Utils

from directory.models import Identity, IdentityProvider, Session, SignInType, Tenant, User, UserType
from directory.session_store import SessionStore
from tests.userflows.federation.saml_forger import ENTITY_ID, signer
from userflows.federation.addresses import single_logout_url
from userflows.federation.saml import sign_out_url

RSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
LOGOUT = """\
<samlp:LogoutRequest xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol"
 xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"
 ID="{id}" Version="2.0" IssueInstant="{at}" Destination="{destination}">
<saml:Issuer>{issuer}</saml:Issuer>
<saml:NameID>{name_id}</saml:NameID>{indexes}</samlp:LogoutRequest>"""


def sign_out_request(provider: IdentityProvider, *, by: str = "idp.fabrikam.example", **changes: str) -> str:
    """Return the address at our single logout service with a request that the provider has signed."""
    algorithm = changes.pop("algorithm", RSA_SHA256)
    at = datetime.now(tz=UTC) - timedelta(minutes=int(changes.pop("minutes_ago", "0")))
    parts = {
        "id": f"l-{uuid.uuid4()}",
        "at": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "destination": single_logout_url(provider),
        "issuer": ENTITY_ID,
        "name_id": "amina-1",
        "indexes": "",
    } | changes
    message = OneLogin_Saml2_Utils.deflate_and_base64_encode(LOGOUT.format(**parts))
    query = urlencode({"SAMLRequest": message, "SigAlg": algorithm}, quote_via=quote)
    signature = OneLogin_Saml2_Utils.sign_binary(query, signer(by).key)
    return f"{single_logout_url(provider)}?{query}&{urlencode({'Signature': base64.b64encode(signature).decode()})}"


@pytest.fixture
def person(partner: IdentityProvider) -> User:
    user: User = User.objects.create(tenant=partner.tenant, mail="amina@fabrikam.example", user_type=UserType.GUEST)
    Identity.objects.create(
        tenant=partner.tenant,
        user=user,
        issuer=ENTITY_ID,
        issuer_assigned_id="amina-1",
        sign_in_type=SignInType.FEDERATED,
        identity_provider=partner,
    )
    return user


def open_session(user: User, *, idp: str = ENTITY_ID, name_id: str = "amina-1", session_index: str = "s-1") -> str:
    store = SessionStore(tenant_id=user.tenant_id)
    store.create()
    sign_out = {"name_id": name_id, "session_index": session_index}
    signed_in = {
        SESSION_KEY: str(user.pk),
        BACKEND_SESSION_KEY: settings.AUTHENTICATION_BACKENDS[0],
        HASH_SESSION_KEY: user.get_session_auth_hash(),
        "auth_time": int(time.time()),
    }
    store.update({**signed_in, "idp": idp, "sign_out": sign_out})
    store.save()
    return str(store.session_key)


def indexes(*names: str) -> str:
    return "".join(f"<samlp:SessionIndex>{name}</samlp:SessionIndex>" for name in names)


def test_ends_the_sessions_that_were_begun_with_it(partner: IdentityProvider, person: User) -> None:
    open_session(person)
    open_session(person, session_index="s-2")
    by_code = open_session(person, idp="mail")
    assert Client().get(sign_out_request(partner, indexes=indexes("s-2"))).status_code == 302
    assert Session.objects.count() == 2
    response = Client().get(sign_out_request(partner))
    # It told no address for an answer.
    assert urlsplit(response["Location"]).path == "/woodgrove/oauth2/v2.0/logout/done"
    assert [row.pk for row in Session.objects.all()] == [Session.objects.get().pk]
    assert SessionStore(by_code, tenant_id=person.tenant_id).get("idp") == "mail"


def test_signs_nobody_else_out(partner: IdentityProvider, person: User, make_tenant: Callable[..., Tenant]) -> None:
    colleague = User.objects.create(tenant=partner.tenant, mail="b@fabrikam.example", user_type=UserType.GUEST)
    client = Client()
    client.cookies["portal_session"] = open_session(colleague, name_id="bashir-2")
    other_tenant = make_tenant("globex")
    namesake = User.objects.create(tenant=other_tenant, mail=person.mail, user_type=UserType.GUEST)
    Identity.objects.create(
        tenant=other_tenant,
        user=namesake,
        issuer=ENTITY_ID,
        issuer_assigned_id="amina-1",
        sign_in_type=SignInType.FEDERATED,
    )
    open_session(namesake)
    # Not even who brings it.
    assert client.get(sign_out_request(partner)).status_code == 302
    assert Session.objects.count() == 2


def test_knows_the_browser_where_an_attribute_is_the_subject(partner: IdentityProvider, person: User) -> None:
    Identity.objects.update(issuer_assigned_id="u-7")
    client = Client()
    client.cookies["portal_session"] = open_session(person)
    response = client.get(sign_out_request(partner))
    assert not Session.objects.exists()
    assert response.cookies["portal_session"].value == response.cookies["portal_browser"].value == ""


def _again(partner: IdentityProvider) -> str:
    url = sign_out_request(partner, name_id="nobody")
    Client().get(url)
    return url


def _without_signature(partner: IdentityProvider) -> str:
    return sign_out_request(partner).partition("&Signature=")[0]


def _with_sha1(partner: IdentityProvider) -> str:
    return sign_out_request(partner).replace("rsa-sha256", "rsa-sha1")


def _with_two_requests(partner: IdentityProvider) -> str:
    """The first is signed, the second, spelt otherwise, is what a lenient reader takes."""
    evil = parse_message(sign_out_request(partner, by="mallory"))
    return f"{sign_out_request(partner, name_id='nobody')}&SAML%52equest={evil}"


def parse_message(url: str) -> str:
    return url.partition("SAMLRequest=")[2].partition("&")[0]


REFUSED: dict[str, Callable[[IdentityProvider], str]] = {
    "unsigned": _without_signature,
    "another key": lambda partner: sign_out_request(partner, by="mallory"),
    "SHA-1": _with_sha1,
    "unheard-of algorithm": lambda partner: sign_out_request(partner, algorithm="urn:x"),
    "two requests": _with_two_requests,
    "again": _again,
    "old": lambda partner: sign_out_request(partner, minutes_ago="10"),
    "for another": lambda partner: sign_out_request(partner, destination=single_logout_url(partner) + "x"),
    "of another": lambda partner: sign_out_request(partner, issuer="https://idp.evil.example"),
    "comment": lambda partner: sign_out_request(partner, name_id="amina-1<!-- -->"),
    "blank": lambda partner: sign_out_request(partner, name_id=" amina-1"),
    "no XML": lambda partner: sign_out_request(partner, name_id="<"),
    "no name": lambda partner: sign_out_request(partner, name_id=""),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refuses_requests_that_are_not_the_providers_own(case: str, partner: IdentityProvider, person: User) -> None:
    open_session(person)
    response = Client().get(REFUSED[case](partner))
    assert response.status_code == 400
    assert "could not be checked" in response.content.decode()
    assert Session.objects.count() == 1


def test_inflates_no_bomb(partner: IdentityProvider, person: User) -> None:
    bomb = base64.b64encode(zlib.compress(b"<" * 50_000_000, level=9, wbits=-15)).decode()
    query = urlencode({"SAMLRequest": bomb, "SigAlg": RSA_SHA256, "Signature": "AA=="})
    assert Client().get(f"{single_logout_url(partner)}?{query}").status_code == 400


def test_takes_the_answer_to_a_sign_out_whatever_it_says(partner: IdentityProvider) -> None:
    response = Client().get(f"{single_logout_url(partner)}?SAMLResponse=anything")
    assert urlsplit(response["Location"]).path == "/woodgrove/oauth2/v2.0/logout/done"


def test_offers_no_sign_out_there_where_the_provider_has_none(partner: IdentityProvider) -> None:
    assert sign_out_url(partner, {"name_id": "amina-1"}) == ""
    partner.settings["slo_url"] = "https://idp.fabrikam.example/slo"
    assert sign_out_url(partner, {}) == ""
    assert sign_out_url(partner, {"name_id": "amina-1", "session_index": '"<&'}).startswith(
        "https://idp.fabrikam.example/slo?SAMLRequest="
    )
