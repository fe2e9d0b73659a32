"""Nobody is joined to somebody else: by the wrong proof, an old yes, another tab, or at the same moment."""

import threading
from collections.abc import Callable

import pytest
from django.core import mail
from django.db import connection

from directory.models import AuditEvent, Identity, IdentityProvider, Tenant, User
from tests.relying_party import RelyingParty
from tests.stranger import Stranger
from tests.userflows.joining import (
    ANSWERS,
    MAIL,
    arrive,
    claims_of,
    come_back,
    give_identity,
    is_untouched,
    journey_of,
    make_guest,
    open_journey,
    told_by,
)
from userflows import journey as journeys
from userflows.errors import AnotherPerson, MailInUse, WaySwitchedOff
from userflows.federation.errors import AnswerOutdated
from userflows.joining import join_identities
from userflows.models import IdentityProviderAssignment, Journey, UserFlow
from userflows.proofs import add_proof, agree_to_join, known_person, must_join, proof_of_mail, take_mail, take_told
from userflows.publishing import publish
from userflows.ways import take_way

MakeProvider = Callable[..., IdentityProvider]


# Joining


def test_gives_a_recycled_address_no_old_account(
    relying_party: RelyingParty, google: IdentityProvider, tenant: Tenant
) -> None:
    """The address went to somebody new, who vouches for it rightly. They don't have the old way."""
    guest = make_guest(tenant)
    give_identity(guest, issuer="google.com", subject="old", provider=google)
    stranger = arrive(relying_party, google, told_by(google, "new", MAIL))
    assert stranger.step == "link"
    # The old way is the same provider, where they are still somebody else.
    assert "Continue with Google" not in stranger.html
    assert "Ask your contact" in stranger.html
    stranger.submit(action="other_address").submit(email="new@fabrikam.example")
    stranger.email = "new@fabrikam.example"
    claims = claims_of(relying_party, stranger.give_code().submit(**ANSWERS))
    assert claims["oid"] != str(guest.pk)


def test_joins_nothing_by_the_old_way_of_another_person(
    relying_party: RelyingParty, google: IdentityProvider, github: IdentityProvider, tenant: Tenant
) -> None:
    owner = make_guest(tenant)
    give_identity(owner, issuer="github.com", subject="owner", provider=github)
    give_identity(
        make_guest(tenant, mail="mallory@fabrikam.example"), issuer="github.com", subject="mallory", provider=github
    )
    stranger = arrive(relying_party, google, told_by(google, mail=MAIL)).submit(way=str(github.pk))
    for subject in ("mallory", "nobody"):
        with pytest.raises(AnotherPerson) as refused:
            come_back(stranger, github, told_by(github, subject, MAIL))
        assert refused.value.go_on_to == "link"
    assert Identity.objects.count() == 2
    # Not even later.
    assert stranger.open(stranger.path).step != "attributes"
    assert "proofs" in journey_of(stranger).facts
    assert len(journey_of(stranger).facts["proofs"]) == 1


def test_forgets_what_was_about_to_be_joined_on_the_way_back(
    relying_party: RelyingParty, google: IdentityProvider, owner: User, code: str
) -> None:
    stranger = arrive(relying_party, google, told_by(google, mail=MAIL)).submit(way=code)
    stranger.open(stranger.path.replace("email_code", "link")).submit(action="other_address")
    facts = journey_of(stranger).facts
    assert not {"joining", "joins", "mail", "mail_proven", "way"} & set(facts)
    assert stranger.step == "email"
    # The code that was mailed for the old address is good for nothing.
    old = mail.outbox[-1].subject[:9]
    stranger.submit(email="new@fabrikam.example")
    assert stranger.submit(code=old).step == "email_code"
    assert is_untouched(owner)


def test_takes_a_yes_for_what_was_proven_when_it_was_said(
    relying_party: RelyingParty, github: IdentityProvider, owner: User
) -> None:
    journey = open_journey(relying_party)
    add_proof(journey, proof_of_mail(MAIL, way=str(github.pk)))
    agree_to_join(journey, owner)
    journey.learn(way={"id": str(github.pk), "kind": "GitHub"})
    take_told(journey, github, told_by(github))
    assert must_join(journey)
    # And for whom.
    agree_to_join(journey, make_guest(journey.tenant, mail="other@fabrikam.example"))
    assert must_join(journey)
    agree_to_join(journey, owner)
    assert not must_join(journey)


