"""Passkeys on the hosted pages: what signs in, what does not, and that they are worth nothing anywhere else."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import RequestFactory
from django.utils import timezone
from freezegun import freeze_time

from directory.models import PASSKEY, AuditEvent, Identity, IdentityProvider, Tenant, User
from directory.session_store import SessionStore
from identity_portal.second_factor import has_second_factor
from tests.hosted_passkeys import ANSWERS, REFUSED, claims_of, give_passkey, options_on, use
from tests.passkey import SoftPasskey
from tests.relying_party import RelyingParty
from tests.stranger import Stranger
from userflows import journey as journeys
from userflows.federation.told import Told
from userflows.models import Journey, UserFlow
from userflows.passkey import SIGN_IN_HANDLE, add_passkey, passkey_to_make, passkeys_of, remove_passkey
from userflows.passkey_challenge import keep_challenge, take_challenge
from userflows.passkey_way import TRY_LIMIT
from userflows.proofs import believe
from userflows.publishing import publish
from userflows.rate_limit import count_attempt


@pytest.fixture(autouse=True)
def _at_localhost(settings: Any) -> None:
    """The one name without https for which browsers have passkeys."""
    settings.BASE_URL = "http://localhost"


@pytest.fixture(autouse=True)
def provider(tenant: Tenant) -> IdentityProvider:
    return IdentityProvider.objects.create(tenant=tenant, kind=PASSKEY, name="Passkey", may_create_accounts=False)


@pytest.fixture
def person(relying_party: RelyingParty, stranger: Stranger) -> User:
    """Somebody who has signed up by code, and said nothing of passkeys."""
    stranger.sign_up(relying_party.request_url(), **ANSWERS)
    person: User = User.objects.get(mail=stranger.email)
    return person


# Using one


def test_counts_once(relying_party: RelyingParty, person: User) -> None:
    """A recorded answer opens nothing: not the same journey, not another one, not another browser's."""
    passkey = give_passkey(person)
    first = Stranger().open(relying_party.request_url())
    fields, path = first.hidden_fields(), first.path.replace("/choose/", "/passkey/")
    answer = passkey.use(options_on(first.html))
    assert use(first, passkey, answer).left_to
    again = first.http.post(path, fields | {"answer": answer})
    assert "/journey/" in again["Location"]
    for browser in (Stranger(), first):
        browser.open(relying_party.request_url(prompt="login"))
        assert REFUSED in use(browser, passkey, answer).html
        assert browser.step == "passkey"


def test_a_try_uses_up_the_challenge(relying_party: RelyingParty, person: User) -> None:
    passkey = give_passkey(person)
    browser = Stranger().open(relying_party.request_url())
    good = passkey.use(options_on(browser.html))
    assert REFUSED in use(browser, passkey, "[" * 9999).html
    fresh = options_on(browser.html)
    browser.path = browser.path.replace("/passkey/", "/choose/")
    assert REFUSED in use(browser, passkey, good).html
    browser.path = browser.path.replace("/passkey/", "/choose/")
    assert REFUSED in use(browser, passkey, passkey.use(fresh)).html
    browser.path = browser.path.replace("/passkey/", "/choose/")
    assert use(browser, passkey).left_to


def test_a_challenge_lives_ten_minutes(relying_party: RelyingParty, person: User) -> None:
    with freeze_time(timezone.now()) as clock:
        passkey = give_passkey(person)
        browser = Stranger().open(relying_party.request_url())
        clock.tick(601)
        assert REFUSED in use(browser, passkey).html


def test_a_challenge_that_somebody_made_up_is_none(relying_party: RelyingParty, person: User) -> None:
    passkey = give_passkey(person)
    browser = Stranger().open(relying_party.request_url())
    made_up = json.dumps(json.loads(options_on(browser.html)) | {"challenge": "AAAA" * 19})
    assert REFUSED in use(browser, passkey, passkey.use(made_up)).html


