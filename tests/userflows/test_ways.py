"""The first page and its ways: their order, their names, the mark of the last one, and what goes along with each."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from directory.models import IdentityProvider, Tenant, User
from tests.relying_party import RelyingParty
from tests.stranger import Stranger
from tests.upstream.server import UpstreamServer
from tests.userflows.joining import ANSWERS, MAIL, arrive, come_back, give_identity, journey_of, make_guest, told_by
from userflows import mail_code
from userflows.models import IdentityProviderAssignment, SignIn, UserFlow
from userflows.publishing import publish
from userflows.sign_in_words import step_in_words

pytestmark = pytest.mark.any_database

MakeProvider = Callable[..., IdentityProvider]


def put_first(flow: UserFlow, provider: IdentityProvider) -> None:
    IdentityProviderAssignment.objects.filter(user_flow=flow).update(order=50)
    IdentityProviderAssignment.objects.filter(user_flow=flow, identity_provider=provider).update(order=0)
    publish(flow)


def test_stands_in_the_order_of_the_flow(
    relying_party: RelyingParty,
    tenant: Tenant,
    user_flow: UserFlow,
    google: IdentityProvider,
    make_provider: MakeProvider,
    stranger: Stranger,
) -> None:
    github = make_provider(tenant, "GitHub")
    url = relying_party.request_url()

    def order() -> list[str]:
        html = Stranger().open(url).html
        places = {name: html.find(name) for name in ('type="email"', "Continue with Google", "Continue with GitHub")}
        return [name.rpartition(" ")[2] for name in sorted(places, key=lambda name: places[name])]

    assert order() == ['type="email"', "Google", "GitHub"]
    put_first(user_flow, github)
    html = stranger.open(url).html
    assert order()[0] == "GitHub"
    # Enter in the e-mail box presses the form's first button, which is none of a provider.
    first = re.search(r"<button[^>]*>", html)
    assert first
    assert "name=" not in first[0]
    assert 'tabindex="-1"' in first[0]
    assert stranger.give_email(MAIL).step == "email_code"


def test_has_no_box_where_the_flow_has_no_mail(
    relying_party: RelyingParty,
    tenant: Tenant,
    user_flow: UserFlow,
    google: IdentityProvider,
    make_provider: MakeProvider,
) -> None:
    make_provider(tenant, "GitHub")
    IdentityProviderAssignment.objects.filter(identity_provider__kind="EmailOTP").delete()
    publish(user_flow)
    stranger = Stranger().open(relying_party.request_url())
    assert 'type="email"' not in stranger.html
    assert stranger.html.count("Continue with") == 2
    # Typed all the same, nothing is mailed.
    assert stranger.give_email(MAIL).step == "choose"
    assert mail.outbox == []


def test_tells_two_of_one_name_apart(
    relying_party: RelyingParty, tenant: Tenant, user_flow: UserFlow, make_provider: MakeProvider
) -> None:
    make_provider(tenant, "EntraID", name="Contoso")
    make_provider(tenant, "EntraID", name="Fabrikam & Sons")
    html = Stranger().open(relying_party.request_url()).html
    assert "Continue with Microsoft (Contoso)" in html
    assert "Continue with Microsoft (Fabrikam &amp; Sons)" in html


def test_tells_two_kinds_of_one_vendor_apart(
    relying_party: RelyingParty, tenant: Tenant, user_flow: UserFlow, make_provider: MakeProvider
) -> None:
    make_provider(tenant, "EntraID", name="Contoso")
    make_provider(tenant, "MicrosoftAccount")
    html = Stranger().open(relying_party.request_url()).html
    assert "Continue with Microsoft (work or school)" in html
    assert "Continue with Microsoft (personal)" in html


def test_leaves_for_no_way_that_the_flow_does_not_offer(
    relying_party: RelyingParty,
    google: IdentityProvider,
    make_provider: MakeProvider,
    make_tenant: Callable[..., Tenant],
    stranger: Stranger,
) -> None:
    foreign = make_provider(make_tenant("contoso"), "Google")
    stranger.open(relying_party.request_url())
    for way in (
        str(foreign.pk),
        "nonsense",
        str(IdentityProvider.objects.get(kind="EmailOTP", tenant=google.tenant).pk),
    ):
        assert stranger.submit(way=way).step == "choose"
    IdentityProvider.objects.filter(pk=google.pk).update(is_enabled=False)
    assert stranger.submit(way=str(google.pk)).step == "choose"
    assert "way" not in journey_of(stranger).facts


def test_goes_where_the_last_click_says(
    relying_party: RelyingParty,
    tenant: Tenant,
    google: IdentityProvider,
    vendors: UpstreamServer,
    make_provider: MakeProvider,
) -> None:
    """Back from the provider's page, the first page may still be the one that was left: its version is an old one."""
    other = make_provider(
        tenant, "OpenIdConnect", name="Fabrikam", settings={"issuer": vendors.issuer("OpenIdConnect")}
    )
    stranger = Stranger().open(relying_party.request_url())
    page, form = stranger.path, stranger.hidden_fields()
    stranger.submit(way=str(google.pk))
    assert "/Google/" in stranger.provider_url
    stranger._follow(stranger.http.post(page, form | {"way": str(other.pk)}), page)
    assert "/OpenIdConnect/" in stranger.provider_url


