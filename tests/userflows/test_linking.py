"""Joining a new way to sign in to an account that is there: never silently, and never a dead end."""

from collections.abc import Callable

import pytest
from django.core import mail

from directory.models import AuditEvent, Identity, IdentityProvider, Tenant, User
from directory.people import delete_user
from tests.relying_party import RelyingParty
from tests.stranger import Stranger
from tests.userflows.joining import ANSWERS, MAIL, arrive, claims_of, come_back, give_identity, make_guest, told_by
from userflows.models import Journey, SignIn, UserFlow

MakeProvider = Callable[..., IdentityProvider]


def identities_of(user: User) -> list[str]:
    return sorted(user.identities.values_list("issuer", flat=True))


def test_has_the_old_way_proven_once(
    relying_party: RelyingParty, tenant: Tenant, google: IdentityProvider, owner: User, code: str
) -> None:
    stranger = arrive(relying_party, google, told_by(google, mail=MAIL))
    assert stranger.step == "link"
    assert "You already have an account" in stranger.html
    assert (identities_of(owner), len(mail.outbox)) == (["mail"], 0)
    stranger.submit(way=code)
    assert stranger.step == "email_code"
    assert "With this code you show that the account is yours." in stranger.html
    claims = claims_of(relying_party, stranger.give_code())
    assert (claims["oid"], claims["idp"], claims["amr"]) == (str(owner.pk), "google.com", ["fed"])
    assert identities_of(owner) == ["google.com", "mail"]
    assert Identity.objects.get(issuer="google.com").identity_provider == google

    letter = mail.outbox[-1]
    assert (letter.to, letter.subject) == ([MAIL], "Another way to sign in to Woodgrove was added")
    for words in ("Google", "Supplier Portal", "(UTC)", "If it was not you"):
        assert words in letter.body
    event = AuditEvent.objects.get(activity="identity.linked")
    assert (event.actor_id, event.target_id) == (str(owner.pk), str(owner.pk))
    assert (event.details["identity_provider"], event.details["issuer"]) == ("Google", "google.com")
    assert event.correlation_id == SignIn.objects.get().correlation_id

    # From now on, each of them.
    again = arrive(relying_party, google, told_by(google, mail=MAIL))
    assert claims_of(relying_party, again)["oid"] == str(owner.pk)
    by_code = Stranger(email=MAIL).open(relying_party.request_url()).give_email().give_code()
    assert claims_of(relying_party, by_code)["idp"] == "mail"
    assert AuditEvent.objects.filter(activity="identity.linked").count() == 1


def test_asks_for_a_yes_when_the_old_way_was_proven_on_the_way(
    relying_party: RelyingParty, github: IdentityProvider, owner: User
) -> None:
    stranger = arrive(relying_party, github, told_by(github, mail=MAIL, is_mail_verified=False))
    assert stranger.step == "email"
    assert MAIL in stranger.html
    stranger.give_email(MAIL).give_code()
    assert stranger.step == "link"
    assert "Join GitHub to your account?" in stranger.html
    assert stranger.submit().step == "link"
    assert identities_of(owner) == ["mail"]
    claims = claims_of(relying_party, stranger.submit(action="join"))
    assert (claims["oid"], claims["idp"]) == (str(owner.pk), "github.com")
    assert identities_of(owner) == ["github.com", "mail"]


def test_takes_a_no_for_an_answer(relying_party: RelyingParty, github: IdentityProvider, owner: User) -> None:
    stranger = arrive(relying_party, github, told_by(github))
    stranger.give_email(MAIL).give_code().submit(action="other_address")
    assert stranger.step == "email"
    stranger.email = "new@fabrikam.example"
    stranger.give_email().give_code()
    assert stranger.step == "attributes"
    claims = claims_of(relying_party, stranger.submit(**ANSWERS))
    assert claims["oid"] != str(owner.pk)
    assert claims["email"] == "new@fabrikam.example"
    assert identities_of(owner) == ["mail"]
    assert identities_of(User.objects.get(pk=claims["oid"])) == ["github.com", "mail"]


def test_offers_the_ways_that_the_owner_has_and_the_flow_offers(
    relying_party: RelyingParty,
    tenant: Tenant,
    google: IdentityProvider,
    github: IdentityProvider,
    owner: User,
    code: str,
) -> None:
    give_identity(owner, issuer="google.com", subject="1", provider=google)
    give_identity(owner, issuer="facebook.com", subject="1")
    stranger = arrive(relying_party, github, told_by(github, mail=MAIL))
    assert "Email me a code" in stranger.html
    assert "Continue with Google" in stranger.html
    assert "Facebook" not in stranger.html
    assert "Continue with GitHub" not in stranger.html
    IdentityProvider.objects.filter(kind="EmailOTP").update(is_enabled=False)
    stranger.open(stranger.path)
    assert "Email me a code" not in stranger.html
    # Chosen all the same, it leads nowhere.
    assert stranger.submit(way=code).step == "link"
    assert mail.outbox == []


