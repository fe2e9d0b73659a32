"""Which ID tokens are believed. Each case is one thing that is wrong with an answer that is right otherwise."""

import hmac
import json
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.test import RequestFactory
from joserfc.jwk import ECKey, OctKey, RSAKey

from directory.models import IdentityProvider
from tests.upstream.server import SIGNING_KEY, UpstreamServer, sign
from userflows.federation import openid_connect
from userflows.federation.errors import ProviderAnswerInvalid
from userflows.federation.told import Told
from userflows.models import Handshake

pytestmark = pytest.mark.any_database

NOW = int(time.time())
# The server's, with nothing said of what it is for.
SAME_KEY = RSAKey.import_key(SIGNING_KEY.as_pem(private=True))
OTHER_KEY = RSAKey.generate_key(2048, auto_kid=False)
EC_KEY = ECKey.generate_key("P-256", auto_kid=False)
Finish = Callable[..., Told]


@pytest.fixture
def finish(make_vendor: Callable[..., IdentityProvider], vendors: UpstreamServer) -> Finish:
    """Leave for a provider, come back with an answer, and return what is believed of it."""

    def run(kind: str = "OpenIdConnect", **more: str) -> Told:
        provider = make_vendor(kind)
        handshake = Handshake(tenant=provider.tenant, identity_provider=provider, state_hash="x")
        handshake.keep(state="the-state", nonce="the-nonce", code_verifier="v" * 43)
        handshake.save()
        vendors.more = more
        _, answer = vendors.authorize(openid_connect.begin(provider, handshake, ""))
        return openid_connect.finish(provider, handshake, answer)

    return run


def refused(finish: Finish, kind: str = "OpenIdConnect", **more: str) -> str:
    with pytest.raises(ProviderAnswerInvalid) as refusal:
        finish(kind, **more)
    return refusal.value.problem


def without_signature(claims: dict[str, Any]) -> str:
    return sign(claims).rpartition(".")[0] + "."


def with_no_algorithm(claims: dict[str, Any]) -> str:
    header, body = ({"alg": "none", "typ": "JWT"}, claims)
    return ".".join([_encoded(header), _encoded(body), ""])


def changed_afterwards(claims: dict[str, Any]) -> str:
    header, _, signature = sign(claims).split(".")
    return ".".join([header, _encoded(claims | {"sub": "somebody-else"}), signature])


def _encoded(part: dict[str, Any]) -> str:
    return urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")


def by_public_key(claims: dict[str, Any]) -> str:
    """What everybody knows, taken for a secret. By hand: the library knows better."""
    message = f"{_encoded({'alg': 'HS256', 'kid': 'signing-key-1'})}.{_encoded(claims)}"
    digest = hmac.new(SIGNING_KEY.as_pem(private=False), message.encode(), "sha256").digest()
    return f"{message}.{urlsafe_b64encode(digest).decode().rstrip('=')}"


def by_client_secret(claims: dict[str, Any]) -> str:
    return sign(claims, key=OctKey.import_key("the-client-secret"), algorithm="HS256")


def test_believes_a_right_answer(finish: Finish, vendors: UpstreamServer) -> None:
    told = finish()
    assert (told.issuer, told.subject) == (vendors.issuer("OpenIdConnect"), "amina")
    assert (told.mail, told.is_mail_verified) == ("amina@fabrikam.example", True)
    assert told.answers["DisplayName"] == "Amina Aziz"


def seconds_from_now(seconds: int) -> Callable[[], int]:
    """Of the time at which the test runs: the suite takes longer than clocks may differ."""
    return lambda: int(time.time()) + seconds


