"""Google, Microsoft, Facebook, Apple, GitHub and LinkedIn, each by its documented wire format."""

from collections.abc import Callable
from typing import Any

import pytest

from directory.models import AuditEvent, Identity, IdentityProvider, User, UserType
from tests.relying_party import RelyingParty
from tests.stranger import Stranger
from tests.upstream import golden
from tests.upstream.vendors import VENDORS
from tests.userflows.federation.conftest import Traveller
from userflows.models import SignIn

pytestmark = pytest.mark.any_database

KINDS = [kind for kind in VENDORS if kind != "OpenIdConnect"]
# issuer (empty: the server's own), subject, address, whether it counts as proven, what is filled in.
EXPECTED: dict[str, tuple[str, str, str, bool, tuple[str, ...]]] = {
    "Google": ("google.com", golden.GOOGLE["sub"], "jsmith@example.com", True, ("John", "Smith")),
    "EntraID": ("", golden.ENTRA["oid"], "AbeLi@microsoft.com", False, ()),
    "MicrosoftAccount": ("live.com", golden.ENTRA["oid"], "abe@outlook.com", False, ()),
    "Apple": ("apple.com", golden.APPLE["sub"], golden.APPLE["email"], True, ("Jane", "Doe")),
    "GitHub": ("github.com", "1", "octocat@github.com", False, ()),
    "Facebook": ("facebook.com", golden.FACEBOOK["id"], golden.FACEBOOK["email"], False, ("Open", "User")),
    "LinkedIn": ("linkedin.com", "782bbtaQ", "doe@email.com", True, ("John", "Doe")),
}
MakeProvider = Callable[..., IdentityProvider]


@pytest.mark.parametrize("kind", KINDS)
def test_goes_all_the_way_with_each_vendor(
    kind: str, make_vendor: MakeProvider, traveller: Traveller, relying_party: RelyingParty
) -> None:
    issuer, subject, mail, is_proven, filled_in = EXPECTED[kind]
    provider, stranger, vendors = make_vendor(kind), traveller.stranger, traveller.vendors
    vendors.user = golden.APPLE_USER
    stranger.email = mail
    traveller.leave(provider).come_back()
    if not is_proven:
        assert stranger.step == "email", stranger.html
        stranger.give_email().give_code()
    assert stranger.step == "attributes", stranger.html
    for answer in filled_in:
        assert f'value="{answer}"' in stranger.html
    assert not Identity.objects.filter(issuer_assigned_id=subject).exists()
    stranger.submit(GivenName="Some", Surname="Body")
    claims = relying_party.claims_of(stranger.left_to)
    assert claims["email"] == mail
    assert claims["idp"] == (issuer or vendors.issuer(kind))
    identity = Identity.objects.get(issuer_assigned_id=subject)
    assert identity.issuer == claims["idp"]
    assert identity.identity_provider == provider

    # The second time nothing is asked, and the name doesn't come (Apple tells it once).
    vendors.user = ""
    again = Traveller(Stranger(), vendors, relying_party)
    again.leave(provider).come_back()
    assert relying_party.claims_of(again.stranger.left_to)["sub"] == claims["sub"]


@pytest.mark.parametrize("kind", KINDS)
def test_says_in_words_what_went_wrong_with_each_vendor(
    kind: str, make_vendor: MakeProvider, traveller: Traveller
) -> None:
    provider, stranger, vendors = make_vendor(kind), traveller.stranger, traveller.vendors
    vendors.error = golden.CANCELLED[kind]
    traveller.leave(provider).come_back()
    assert "You didn&#x27;t sign in at" in stranger.html
    assert traveller.go_on().step == "choose"
    vendors.error = {}
    vendors.token_answer = golden.CODE_REFUSED[kind]
    traveller.leave(provider).come_back()
    assert "didn&#x27;t work" in stranger.html
    traveller.go_on()
    vendors.token_answer = golden.CLIENT_REFUSED[kind]
    traveller.leave(provider).come_back()
    assert "isn&#x27;t set up right here" in stranger.html
    # What the provider said is for administrators.
    said = _words(golden.CLIENT_REFUSED[kind][1])
    assert said not in stranger.html
    event = AuditEvent.objects.get(activity="identity_provider.failed")
    assert event.reason == "provider_misconfigured"
    assert said in f"{event.details['error']} {event.details['description']}"
    steps = [step for step in SignIn.objects.get().steps if step["step"] == "federation"]
    assert [step["reason"] for step in steps] == [
        "provider_cancelled",
        "provider_refused",
        "provider_misconfigured",
    ]
    assert said in steps[-1]["said"]
    assert not User.objects.filter(user_type=UserType.GUEST).exists()
    # And then it works.
    vendors.token_answer = None
    traveller.go_on()
    assert traveller.leave(provider).come_back().step in ("email", "attributes")


def _words(body: dict[str, Any]) -> str:
    error = body["error"]
    return str(error["message"] if isinstance(error, dict) else body.get("error_description") or error)


@pytest.mark.parametrize(
    ("answer", "mail"),
    [
        # https://docs.github.com/rest/users/emails: the address may be kept to oneself.
        ((200, []), ""),
        ((404, {"message": "Not Found"}), ""),
        ((200, [{"email": "a@b.example", "verified": False, "primary": True, "visibility": None}]), "a@b.example"),
        (
            (
                200,
                [
                    {"email": "new@b.example", "verified": False, "primary": True, "visibility": None},
                    {"email": "old@b.example", "verified": True, "primary": False, "visibility": None},
                ],
            ),
            "old@b.example",
        ),
    ],
)
def test_suggests_an_address_that_github_has_checked(
    answer: tuple[int, Any], mail: str, make_vendor: MakeProvider, traveller: Traveller
) -> None:
    traveller.vendors.emails = answer
    traveller.vendors.claims = {"email": None}
    stranger = traveller.leave(make_vendor("GitHub")).come_back()
    assert stranger.step == "email"
    assert ('value="' in stranger.html.partition('name="email"')[2].partition(">")[0]) is bool(mail)
    assert mail in stranger.html


