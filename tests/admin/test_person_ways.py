"""The ways to sign in of one person, and the people by the provider that they came by."""

from html import unescape
from typing import Any

import pytest
from django.core import mail
from django.test import Client

from directory.models import AuditEvent, Identity, IdentityProvider, User
from tests.admin.conftest import Furnished, browser_of
from tests.admin.test_identity_providers import make_provider
from userflows.models import SignUp
from userflows.provider_names import provider_name

ENTRA = "https://login.microsoftonline.com/9122040d-6c67-4c5b-b112-36a304b66dad/v2.0"


def join(provider: IdentityProvider, user: User, issuer: str, subject: str) -> Identity:
    return Identity.objects.create(
        tenant=provider.tenant,
        user=user,
        identity_provider=provider,
        sign_in_type="federated",
        issuer=issuer,
        issuer_assigned_id=subject,
    )


def page_of(ours: Furnished, identity: Identity) -> str:
    return f"{ours.admin_url}directory/user/{identity.user_id}/ways/{identity.pk}/remove/"


def test_shows_each_way_and_only_the_ends_of_its_id(browser: Client, ours: Furnished) -> None:
    google = make_provider(ours, name="<b>Google</b>")
    join(google, ours.guest, "google.com", "10769150350006150715113082367")
    html = browser.get(f"{ours.admin_url}directory/user/{ours.guest.pk}/change/").content.decode()
    assert "1076…2367" in html
    assert "10769150350006150715113082367" not in html
    assert "&lt;b&gt;Google&lt;/b&gt;" in html
    assert ours.guest.mail in html


def test_removes_a_way_but_never_the_last_one(browser: Client, ours: Furnished) -> None:
    by_mail = ours.guest.identities.get()
    page = unescape(browser.get(page_of(ours, by_mail)).content.decode())
    assert "the only way in which this person can sign in" in page
    browser.post(page_of(ours, by_mail))
    assert ours.guest.identities.count() == 1
    google = join(make_provider(ours), ours.guest, "google.com", "1")
    assert browser.get(page_of(ours, google)).status_code == 200
    assert browser.post(page_of(ours, google)).status_code == 302
    assert list(ours.guest.identities.all()) == [by_mail]
    event = AuditEvent.objects.get(activity="identity.removed")
    assert (event.actor_id, event.target_id) == (str(ours.admin.pk), str(ours.guest.pk))
    assert [message.to for message in mail.outbox] in ([], [[ours.guest.mail]])


def test_asks_who_is_there_and_knows_no_foreign_ways(browser: Client, ours: Furnished, theirs: Furnished) -> None:
    google = join(make_provider(ours), ours.guest, "google.com", "1")
    assert "step-up" in browser_of(ours.admin, proven=False).post(page_of(ours, google))["Location"]
    foreign = join(make_provider(theirs), theirs.guest, "google.com", "1")
    assert browser.post(page_of(ours, foreign)).status_code == 404
    mixed = f"{ours.admin_url}directory/user/{ours.guest.pk}/ways/{foreign.pk}/remove/"
    assert browser.post(mixed).status_code == 404
    assert Identity.objects.filter(issuer="google.com").count() == 2


@pytest.mark.parametrize(
    ("issuer", "value", "shown"),
    [
        ("mail", "mail", "Email"),
        ("google.com", "google.com", "Google"),
        (ENTRA, "https://login.microsoftonline.com/", "Microsoft Entra ID"),
        ("https://login.fabrikam.example", "https://login.fabrikam.example", "Fabrikam"),
    ],
)
def test_filters_people_by_provider(
    browser: Client, ours: Furnished, issuer: str, value: str, shown: str, make_guest: Any
) -> None:
    make_provider(ours)
    make_provider(ours, "EntraID")
    make_provider(ours, "OpenIdConnect", name="Fabrikam", settings={"issuer": "https://login.fabrikam.example"})
    for number, each in enumerate(("mail", "google.com", ENTRA, "https://login.fabrikam.example")):
        guest = make_guest(ours.tenant, f"guest{number}@supplier.example")
        ids = {"journey_id": guest.pk, "correlation_id": guest.pk}
        SignUp.objects.create(user=guest, tenant=ours.tenant, identity_provider=each, **ids)
    page = browser.get(f"{ours.admin_url}directory/user/", {"provider": value})
    people = list(page.context["cl"].result_list)
    assert [person.sign_up.identity_provider for person in people] == [issuer]
    html = page.content.decode()
    assert f'<td class="field-provider">{shown}</td>' in html
    assert f'<option value="{value}" selected>{shown}</option>' in html


def test_an_issuer_that_is_gone_is_called_what_it_was(db: None) -> None:
    assert provider_name("https://gone.example") == "https://gone.example"