@pytest.mark.parametrize(
    ("claims", "problem"),
    [
        ({"iss": "https://evil.example"}, "issuer"),
        ({"iss": "accounts.google.com"}, "issuer"),
        ({"iss": ["https://evil.example"]}, "issuer"),
        ({"aud": "another-application"}, "audience"),
        ({"aud": []}, "claim_missing"),
        ({"aud": ["another-application", "the-portal-too"]}, "audience"),
        ({"aud": ["the-portal", "another-application"]}, "authorized_party"),
        ({"azp": "another-application"}, "authorized_party"),
        ({"exp": NOW - 600}, "expired"),
        ({"nbf": NOW + 600}, "not_yet_valid"),
        ({"iat": NOW + 600}, "not_yet_valid"),
        ({"exp": None}, "claim_missing"),
        ({"iat": None}, "claim_missing"),
        ({"sub": None}, "claim_missing"),
        ({"sub": ""}, "malformed"),
        ({"sub": 7}, "malformed"),
        ({"nonce": "of-another-request"}, "nonce"),
        ({"nonce": None}, "nonce"),
        ({"nonce": ["the-nonce"]}, "nonce"),
        ({"at_hash": "c29tZXRoaW5nIGVsc2U"}, "at_hash"),
    ],
)
def test_refuses_an_id_token_that_is_not_for_us(
    claims: dict[str, Any], problem: str, finish: Finish, vendors: UpstreamServer
) -> None:
    vendors.claims = claims
    assert refused(finish) == problem


@pytest.mark.parametrize(
    ("forge", "problem"),
    [
        (without_signature, "signature"),
        (changed_afterwards, "signature"),
        (with_no_algorithm, "algorithm"),
        (by_public_key, "algorithm"),
        (by_client_secret, "algorithm"),
        (lambda claims: sign(claims, key=OTHER_KEY), "signature"),
        (lambda claims: sign(claims, key=OTHER_KEY, kid="unknown"), "key_unknown"),
        # Its own key in its header counts for nothing.
        (lambda claims: sign(claims, key=OTHER_KEY, jwk=OTHER_KEY.as_dict(private=False)), "signature"),
        (lambda claims: sign(claims, key=EC_KEY, algorithm="ES256"), "algorithm"),
        (lambda claims: sign(claims, key=SAME_KEY, algorithm="RS512"), "algorithm"),
        (lambda claims: "not.a.token", "malformed"),
        (lambda claims: "", "no_id_token"),
        (lambda claims: {"not": "text"}, "no_id_token"),
    ],
)
def test_refuses_an_id_token_that_the_provider_has_not_signed(
    forge: Callable[[dict[str, Any]], str], problem: str, finish: Finish, vendors: UpstreamServer
) -> None:
    vendors.forge = forge
    assert refused(finish) == problem


@pytest.mark.parametrize(
    ("forge", "is_believed"),
    [
        (lambda claims: sign(claims, key=SAME_KEY, algorithm="RS512"), True),
        (lambda claims: sign(claims, key=SAME_KEY, algorithm="PS256"), True),
        (lambda claims: sign(claims, key=EC_KEY, algorithm="ES256"), False),
        (by_public_key, False),
        (with_no_algorithm, False),
    ],
)
def test_uses_a_key_for_what_its_kind_is_there_for(
    forge: Callable[[dict[str, Any]], str], is_believed: bool, finish: Finish, vendors: UpstreamServer
) -> None:
    vendors.key, vendors.forge = {"alg": None}, forge
    # The server makes it for RS256.
    vendors.claims = {"at_hash": None}
    if is_believed:
        assert finish().subject == "amina"
    else:
        assert refused(finish) == "algorithm"


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": seconds_from_now(-60)},
        {"iat": seconds_from_now(60), "nbf": seconds_from_now(60)},
        {"aud": ["the-portal", "another-application"], "azp": "the-portal"},
        {"at_hash": None},
    ],
)
def test_bears_with_clocks_and_with_what_may_be_left_out(
    claims: dict[str, Any], finish: Finish, vendors: UpstreamServer
) -> None:
    vendors.claims = {name: claim() if callable(claim) else claim for name, claim in claims.items()}
    assert finish().subject == "amina"


def test_believes_no_profile_of_somebody_else(finish: Finish, vendors: UpstreamServer) -> None:
    vendors.claims = {"email": None}
    vendors.profile = {"sub": "mallory", "email": "victim@fabrikam.example", "email_verified": True}
    assert refused(finish) == "userinfo_subject"