def last_used(stranger: Stranger) -> bool:
    return "Last used" in stranger.html


def test_marks_the_way_that_was_used_last(
    relying_party: RelyingParty, google: IdentityProvider, make_tenant: Callable[..., Tenant]
) -> None:
    stranger = arrive(relying_party, google, told_by(google, mail=MAIL))
    assert not last_used(stranger)
    stranger.submit(**ANSWERS)
    cookie = stranger.http.cookies["portal_last_way"]
    # No account, nothing that scripts or other tenants could read.
    assert cookie.value == str(google.pk)
    assert (cookie["path"], cookie["httponly"], cookie["samesite"]) == ("/woodgrove/", True, "Lax")
    assert cookie["max-age"] == timedelta(days=30).total_seconds()
    stranger.open(relying_party.request_url(prompt="login"))
    button = re.search(rf'<button[^>]*value="{google.pk}".*?</button>', stranger.html, re.DOTALL)
    assert button
    assert "Last used" in button[0]
    assert stranger.html.count("Last used") == 1


def test_marks_the_code_too(relying_party: RelyingParty, google: IdentityProvider) -> None:
    stranger = Stranger(email=MAIL)
    stranger.sign_up(relying_party.request_url(), **ANSWERS)
    stranger.open(relying_party.request_url(prompt="login"))
    before_box = stranger.html.partition('type="email"')[0]
    assert "Last used" in before_box


def test_believes_nothing_else_of_the_cookie(relying_party: RelyingParty, google: IdentityProvider) -> None:
    stranger = Stranger()
    stranger.http.cookies["portal_last_way"] = '"><script>'
    assert not last_used(stranger.open(relying_party.request_url()))
    assert "<script>" not in stranger.html


def test_keeps_people_signed_in_with_every_way(
    relying_party: RelyingParty, tenant: Tenant, google: IdentityProvider, vendors: UpstreamServer
) -> None:
    stranger = Stranger().open(relying_party.request_url())
    assert "Keep me signed in" not in stranger.html
    Tenant.objects.update(keep_signed_in_days=14)
    stranger.open(stranger.path)
    assert "Keep me signed in for 14 days" in stranger.html
    stranger.submit(way=str(google.pk), keep_signed_in="on")
    assert journey_of(stranger).facts["keep_signed_in"] is True
    stranger.submit()
    assert "checked" in stranger.html
    stranger.give_email(MAIL)
    assert journey_of(stranger).facts["keep_signed_in"] is False