def test_asks_for_an_address_where_facebook_has_none(make_vendor: MakeProvider, traveller: Traveller) -> None:
    traveller.vendors.claims = {"email": None}
    stranger = traveller.leave(make_vendor("Facebook")).come_back()
    assert stranger.step == "email"
    stranger.give_email().give_code()
    assert stranger.step == "attributes"


@pytest.mark.parametrize(
    ("claims", "own_settings", "trusted_domains", "step"),
    [
        ({"email": "abe@contoso.example"}, {}, [], "email"),
        ({"email": "abe@contoso.example", "email_verified": True}, {}, [], "email"),
        ({"email": "abe@contoso.example", "xms_edov": "0"}, {}, [], "email"),
        # Any organisation could write an address of this domain.
        ({"email": "abe@contoso.example"}, {}, ["contoso.example"], "email"),
        ({"email": "abe@contoso.example"}, {"allowed_tenants": [golden.ENTRA_TENANT, "a" * 8]}, [], "email"),
        (
            {"email": "abe@contoso.example"},
            {"allowed_tenants": [golden.ENTRA_TENANT, "a" * 8]},
            ["contoso.example"],
            "attributes",
        ),
        # A user name is no address.
        ({"preferred_username": "abe@contoso.example"}, {}, ["contoso.example"], "email"),
        ({"email": "abe@contoso.example", "xms_edov": True}, {}, [], "attributes"),
        ({"email": "abe@contoso.example", "xms_edov": 1}, {}, [], "attributes"),
    ],
)
def test_takes_an_address_of_entra_for_proven_only_with_a_word_on_its_domain(
    claims: dict[str, Any],
    own_settings: dict[str, Any],
    trusted_domains: list[str],
    step: str,
    make_vendor: MakeProvider,
    traveller: Traveller,
) -> None:
    traveller.vendors.claims = claims
    provider = make_vendor("EntraID", settings=own_settings, trusted_domains=trusted_domains)
    assert traveller.leave(provider).come_back().step == step


@pytest.mark.parametrize(
    ("tenant_id", "allowed"),
    [
        (golden.PERSONAL_TENANT, []),
        (golden.PERSONAL_TENANT, [golden.PERSONAL_TENANT, golden.ENTRA_TENANT]),
        ("11111111-2222-3333-4444-555555555555", [golden.ENTRA_TENANT, "99999999-2222-3333-4444-555555555555"]),
    ],
)
def test_lets_in_accounts_of_the_listed_organisations_only(
    tenant_id: str, allowed: list[str], make_vendor: MakeProvider, traveller: Traveller
) -> None:
    traveller.vendors.claims = {"tid": tenant_id}
    provider = make_vendor("EntraID", settings={"allowed_tenants": allowed})
    stranger = traveller.leave(provider).come_back()
    assert stranger.page.status_code == 403
    assert "Only accounts of certain organisations" in stranger.html
    assert traveller.go_on().step == "choose"


@pytest.mark.parametrize(
    "claims",
    [
        {"tid": "organizations"},
        {"tid": None},
        {"iss": "https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555/v2.0"},
        {"oid": None},
    ],
)
def test_refuses_an_organisation_that_is_not_the_issuers(
    claims: dict[str, Any], make_vendor: MakeProvider, traveller: Traveller
) -> None:
    traveller.vendors.claims = claims
    stranger = traveller.leave(make_vendor("EntraID")).come_back()
    assert "could not be checked" in stranger.html


@pytest.mark.parametrize("word", ["false", False, None, "no"])
def test_does_not_take_an_unchecked_address_for_proven(
    word: object, make_vendor: MakeProvider, traveller: Traveller
) -> None:
    traveller.vendors.claims = {"email_verified": word}
    assert traveller.leave(make_vendor("Google")).come_back().step == "email"


def test_keeps_nothing_of_what_apple_posts_but_for_its_own_journey(
    make_vendor: MakeProvider, traveller: Traveller, stranger: Stranger
) -> None:
    provider = make_vendor("Apple")
    traveller.vendors.user = '{"name": {"firstName": ["<script>"], "lastName": "D\\u202eoe' + "x" * 9000 + '"}}'
    traveller.leave(provider)
    redirect_uri, answer = traveller.vendors.authorize(traveller.url)
    assert Stranger().http.post(redirect_uri, answer | {"state": "another"}).status_code == 404
    assert Stranger().http.post(redirect_uri).status_code == 404
    assert Stranger().http.post(redirect_uri, answer).status_code == 303
    # Whoever posts again changes nothing.
    assert Stranger().http.post(redirect_uri, answer | {"code": "another"}).status_code == 303
    assert Stranger().open(f"{redirect_uri}?state={answer['state']}").page.status_code == 404
    stranger.open(f"{redirect_uri}?state={answer['state']}&code=another")
    assert stranger.step == "attributes"
    assert Stranger().http.post(redirect_uri, answer).status_code == 303
    assert "This page was used already" in stranger.open(f"{redirect_uri}?state={answer['state']}").html


def test_takes_posts_from_apple_only(make_vendor: MakeProvider, traveller: Traveller) -> None:
    traveller.leave(make_vendor("Google"))
    redirect_uri, answer = traveller.vendors.authorize(traveller.url)
    assert Stranger().http.post(redirect_uri, answer).status_code == 405