@pytest.mark.parametrize(
    "bent", ["origin", "verified", "key", "handle of nobody", "handle of somebody", "no handle", "removed", "copied"]
)
def test_refuses_in_the_same_words(
    relying_party: RelyingParty, person: User, make_member: Callable[..., User], bent: str
) -> None:
    passkey = give_passkey(person, count=5 if bent == "copied" else 0)
    if bent == "origin":
        passkey.origin = "http://localhost:8000"
    if bent == "verified":
        passkey.verified = False
    if bent == "key":
        passkey.key = SoftPasskey().key
    if bent == "handle of nobody":
        passkey.handle = SIGN_IN_HANDLE + bytes(16)
    if bent == "handle of somebody":
        other = make_member(person.tenant)
        give_passkey(other)
        passkey.handle = SIGN_IN_HANDLE + other.pk.bytes
    if bent == "no handle":
        passkey.handle = b""
    if bent == "removed":
        assert remove_passkey(person, passkeys_of(person)[0].id)
    browser = use(Stranger().open(relying_party.request_url()), passkey)
    assert REFUSED in browser.html
    assert not browser.left_to
    refusal = AuditEvent.objects.get(activity="sign_in.refused")
    assert (refusal.reason, refusal.actor_id) == ("passkey_refused", "")


def test_a_passkey_of_another_tenant_is_an_unknown_one(
    relying_party: RelyingParty,
    person: User,
    make_tenant: Callable[..., Tenant],
    make_user_flow: Callable[..., UserFlow],
    make_relying_party: Callable[..., RelyingParty],
) -> None:
    """All tenants of one host share the browser's list of passkeys."""
    passkey = give_passkey(person)
    globex = make_tenant("globex")
    IdentityProvider.objects.create(tenant=globex, kind=PASSKEY, name="Passkey")
    theirs = make_relying_party(globex, make_user_flow(globex))
    browser = use(Stranger().open(theirs.request_url()), passkey)
    assert REFUSED in browser.html
    assert "Woodgrove" not in browser.html


@pytest.mark.parametrize(
    ("change", "words"),
    [({"account_enabled": False}, "Your account is switched off"), ({"is_test": True}, REFUSED)],
    ids=["disabled", "test user"],
)
def test_keeps_out_who_is_kept_out(
    relying_party: RelyingParty, person: User, change: dict[str, bool], words: str
) -> None:
    passkey = give_passkey(person)
    User.objects.filter(pk=person.pk).update(**change)
    browser = use(Stranger().open(relying_party.request_url()), passkey)
    assert words in browser.html
    assert not browser.left_to


def test_is_no_way_where_it_is_switched_off(
    relying_party: RelyingParty, person: User, provider: IdentityProvider
) -> None:
    passkey = give_passkey(person)
    browser = Stranger().open(relying_party.request_url())
    answer = passkey.use(options_on(browser.html))
    IdentityProvider.objects.filter(pk=provider.pk).update(is_enabled=False)
    assert REFUSED in use(browser, passkey, answer).html
    browser.open(relying_party.request_url())
    assert "data-passkey" not in browser.html
    assert "passkey.js" not in browser.html
    assert 'autocomplete="email"' in browser.html


def test_slows_down_who_tries_many(relying_party: RelyingParty, tenant: Tenant) -> None:
    browser = Stranger().open(relying_party.request_url())
    path = browser.path.replace("/choose/", "/passkey/")
    for _number in range(TRY_LIMIT.count - 1):
        count_attempt((TRY_LIMIT, f"{tenant.pk}|127.0.0.1"))
    answers = [browser.http.post(path, browser.hidden_fields() | {"answer": "{}"}) for _twice in range(2)]
    assert [answer.status_code for answer in answers] == [200, 429]


def test_the_answer_belongs_to_the_browser_of_the_journey(relying_party: RelyingParty, person: User) -> None:
    passkey = give_passkey(person)
    victim = Stranger().open(relying_party.request_url())
    other = Stranger().open(relying_party.request_url())
    path = victim.path.replace("/choose/", "/passkey/")
    sent = other.hidden_fields() | {"answer": passkey.use(options_on(victim.html))}
    assert other.http.post(path, sent).status_code == 404
    assert Journey.objects.filter(completed_at__isnull=False).count() == 1


def test_a_kept_challenge_is_for_one_purpose_of_one_person_once(
    person: User, make_member: Callable[..., User], rf: RequestFactory
) -> None:
    """The admin and the hosted pages of a tenant share the session."""
    request, other = rf.get("/"), make_member(person.tenant)
    request.session = SessionStore()
    for user, purpose, state in ((other, "make", None), (person, "use", None), (person, "make", {"x": 1})):
        keep_challenge(request, person, purpose="make", state={"x": 1})
        assert take_challenge(request, user, purpose=purpose) == state
        assert take_challenge(request, person, purpose="make") is None


# The two uses


def test_is_no_second_factor(person: User) -> None:
    """Whoever has the mailbox can make one, and can have a new password mailed: the admin would be open to them."""
    give_passkey(person)
    assert not has_second_factor(person)