def test_asks_for_an_address_where_none_is_told(
    relying_party: RelyingParty, tenant: Tenant, user_flow: UserFlow, make_provider: MakeProvider
) -> None:
    github = make_provider(tenant, "GitHub")
    stranger = Stranger(email=MAIL)
    # What was typed before is none of this.
    stranger.open(relying_party.request_url()).give_email("typed@fabrikam.example")
    come_back(stranger, github, told_by(github))
    assert stranger.step == "email"
    assert "also needs an email address" in stranger.html
    assert stranger.give_email("nonsense").step == "email"
    assert "Enter an email address such as" in stranger.html
    stranger.give_email("typo@fabrikam.example")
    assert stranger.step == "email_code"
    # The address can be changed.
    stranger.open(stranger.path.replace("email_code", "email")).give_email()
    assert stranger.step == "email_code"
    assert stranger.give_code().step == "attributes"
    assert "You signed in with GitHub." in stranger.html
    stranger.submit(**ANSWERS)
    guest = User.objects.get()
    assert guest.mail == MAIL
    assert sorted(guest.identities.values_list("issuer", "issuer_assigned_id")) == [
        ("github.com", "4711"),
        ("mail", MAIL),
    ]


def test_fills_in_what_the_provider_told_and_keeps_what_is_sent(
    relying_party: RelyingParty, google: IdentityProvider
) -> None:
    told = told_by(google, mail=MAIL, answers={"GivenName": "Amina<b>", "Surname": "Aziz", "City": "Amman"})
    stranger = arrive(relying_party, google, told)
    assert 'value="Amina&lt;b&gt;"' in stranger.html
    assert 'value="Aziz"' in stranger.html
    assert "You signed in with Google as" in stranger.html
    stranger.submit(GivenName="Amina", Surname="Haddad")
    guest = User.objects.get()
    # What nobody asked for isn't kept.
    assert (guest.given_name, guest.surname, guest.city) == ("Amina", "Haddad", "")


def test_tells_the_log_which_provider_it_was(relying_party: RelyingParty, google: IdentityProvider) -> None:
    arrive(relying_party, google, told_by(google, mail=MAIL)).submit(**ANSWERS)
    entry = SignIn.objects.get()
    assert entry.identity_provider == "google.com"
    assert [step["step"] for step in entry.steps] == ["started", "attributes", "signedUp"]
    assert "Google" in step_in_words({"step": "choose", "outcome": "done", "provider": "Google"})


# Codes, whichever page mails them


def by_choose(party: RelyingParty, number: int) -> Stranger:
    return Stranger(email=MAIL).open(party.request_url()).give_email()


def by_email(party: RelyingParty, number: int) -> Stranger:
    github = IdentityProvider.objects.get(kind="GitHub")
    return arrive(party, github, told_by(github, subject=str(number))).give_email(MAIL)


def by_link(party: RelyingParty, number: int) -> Stranger:
    google = IdentityProvider.objects.get(kind="Google")
    code = IdentityProvider.objects.get(kind="EmailOTP")
    return arrive(party, google, told_by(google, subject=str(number), mail=MAIL)).submit(way=str(code.pk))


def by_resend(party: RelyingParty, number: int) -> Stranger:
    stranger = by_choose(party, number)
    if stranger.page.status_code == 429:
        return stranger
    journey = journey_of(stranger)
    journey.code_sent_at = timezone.now() - timedelta(minutes=2)
    journey.save()
    return stranger.submit(action="resend")


@pytest.fixture
def mouths(tenant: Tenant, google: IdentityProvider, make_provider: MakeProvider) -> None:
    make_provider(tenant, "GitHub")
    give_identity(make_guest(tenant))


@pytest.mark.usefixtures("mouths")
@pytest.mark.parametrize("mouth", [by_choose, by_email, by_link, by_resend])
@pytest.mark.parametrize("name", ["MAILBOX_LIMIT", "ADDRESS_LIMIT", "TENANT_LIMIT"])
def test_counts_each_mail(
    relying_party: RelyingParty,
    monkeypatch: pytest.MonkeyPatch,
    mouth: Callable[[RelyingParty, int], Stranger],
    name: str,
) -> None:
    limit = getattr(mail_code, name)
    monkeypatch.setattr(mail_code, name, type(limit)(f"test.{name}", count=2, seconds=limit.seconds))
    refused = [mouth(relying_party, number).page.status_code == 429 for number in range(3)]
    assert refused[-1]
    assert len(mail.outbox) == 2