def test_asks_for_the_profile_only_where_the_id_token_says_too_little(finish: Finish, vendors: UpstreamServer) -> None:
    finish()
    assert "GET /OpenIdConnect/userinfo" not in vendors.seen


def test_takes_the_signed_word_before_the_profiles(finish: Finish, vendors: UpstreamServer) -> None:
    vendors.claims = {"email": None}
    vendors.profile = {"sub": "amina", "name": "Mallory", "email": "a@b.example", "email_verified": True, "iss": "x"}
    told = finish()
    assert "GET /OpenIdConnect/userinfo" in vendors.seen
    assert (told.mail, told.answers["DisplayName"]) == ("a@b.example", "Amina Aziz")
    assert told.issuer == vendors.issuer("OpenIdConnect")


@pytest.mark.parametrize(
    ("document", "more", "is_believed"),
    [
        ({}, {"iss": "https://evil.example"}, False),
        ({"authorization_response_iss_parameter_supported": True}, {}, False),
        ({"authorization_response_iss_parameter_supported": True}, {"iss": "own"}, True),
        ({}, {"iss": "own"}, True),
    ],
)
def test_finds_out_that_another_provider_answers(
    document: dict[str, Any], more: dict[str, str], is_believed: bool, finish: Finish, vendors: UpstreamServer
) -> None:
    vendors.document = document
    if more.get("iss") == "own":
        more = {"iss": vendors.issuer("OpenIdConnect")}
    if is_believed:
        assert finish(**more).subject == "amina"
        return
    assert refused(finish, **more) == "response_issuer"
    # The code was not handed to anybody.
    assert "POST /OpenIdConnect/token" not in vendors.seen


def test_does_not_want_of_linkedin_what_it_never_sends_but_looks_at_what_it_does(
    finish: Finish, vendors: UpstreamServer
) -> None:
    assert finish("LinkedIn").subject == "782bbtaQ"
    vendors.claims = {"nonce": "of-another-request"}
    IdentityProvider.objects.filter(kind="LinkedIn").delete()
    assert refused(finish, "LinkedIn") == "nonce"
    vendors.claims = {"iat": NOW - 3600}
    IdentityProvider.objects.filter(kind="LinkedIn").delete()
    assert refused(finish, "LinkedIn") == "nonce"


@pytest.mark.parametrize(
    ("kind", "issuer"), [("Google", "accounts.google.com"), ("LinkedIn", "https://www.linkedin.com")]
)
def test_knows_the_other_spellings_of_an_issuer(
    kind: str, issuer: str, finish: Finish, vendors: UpstreamServer
) -> None:
    vendors.claims = {"iss": issuer}
    assert finish(kind).subject


def test_hands_the_secret_over_as_the_provider_wants_it(
    make_vendor: Callable[..., IdentityProvider], vendors: UpstreamServer
) -> None:
    provider = make_vendor()
    handshake = Handshake(identity_provider=provider)
    adapter = openid_connect.PortalAdapter(RequestFactory().get("/"), provider, handshake)
    assert not adapter.basic_auth
    provider.settings["token_auth_method"] = "client_secret_basic"
    assert adapter.basic_auth


def test_keeps_the_query_that_an_endpoint_has(
    make_vendor: Callable[..., IdentityProvider], vendors: UpstreamServer
) -> None:
    provider = make_vendor("OpenIdConnect")
    vendors.document = {"authorization_endpoint": "https://login.fabrikam.example/authorize?p=B2C_1_SignIn"}
    handshake = Handshake(tenant=provider.tenant, identity_provider=provider, state_hash="x")
    handshake.keep(state="the-state", nonce="the-nonce", code_verifier="v" * 43)
    url = urlsplit(openid_connect.begin(provider, handshake, ""))
    query = dict(parse_qsl(url.query))
    assert (query["p"], query["client_id"], query["state"]) == ("B2C_1_SignIn", provider.client_id, "the-state")