def test_never_completes_past_the_question(
    relying_party: RelyingParty, google: IdentityProvider, github: IdentityProvider, owner: User
) -> None:
    stranger = arrive(relying_party, google, told_by(google, mail=MAIL))
    for _ in range(2):
        stranger.submit(action="join", way="")
        assert stranger.step == "link"
    # The same where the old way is proven, and only the yes is missing.
    other = arrive(relying_party, github, told_by(github), Stranger(email=MAIL)).give_email().give_code()
    assert other.step == "link"
    for waiting in (stranger, other):
        with pytest.raises(MailInUse):
            journeys.complete(journey_of(waiting))
    assert is_untouched(owner)


def test_proves_no_person_by_a_code_that_is_no_way(
    relying_party: RelyingParty, github: IdentityProvider, user_flow: UserFlow, owner: User
) -> None:
    """Where administrators took the code out, a mailbox proves an address and opens no account."""
    IdentityProviderAssignment.objects.filter(identity_provider__kind="EmailOTP").delete()
    publish(user_flow)
    stranger = arrive(relying_party, github, told_by(github)).give_email(MAIL)
    stranger.email = MAIL
    stranger.give_code()
    assert stranger.step == "link"
    assert "Ask your contact" in stranger.html
    assert "Join GitHub" not in stranger.html
    stranger.submit(action="join")
    assert is_untouched(owner)
    other = arrive(relying_party, github, told_by(github, "2")).give_email("new@fabrikam.example")
    other.email = "new@fabrikam.example"
    claims = claims_of(relying_party, other.give_code().submit(**ANSWERS))
    assert list(User.objects.get(pk=claims["oid"]).identities.values_list("issuer", flat=True)) == ["github.com"]


# Tabs, switches, races


def test_takes_one_answer_and_the_one_that_is_awaited(
    relying_party: RelyingParty, google: IdentityProvider, github: IdentityProvider
) -> None:
    journey = open_journey(relying_party)
    with pytest.raises(AnswerOutdated):
        take_told(journey, google, told_by(google, mail=MAIL))
    take_way(journey, github)
    with pytest.raises(AnswerOutdated):
        take_told(journey, google, told_by(google, mail=MAIL))
    take_told(journey, github, told_by(github, mail=MAIL))
    # A second tab, with another way: what is proven is proven.
    for late in (google, github):
        with pytest.raises(AnswerOutdated):
            take_told(journey, late, told_by(late, "other", mail="other@fabrikam.example"))
    assert [proof["kind"] for proof in journey.facts["proofs"]] == ["GitHub"]
    assert journey.facts["mail_proven"] == MAIL


@pytest.mark.parametrize("is_known", [False, True])
def test_lets_nobody_in_by_what_was_switched_off_since(
    relying_party: RelyingParty, google: IdentityProvider, tenant: Tenant, is_known: bool
) -> None:
    stranger = arrive(relying_party, google, told_by(google, mail=MAIL))
    if is_known:
        give_identity(make_guest(tenant), issuer="google.com", subject="4711", provider=google)
    IdentityProvider.objects.filter(pk=google.pk).update(is_enabled=False)
    with pytest.raises(WaySwitchedOff):
        journeys.complete(journey_of(stranger))
    stranger.submit(**ANSWERS)
    assert stranger.page.status_code == 403
    assert "switched off" in stranger.html
    assert User.objects.count() == is_known
    assert stranger.press_link().step == "choose"