def test_says_whom_to_ask_where_no_old_way_is_left(
    relying_party: RelyingParty, tenant: Tenant, google: IdentityProvider
) -> None:
    """One that an administrator made, and nobody has ever used, is claimed by nobody."""
    Tenant.objects.update(support_contact="help@woodgrove.example")
    owner = make_guest(tenant)
    stranger = arrive(relying_party, google, told_by(google, mail=MAIL))
    assert (stranger.step, stranger.page.status_code) == ("link", 200)
    for words in ("help@woodgrove.example", "Ask your contact at Woodgrove", stranger.page["X-Correlation-ID"]):
        assert words in stranger.html
    assert owner.identities.count() == 0
    assert stranger.submit(action="other_address").step == "email"


def test_joins_a_mailbox_to_who_signs_in_with_a_provider(
    relying_party: RelyingParty, tenant: Tenant, google: IdentityProvider
) -> None:
    """The other order: the address is typed and proven first. A mailbox alone opens nobody's account."""
    owner = make_guest(tenant)
    give_identity(owner, issuer="google.com", subject="4711", provider=google)
    stranger = Stranger(email=MAIL).open(relying_party.request_url()).give_email().give_code()
    assert stranger.step == "link"
    assert "Continue with Google" in stranger.html
    stranger.submit(way=str(google.pk))
    claims = claims_of(relying_party, come_back(stranger, google, told_by(google, mail=MAIL)))
    assert (claims["oid"], claims["idp"]) == (str(owner.pk), "mail")
    assert identities_of(owner) == ["google.com", "mail"]


def test_goes_back_to_the_first_page_with_another_address(
    relying_party: RelyingParty, tenant: Tenant, google: IdentityProvider
) -> None:
    make_guest(tenant)
    stranger = Stranger(email=MAIL).open(relying_party.request_url()).give_email().give_code()
    assert stranger.step == "link"
    assert stranger.submit(action="other_address").step == "choose"
    stranger.email = "new@fabrikam.example"
    assert stranger.give_email().give_code().step == "attributes"


def test_joins_to_members_too(
    relying_party: RelyingParty, tenant: Tenant, google: IdentityProvider, make_member: Callable[..., User], code: str
) -> None:
    member = make_member(tenant, mail=MAIL)
    stranger = arrive(relying_party, google, told_by(google, mail=MAIL), Stranger(email=MAIL))
    assert stranger.step == "link"
    claims = claims_of(relying_party, stranger.submit(way=code).give_code())
    assert claims["oid"] == str(member.pk)


@pytest.mark.parametrize(("ended", "words"), [("deleted", "was deleted"), ("disabled", "switched off")])
def test_tells_only_who_proved_it_that_the_account_is_closed(
    relying_party: RelyingParty,
    google: IdentityProvider,
    owner: User,
    ended: str,
    words: str,
    code: str,
) -> None:
    if ended == "deleted":
        delete_user(owner)
    else:
        User.objects.filter(pk=owner.pk).update(account_enabled=False)
    stranger = arrive(relying_party, google, told_by(google, mail=MAIL))
    assert stranger.step == "link"
    assert words not in stranger.html
    stranger.submit(way=code).give_code()
    assert stranger.page.status_code == 403
    assert words in stranger.html
    assert identities_of(owner) == ["mail"]


def test_never_asks_in_a_test_run(relying_party: RelyingParty, google: IdentityProvider, owner: User) -> None:
    stranger = Stranger().open(relying_party.request_url())
    Journey.objects.update(is_test=True)
    come_back(stranger, google, told_by(google, mail=MAIL))
    assert stranger.page.status_code == 409
    assert "This address has an account already" in stranger.html


def test_finds_the_way_of_an_entra_organisation(
    relying_party: RelyingParty,
    tenant: Tenant,
    user_flow: UserFlow,
    make_provider: MakeProvider,
    google: IdentityProvider,
) -> None:
    """Its issuer is the organisation's, so the provider's row says which button it is; or its name, without the row."""
    entra = make_provider(tenant, "EntraID", name="Contoso")
    owner = make_guest(tenant)
    identity = give_identity(
        owner,
        issuer="https://login.microsoftonline.com/9122040d-6c67-4c5b-b112-36a304b66dad/v2.0",
        subject="1",
        provider=entra,
    )
    stranger = arrive(relying_party, google, told_by(google, mail=MAIL))
    assert "Continue with Microsoft" in stranger.html
    Identity.objects.filter(pk=identity.pk).update(identity_provider=None)
    assert "Continue with Microsoft" in stranger.open(stranger.path).html
    Identity.objects.filter(pk=identity.pk).update(issuer="https://login.evil.example/")
    assert "Continue with Microsoft" not in stranger.open(stranger.path).html
