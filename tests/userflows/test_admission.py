"""Who gets in: the domain of the proven address decides, and only for strangers."""

from collections.abc import Callable

import pytest
from django.core.exceptions import ValidationError

from directory.email_domains import split_domains
from directory.models import AuditEvent, IdentityProvider, Tenant, User
from tests.relying_party import RelyingParty
from tests.stranger import Stranger
from userflows.models import Admission, UserFlow
from userflows.publishing import publish

ANSWERS = {"GivenName": "Amina", "Surname": "Haddad"}


@pytest.fixture
def admit(user_flow: UserFlow) -> Callable[..., None]:
    def publish_with(admission: Admission, domains: str) -> None:
        user_flow.admission = admission
        user_flow.domains = domains
        user_flow.full_clean()
        user_flow.save()
        publish(user_flow)

    return publish_with


@pytest.mark.parametrize(
    ("admission", "domains", "mail", "lets_in"),
    [
        ("allowedDomains", "fabrikam.example", "amina@fabrikam.example", True),
        ("allowedDomains", "fabrikam.example", "amina@FABRIKAM.example", True),
        ("allowedDomains", "fabrikam.example", "amina@eu.fabrikam.example", True),
        ("allowedDomains", "fabrikam.example", "amina@notfabrikam.example", False),
        ("allowedDomains", "fabrikam.example", "amina@fabrikam.example.evil.example", False),
        ("allowedDomains", "münchen.example", "amina@xn--mnchen-3ya.example", True),
        ("blockedDomains", "gmail.example", "amina@gmail.example", False),
        ("blockedDomains", "gmail.example", "amina@fabrikam.example", True),
        ("anyone", "", "amina@gmail.example", True),
    ],
)
def test_asks_the_domain(
    admit: Callable[..., None], relying_party: RelyingParty, admission: str, domains: str, mail: str, lets_in: bool
) -> None:
    admit(Admission(admission), domains)
    stranger = Stranger(email=mail)
    stranger.open(relying_party.request_url()).give_email()
    # The page for an address that may not come in is the same until the address is proven.
    assert stranger.step == "email_code"
    stranger.give_code()
    if lets_in:
        assert stranger.step == "attributes"
        return
    assert stranger.page.status_code == 403
    assert "You can&#x27;t sign up with this email address" in stranger.html
    assert stranger.page["X-Correlation-ID"] in stranger.html
    assert User.objects.count() == 0
    assert AuditEvent.objects.get(activity="sign_up.refused").reason == "email_domain_not_allowed"


@pytest.mark.parametrize(
    ("tenant_list", "flow_list", "mail", "words"),
    [
        (("allowedDomains", "fabrikam.example"), ("anyone", ""), "amina@fabrikam.example", ""),
        (("allowedDomains", "fabrikam.example"), ("anyone", ""), "amina@other.example", "certain company addresses"),
        (("blockedDomains", "mail.example"), ("anyone", ""), "amina@eu.mail.example", "addresses of this kind"),
        (("blockedDomains", "mail.example"), ("allowedDomains", "mail.example"), "a@mail.example", "of this kind"),
        (("allowedDomains", "mail.example"), ("blockedDomains", "mail.example"), "a@mail.example", "of this kind"),
        (("allowedDomains", "a.example\nb.example"), ("allowedDomains", "b.example"), "a@a.example", "certain company"),
        (("allowedDomains", "a.example\nb.example"), ("allowedDomains", "b.example"), "a@b.example", ""),
    ],
)
def test_asks_the_tenants_list_and_the_flows(
    admit: Callable[..., None],
    relying_party: RelyingParty,
    tenant_list: tuple[str, str],
    flow_list: tuple[str, str],
    mail: str,
    words: str,
) -> None:
    admit(Admission(flow_list[0]), flow_list[1])
    stranger = Stranger(email=mail)
    stranger.open(relying_party.request_url()).give_email()
    # The tenant's list is that of now, also for who is on the way already.
    Tenant.objects.update(admission=tenant_list[0], domains=tenant_list[1])
    stranger.give_code()
    if not words:
        assert stranger.step == "attributes"
        return
    assert (stranger.page.status_code, User.objects.count()) == (403, 0)
    assert words in stranger.html


def test_closes_the_door_before_the_last_step(relying_party: RelyingParty, stranger: Stranger) -> None:
    stranger.open(relying_party.request_url()).give_email().give_code()
    assert stranger.step == "attributes"
    Tenant.objects.update(admission="blockedDomains", domains="fabrikam.example")
    stranger.submit(**ANSWERS)
    assert stranger.page.status_code == 403
    assert User.objects.count() == 0


def test_signs_in_who_has_an_account_whatever_the_domain(
    admit: Callable[..., None], relying_party: RelyingParty, stranger: Stranger
) -> None:
    stranger.sign_up(relying_party.request_url(), **ANSWERS)
    admit(Admission.ALLOWED_DOMAINS, "other.example")
    later = Stranger(email=stranger.email)
    later.open(relying_party.request_url()).give_email().give_code()
    assert relying_party.answer(later.left_to)["code"]


def test_asks_again_at_the_last_moment(
    admit: Callable[..., None], relying_party: RelyingParty, make_member: Callable[..., User]
) -> None:
    """A flow without questions goes straight from the code to the account."""
    admit(Admission.ALLOWED_DOMAINS, "other.example")
    UserFlow.objects.get().attribute_assignments.all().delete()
    publish(UserFlow.objects.get())
    stranger = Stranger().open(relying_party.request_url()).give_email().give_code()
    assert stranger.page.status_code == 403
    assert User.objects.count() == 0


def test_reads_domains_as_people_write_them() -> None:
    assert split_domains("@Fabrikam.COM\n\n contoso.com fabrikam.com") == ["fabrikam.com", "contoso.com"]


@pytest.mark.parametrize(
    "word", ["fabrikam", "*.fabrikam.com", "a@b.com", "-x.com", "http://x.com", "x" * 300 + ".com"]
)
def test_refuses_what_is_no_domain(word: str) -> None:
    with pytest.raises(ValidationError, match="is no email domain"):
        split_domains(word)


def test_refuses_a_list_without_domains(user_flow: UserFlow) -> None:
    user_flow.admission = Admission.ALLOWED_DOMAINS
    with pytest.raises(ValidationError, match="Name at least one email domain"):
        user_flow.full_clean()


def test_shows_nobody_a_box_that_leads_nowhere(relying_party: RelyingParty, stranger: Stranger) -> None:
    IdentityProvider.objects.update(is_enabled=False)
    stranger.open(relying_party.request_url())
    assert stranger.page.status_code == 503
    assert "Nobody can sign in here at the moment" in stranger.html
    IdentityProvider.objects.update(is_enabled=True)
    stranger.open(relying_party.request_url())
    IdentityProvider.objects.update(is_enabled=False)
    stranger.give_email()
    assert stranger.page.status_code == 503