def test_a_second_factor_signs_nobody_in_here(relying_party: RelyingParty, person: User) -> None:
    options, state = passkey_to_make(person, for_sign_in=False)
    for handle in (person.pk.bytes, SIGN_IN_HANDLE + person.pk.bytes):
        factor = SoftPasskey(handle=handle)
        options, state = passkey_to_make(person, for_sign_in=False)
        assert add_passkey(person, name="Key", state=state, answer=factor.make(options), for_sign_in=False)
        assert REFUSED in use(Stranger().open(relying_party.request_url()), factor).html
    assert has_second_factor(person)
    assert passkeys_of(person) == []


def test_neither_takes_the_others_place_in_an_authenticator(person: User) -> None:
    """It keeps one passkey for each user handle of a host, and is told to make none where one is excluded."""
    asked = []
    for for_sign_in in (True, False):
        options, state = passkey_to_make(person, for_sign_in=for_sign_in)
        asked.append(json.loads(options))
        made = SoftPasskey().make(options)
        assert add_passkey(person, name="x", state=state, answer=made, for_sign_in=for_sign_in)
    assert asked[0]["user"]["id"] != asked[1]["user"]["id"]
    for for_sign_in in (True, False):
        again = json.loads(passkey_to_make(person, for_sign_in=for_sign_in)[0])
        assert len(again["excludeCredentials"]) == 1


def test_a_test_run_touches_nobodys_account(
    relying_party: RelyingParty, person: User, user_flow: UserFlow, make_member: Callable[..., User]
) -> None:
    passkey = give_passkey(person)
    version = user_flow.live_version
    assert version
    journey = journeys.start(
        tenant=person.tenant,  # type: ignore[arg-type]
        user_flow=user_flow,
        request=journeys.ApplicationRequest(relying_party.application, "/woodgrove/x?y=z", "https://x.example", "", ""),
        browser="the administrator's",
        flow_run=journeys.FlowRun(version.definition, version, run_by=make_member(person.tenant)),
    )
    administrator = Stranger()
    administrator.http.cookies["portal_browser"] = "the administrator's"
    use(administrator.open(f"/woodgrove/journey/{journey.pk}/"), passkey)
    assert administrator.page.status_code == 409
    assert "has an account already" in administrator.html


# As the old way, when another one is to be joined


@pytest.fixture
def joining(relying_party: RelyingParty, person: User, user_flow: UserFlow) -> Stranger:
    """Somebody came with Google, and an address that Google vouches for: the person's."""
    google = IdentityProvider.objects.create(
        tenant=user_flow.tenant, kind="Google", name="Google", client_id="x", secret="y"
    )
    user_flow.identity_provider_assignments.create(identity_provider=google, order=9)
    publish(user_flow)
    browser = Stranger(email=person.mail).open(relying_party.request_url())
    journey = Journey.objects.latest("created_at")
    believe(
        journey,
        google,
        Told("google.com", "g-1", person.mail, is_mail_verified=True, answers={}, sign_out={}, claims={}),
    )
    journey.save()
    return browser.open(f"/woodgrove/journey/{journey.pk}/")


def by_passkey(browser: Stranger, passkey: SoftPasskey) -> Stranger:
    browser.path = browser.path.replace("/link/", "/choose/")
    return use(browser, passkey)


def test_joins_another_way_to_the_account(
    relying_party: RelyingParty, joining: Stranger, person: User, make_member: Callable[..., User]
) -> None:
    passkey = give_passkey(person)
    joining.open(joining.path)
    assert joining.step == "link"
    by_passkey(joining, passkey)
    assert claims_of(relying_party, joining.left_to)["sub"] == str(person.pk)
    assert set(person.identities.values_list("issuer", flat=True)) == {"mail", "google.com"}


def test_somebody_elses_passkey_joins_nothing(
    joining: Stranger, person: User, make_member: Callable[..., User]
) -> None:
    give_passkey(person)
    other = give_passkey(make_member(person.tenant))
    by_passkey(joining.open(joining.path), other)
    assert "two different accounts" in joining.html
    assert Identity.objects.filter(issuer="google.com").count() == 0
    # A passkey that isn't right brings the page again.
    joining.open(joining.path.replace("/passkey/", "/link/"))
    assert REFUSED in by_passkey(joining, SoftPasskey()).html
    assert "You already have an account" in joining.html
