"""The way to a provider and back: whose answer it is, how often it counts, and what happens meanwhile."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from django.contrib.auth.models import AnonymousUser
from django.test import RequestFactory
from django.urls import NoReverseMatch, reverse
from django.utils import timezone

from directory.models import Identity, IdentityProvider, Tenant, User, UserType
from directory.session_store import SessionStore
from tests.relying_party import RelyingParty
from tests.stranger import Stranger
from tests.upstream.server import UpstreamServer, sign
from tests.userflows.federation.conftest import Traveller
from userflows.federation.errors import AnswerUnknown, AnswerUsed
from userflows.federation.handshake import JOURNEY_LIMIT, begin, find, take
from userflows.models import Handshake, Journey, SignIn

MakeProvider = Callable[..., IdentityProvider]


@pytest.fixture
def provider(make_vendor: MakeProvider) -> IdentityProvider:
    return make_vendor(name="Fabrikam")


def nobody_came() -> bool:
    return not User.objects.filter(user_type=UserType.GUEST).exists() and not Identity.objects.exists()


def last_step() -> dict[str, Any]:
    return dict(SignIn.objects.get().steps[-1])


def test_counts_an_answer_once(provider: IdentityProvider, traveller: Traveller) -> None:
    callback = traveller.leave(provider).answer()
    stranger = traveller.stranger.open(callback)
    assert stranger.step == "attributes"
    stranger.open(callback)
    assert stranger.page.status_code == 409
    assert "This page was used already" in stranger.html
    assert stranger.press_link().step == "attributes"
    stranger.submit(GivenName="Amina", Surname="Aziz")
    assert stranger.left_to
    # Whoever goes back to it after all is done goes on to the application.
    stranger.open(callback)
    assert stranger.left_to
    assert User.objects.filter(user_type=UserType.GUEST).count() == 1


def test_takes_an_answer_from_the_browser_that_left_only(provider: IdentityProvider, traveller: Traveller) -> None:
    callback = traveller.leave(provider).answer()
    somebody = Stranger().open(callback)
    assert somebody.page.status_code == 404
    assert "another browser" in somebody.html
    other = Stranger()
    other.open(traveller.relying_party.request_url())
    assert other.open(callback).page.status_code == 404
    assert nobody_came()
    # It isn't used up by that.
    assert traveller.stranger.open(callback).step == "attributes"


def test_takes_an_answer_at_the_address_of_its_own_provider_only(
    provider: IdentityProvider,
    traveller: Traveller,
    make_vendor: MakeProvider,
    make_provider: MakeProvider,
    make_tenant: Callable[..., Tenant],
) -> None:
    other = make_vendor(name="Other")
    foreign = make_provider(make_tenant("contoso"), "OpenIdConnect")
    callback = traveller.leave(provider).answer()
    stranger = traveller.stranger
    for address in (
        callback.replace(str(provider.pk), str(other.pk)),
        callback.replace(str(provider.pk), str(foreign.pk)),
        callback.replace("/woodgrove/", "/contoso/"),
        callback.replace("/woodgrove/", "/contoso/").replace(str(provider.pk), str(foreign.pk)),
        callback.replace("state=", "state=x"),
        callback.partition("?")[0],
        callback.partition("?")[0] + "?state=%00",
    ):
        assert stranger.open(address).page.status_code == 404, address
        assert nobody_came()
    assert stranger.open(callback).step == "attributes"


def test_takes_the_answer_to_a_test_once_and_from_that_administrators_session(
    provider: IdentityProvider,
    vendors: UpstreamServer,
    make_member: Callable[..., User],
    make_tenant: Callable[..., Tenant],
    tenant: Tenant,
) -> None:
    ada, bob = make_member(tenant), make_member(tenant, "bob@woodgrove.example")
    began = request_of(ada)
    state = parse_qs(urlsplit(begin(began, provider, journey=None, tested_by=ada)).query)["state"][0]
    trip, same = find(began, tenant, provider.pk, state), find(began, tenant, provider.pk, state)
    take(trip)
    with pytest.raises(AnswerUsed):
        take(same)
    with pytest.raises(AnswerUnknown):
        find(began, make_tenant("contoso"), provider.pk, state)
    for request in (request_of(ada), request_of(bob), request_of(AnonymousUser())):
        with pytest.raises(AnswerUnknown):
            find(request, tenant, provider.pk, state)


def request_of(user: Any) -> Any:
    request: Any = RequestFactory().get("/")
    request.user, request.session = user, SessionStore(tenant_id=getattr(user, "tenant_id", None))
    request.session.save()
    return request


def test_believes_no_code_of_another_trip(
    provider: IdentityProvider, traveller: Traveller, vendors: UpstreamServer, relying_party: RelyingParty
) -> None:
    """Whoever has stolen a code gets nothing by putting it into a trip of their own (RFC 9700 4.5)."""
    stolen = vendors.authorize(traveller.leave(provider).url)[1]["code"]
    thief = Traveller(Stranger(), vendors, relying_party)
    callback = thief.leave(provider).answer()
    code = callback.partition("code=")[2].partition("&")[0]
    thief.stranger.open(callback.replace(code, stolen))
    # Here the provider sees it, by PKCE; where it doesn't look, the nonce tells (test_id_tokens).
    assert "didn&#x27;t work" in thief.stranger.html
    assert nobody_came()


@pytest.mark.parametrize("header", [{}, {"Sec-Purpose": "prefetch"}, {"Sec-Purpose": "prefetch;prerender"}])
def test_is_not_used_up_by_who_only_looks(
    header: dict[str, str], provider: IdentityProvider, traveller: Traveller
) -> None:
    callback = traveller.leave(provider).answer()
    http = traveller.stranger.http
    looked = http.get(callback, headers=header) if header else http.head(callback)
    assert looked.status_code == 503
    assert traveller.stranger.open(callback).step == "attributes"


@pytest.mark.parametrize(
    ("kind", "first", "again", "anew"),
    [
        ("EntraID", "", "select_account", "login"),
        ("Google", "", "select_account", "select_account"),
        ("GitHub", "", "select_account", "select_account"),
        ("OpenIdConnect", "", "", "login"),
        # These know no such parameter.
        ("LinkedIn", "", "", ""),
        ("Facebook", "", "", ""),
    ],
)
def test_lets_people_choose_another_account_there(
    kind: str, first: str, again: str, anew: str, make_vendor: MakeProvider, traveller: Traveller
) -> None:
    provider = make_vendor(kind)
    traveller.vendors.error = {"error": "access_denied"}
    assert prompt_of(traveller.leave(provider).url) == first
    traveller.come_back()
    traveller.go_on()
    assert prompt_of(traveller.leave(provider).url) == again
    wants_sign_in = Stranger().open(traveller.relying_party.request_url(prompt="login"))
    assert prompt_of(wants_sign_in.leave_for(provider)) == anew


def prompt_of(url: str) -> str:
    return parse_qs(urlsplit(url).query).get("prompt", [""])[0]


def test_says_what_happened_where_the_provider_forgets_the_state(
    provider: IdentityProvider, traveller: Traveller
) -> None:
    callback = traveller.leave(provider).answer()
    address = callback.partition("?")[0]
    stranger = traveller.stranger.open(f"{address}?error=access_denied")
    assert "You didn&#x27;t sign in at" in stranger.html
    assert Stranger().open(f"{address}?error=access_denied").page.status_code == 404
    # Anybody could have sent the browser there: the real answer still counts.
    assert stranger.open(callback).step == "attributes"


def test_ends_a_trip_that_takes_too_long(provider: IdentityProvider, traveller: Traveller) -> None:
    callback = traveller.leave(provider).answer()
    Handshake.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    stranger = traveller.stranger.open(callback)
    assert stranger.page.status_code == 410
    assert "within 15 minutes" in stranger.html
    assert last_step()["reason"] == "answer_expired"
    assert traveller.vendors.seen == ["GET /OpenIdConnect/.well-known/openid-configuration"]
    # It still waits for this provider.
    assert traveller.go_on().step == "federation"


def test_goes_by_what_was_chosen_last(
    provider: IdentityProvider, traveller: Traveller, make_vendor: MakeProvider
) -> None:
    other = make_vendor("Google")
    first = traveller.leave(provider).answer()
    stranger = traveller.stranger
    stranger.open(stranger.path.replace("federation", "choose"))
    traveller.leave(other)
    stranger.open(first)
    assert stranger.page.status_code == 409
    assert "You went on in another window" in stranger.html
    assert "POST /OpenIdConnect/token" not in traveller.vendors.seen
    assert traveller.come_back().step == "attributes"
    assert Journey.objects.get().facts["told_name"] == "Google"


def test_believes_nobody_who_was_switched_off_meanwhile(provider: IdentityProvider, traveller: Traveller) -> None:
    traveller.leave(provider)
    IdentityProvider.objects.filter(pk=provider.pk).update(is_enabled=False)
    stranger = traveller.come_back()
    assert "was switched off" in stranger.html
    assert "POST /OpenIdConnect/token" not in traveller.vendors.seen
    assert nobody_came()
    assert traveller.go_on().step == "choose"


def test_tells_who_comes_back_to_a_journey_that_is_over(provider: IdentityProvider, traveller: Traveller) -> None:
    callback = traveller.leave(provider).answer()
    Journey.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    stranger = traveller.stranger.open(callback)
    assert stranger.page.status_code == 410
    assert "This page has expired" in stranger.html
    assert "Start again" in stranger.html
    assert nobody_came()


def test_offers_the_other_ways_while_a_provider_is_down(
    make_vendor: MakeProvider, traveller: Traveller, vendors: UpstreamServer
) -> None:
    provider = make_vendor(settings={"issuer": "http://127.0.0.1:9"})
    stranger = traveller.stranger.open(traveller.relying_party.request_url())
    stranger.submit(way=str(provider.pk))
    assert stranger.page.status_code == 502
    assert "can&#x27;t be reached" in stranger.html
    assert last_step()["reason"] == "provider_down"
    assert traveller.go_on().step == "choose"
    assert Journey.objects.get().facts["declined"] == [str(provider.pk)]
    assert not Handshake.objects.exists()
    assert stranger.give_email().step == "email_code"


@pytest.mark.parametrize(
    ("answer", "title"),
    [
        ((503, {}), "can&#x27;t be reached"),
        ((500, {"error": "server_error"}), "can&#x27;t be reached"),
        ((429, {}), "can&#x27;t be reached"),
        ((200, {}), "could not be checked"),
        ((200, []), "could not be checked"),
        ((200, {"access_token": ["x"], "id_token": "x"}), "could not be checked"),
        ((200, {"access_token": "x", "expires_in": "soon"}), "could not be checked"),
        ((404, {}), "isn&#x27;t set up right"),
        ((400, {"error": "unsupported_grant_type"}), "isn&#x27;t set up right"),
        ((400, {"error": {"very": "odd"}}), "isn&#x27;t set up right"),
        ((400, {"error": "invalid_grant", "error_description": "<b>\x00" + "x" * 9999}), "didn&#x27;t work"),
    ],
)
def test_has_a_page_for_whatever_the_token_endpoint_says(
    answer: Any, title: str, provider: IdentityProvider, traveller: Traveller
) -> None:
    traveller.vendors.token_answer = answer
    stranger = traveller.leave(provider).come_back()
    assert title in stranger.html, stranger.html
    assert stranger.page.status_code in (400, 502)
    assert str(Journey.objects.get().correlation_id) in stranger.html
    assert len(last_step().get("said", "")) < 400
    assert nobody_came()
    assert traveller.go_on().step == "choose"


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        ({"error": "access_denied"}, "provider_cancelled"),
        ({"error": "temporarily_unavailable"}, "provider_down"),
        ({"error": "invalid_scope", "error_description": "No such scope."}, "provider_misconfigured"),
        ({"error": "interaction_required"}, "provider_refused"),
        ({"error_code": "1349220", "error_message": "Feature Unavailable"}, "provider_refused"),
        ({}, "provider_answer_invalid"),
    ],
)
def test_notes_what_the_provider_sent_somebody_back_with(
    error: dict[str, str], reason: str, provider: IdentityProvider, traveller: Traveller
) -> None:
    traveller.leave(provider)
    redirect_uri, answer = traveller.vendors.authorize(traveller.url)
    query = "&".join(f"{name}={value}" for name, value in {"state": answer["state"], **error}.items())
    traveller.stranger.open(f"{redirect_uri}?{query}")
    assert last_step()["reason"] == reason
    assert last_step()["provider"] == "Fabrikam"
    assert nobody_came()


def test_says_on_the_page_and_in_the_log_that_an_answer_is_forged(
    provider: IdentityProvider, traveller: Traveller
) -> None:
    traveller.vendors.forge = lambda claims: sign(claims | {"aud": "another-application"})
    stranger = traveller.leave(provider).come_back()
    assert "The answer of OpenIdConnect" in stranger.html or "The answer of Fabrikam" in stranger.html
    assert last_step() | {"at": ""} == {
        "at": "",
        "step": "federation",
        "outcome": "refused",
        "reason": "provider_answer_invalid",
        "provider": "Fabrikam",
        "problem": "audience",
    }
    assert nobody_came()


def test_knows_no_bounds_but_those_of_the_rate_limit(provider: IdentityProvider, traveller: Traveller) -> None:
    traveller.leave(provider)
    answers = {traveller.stranger.http.get(traveller.stranger.path).status_code for _ in range(JOURNEY_LIMIT.count - 1)}
    assert answers == {200}
    assert traveller.stranger.open(traveller.stranger.path).page.status_code == 429


def test_mounts_and_stores_nothing_of_the_library(provider: IdentityProvider, traveller: Traveller) -> None:
    traveller.leave(provider).come_back().submit(GivenName="Amina", Surname="Aziz")
    assert User.objects.filter(user_type=UserType.GUEST).count() == 1
    for model in (SocialAccount, SocialToken, SocialApp, EmailAddress):
        assert not model.objects.exists()
    for name in ("socialaccount_connections", "socialaccount_signup", "github_login", "openid_connect_callback"):
        with pytest.raises(NoReverseMatch):
            reverse(name, urlconf="identity_portal.tenant_urls")