def test_lets_a_provider_sign_in_and_join_without_making_accounts(
    relying_party: RelyingParty, google: IdentityProvider, owner: User, code: str
) -> None:
    IdentityProvider.objects.filter(pk=google.pk).update(may_create_accounts=False)
    stranger = arrive(relying_party, google, told_by(google, "2", "new@fabrikam.example"))
    assert stranger.page.status_code == 403
    assert "but not create an account with it" in stranger.html
    assert AuditEvent.objects.get(activity="sign_up.refused").reason == "provider_signs_in_only"
    member = Stranger(email=MAIL)
    arrive(relying_party, google, told_by(google, mail=MAIL), member).submit(way=code).give_code()
    assert claims_of(relying_party, member)["oid"] == str(owner.pk)


def test_lets_test_users_stand_in_nobodys_way(
    relying_party: RelyingParty, google: IdentityProvider, tenant: Tenant, owner: User, code: str
) -> None:
    """An administrator's test run has made them, with the same accounts."""
    tester = make_guest(tenant, mail="tester@fabrikam.example", is_test=True)
    give_identity(tester, issuer="google.com", subject="4711", provider=google)
    stranger = arrive(relying_party, google, told_by(google, mail=MAIL), Stranger(email=MAIL))
    assert stranger.step == "link"
    assert claims_of(relying_party, stranger.submit(way=code).give_code())["oid"] == str(owner.pk)
    assert not User.objects.filter(is_test=True).exists()
    tester = make_guest(tenant, mail="tester@fabrikam.example", is_test=True)
    give_identity(tester, issuer="google.com", subject="5", provider=google)
    stranger = arrive(relying_party, google, told_by(google, "5", "new@fabrikam.example")).submit(**ANSWERS)
    assert claims_of(relying_party, stranger)["email"] == "new@fabrikam.example"
    assert not User.objects.filter(is_test=True).exists()


def at_once(journeys_: list[Journey]) -> list[str]:
    """Complete them all at the same moment, and return how each ended."""
    barrier, ends = threading.Barrier(len(journeys_)), []

    def complete(journey: Journey) -> None:
        barrier.wait()
        try:
            ends.append(str(journeys.complete(journey).user_id))
        finally:
            connection.close()

    threads = [threading.Thread(target=complete, args=[journey]) for journey in journeys_]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return ends


@pytest.mark.django_db(transaction=True)
def test_makes_one_guest_of_one_identity_in_eight_journeys_at_once(
    relying_party: RelyingParty, google: IdentityProvider
) -> None:
    begun = []
    for _ in range(8):
        stranger = arrive(relying_party, google, told_by(google, mail=MAIL))
        journey = journey_of(stranger)
        journey.learn(pages_done=1, answers=ANSWERS)
        journey.save()
        begun.append(journey)
    ends = at_once(begun)
    assert len(ends) == 8
    assert set(ends) == {str(User.objects.get().pk)}
    assert Identity.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_joins_one_identity_once_in_eight_journeys_at_once(
    relying_party: RelyingParty, google: IdentityProvider, tenant: Tenant
) -> None:
    owner = make_guest(tenant)
    give_identity(owner)
    begun = []
    for _ in range(8):
        journey = journey_of(arrive(relying_party, google, told_by(google, mail=MAIL)))
        take_mail(journey, MAIL)
        agree_to_join(journey, owner)
        journey.save()
        begun.append(journey)
    assert at_once(begun) == [str(owner.pk)] * 8
    assert Identity.objects.count() == 2
    assert AuditEvent.objects.filter(activity="identity.linked").count() == 1
    assert len(mail.outbox) == 1


def test_joins_nothing_that_somebody_got_a_moment_before(
    relying_party: RelyingParty, google: IdentityProvider, tenant: Tenant, owner: User
) -> None:
    """Between the look and the write: on PostgreSQL another journey may be there."""
    journey = open_journey(relying_party)
    take_way(journey, google)
    take_told(journey, google, told_by(google, mail=MAIL))
    assert known_person(journey) is None
    taken = give_identity(owner, issuer="google.com", subject="4711", provider=google)
    join_identities(journey, owner)
    assert (Identity.objects.filter(issuer="google.com").count(), mail.outbox) == (1, [])
    Identity.objects.filter(pk=taken.pk).update(user=make_guest(tenant, mail="other@fabrikam.example"))
    with pytest.raises(AnotherPerson):
        join_identities(journey, owner)
