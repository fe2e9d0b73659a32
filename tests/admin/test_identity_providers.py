"""The identity providers: the list, the cards of kinds, the switch, deleting one."""

from collections.abc import Callable
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from directory.identity_provider_kinds import kinds
from directory.identity_providers import TEST_PASSED
from directory.models import AuditEvent, Identity, IdentityProvider, User
from directory.roles import PERMISSIONS, Role
from tests.admin.conftest import Furnished, browser_of
from userflows.models import IdentityProviderAssignment, UserFlow
from userflows.publishing import publish

GOOGLE = {"client_id": "client.apps.googleusercontent.com", "secret": "GOCSPX-one"}

pytestmark = pytest.mark.any_database


def list_url(furnished: Furnished) -> str:
    return f"{furnished.admin_url}directory/identityprovider/"


def url_of(furnished: Furnished, provider: IdentityProvider, page: str = "change") -> str:
    return f"{list_url(furnished)}{provider.pk}/{page}/"


def make_provider(furnished: Furnished, kind: str = "Google", **values: Any) -> IdentityProvider:
    made = {"name": str(kinds()[kind].label), "is_enabled": True, **(GOOGLE if kind == "Google" else {}), **values}
    return IdentityProvider.objects.create(tenant=furnished.tenant, kind=kind, **made)


def offer(flow: UserFlow, provider: IdentityProvider) -> None:
    IdentityProviderAssignment.objects.create(user_flow=flow, identity_provider=provider, order=9)
    publish(flow)


def test_lists_what_there_is(browser: Client, ours: Furnished) -> None:
    page = browser.get(list_url(ours)).content.decode()
    assert "Email one-time code" in page
    assert '<td class="field-flow_count">1</td>' in page
    assert 'providers.svg#mail"' in page
    assert f'href="{list_url(ours)}"' in browser.get(ours.admin_url).content.decode()


@pytest.mark.parametrize(
    ("values", "badge"),
    [
        ({"is_enabled": False}, "Switched off"),
        ({"secret": ""}, "No secret"),
        ({"client_id": ""}, "Not set up"),
        ({"tested_at": None}, "Never tested"),
        ({"test_outcome": "invalid_client"}, "Test failed"),
        ({"secret_expires_on": timezone.localdate() + timedelta(days=29)}, "Secret ends soon"),
        ({"secret_expires_on": timezone.localdate() + timedelta(days=7)}, "Secret ends in a few days"),
        ({"secret_expires_on": timezone.localdate()}, "Secret ended"),
    ],
)
def test_tells_the_state_of_each(browser: Client, ours: Furnished, values: dict[str, Any], badge: str) -> None:
    make_provider(ours, **{"tested_at": timezone.now(), "test_outcome": TEST_PASSED, **values})
    page = browser.get(list_url(ours)).content.decode()
    assert f">{badge}</span>" in page
    assert page.count("badge-warning") + page.count("badge-failure") == (0 if badge == "Switched off" else 1)


def test_reads_the_list_at_the_same_cost_with_more(browser: Client, ours: Furnished) -> None:
    def cost() -> int:
        ContentType.objects.clear_cache()
        with CaptureQueriesContext(connection) as queries:
            assert browser.get(list_url(ours)).status_code == 200
        return len(queries)

    few = cost()
    for kind in ("Google", "Apple", "GitHub", "LinkedIn", "EntraID", "OpenIdConnect", "Saml"):
        make_provider(ours, kind)
    assert cost() == few


# --- adding ---------------------------------------------------------------------------------------------------------


def test_offers_a_card_for_each_kind_and_says_which_are_in_use(browser: Client, ours: Furnished) -> None:
    page = unescape(browser.get(f"{list_url(ours)}add/").content.decode())
    for kind in kinds().values():
        assert str(kind.summary) in page
        assert (f'href="?kind={kind.id}"' in page) == (kind.id != "EmailOTP"), kind.id
    assert f'href="{url_of(ours, ours.provider)}"' in page


@pytest.mark.parametrize("kind", [kind for kind in kinds() if kind != "EmailOTP"])
def test_adds_a_draft_that_nobody_meets_and_leads_to_its_page(browser: Client, ours: Furnished, kind: str) -> None:
    page = browser.get(f"{list_url(ours)}add/?kind={kind}").content.decode()
    assert 'name="client_id"' not in page
    assert f'name="kind" value="{kind}"' in page
    answer = browser.post(f"{list_url(ours)}add/", {"kind": kind, "name": "Newcomer"})
    made = IdentityProvider.objects.get(tenant=ours.tenant, name="Newcomer")
    assert (made.kind, made.is_enabled, made.tenant) == (kind, False, ours.tenant)
    assert made.may_create_accounts == kinds()[kind].may_create_accounts
    assert answer["Location"] == url_of(ours, made)
    assert browser.get(answer["Location"]).status_code == 200
    event = AuditEvent.objects.get(activity="identity_provider.created", target_id=str(made.pk))
    assert event.details["after"]["kind"] == kind
    assert "PRIVATE KEY" not in str(event.details)


def test_adds_no_second_one_of_a_single_kind(browser: Client, ours: Furnished) -> None:
    make_provider(ours)
    page = browser.post(f"{list_url(ours)}add/", {"kind": "Google", "name": "Another"})
    assert b"Which identity provider?" in page.content
    for _ in range(2):
        assert browser.post(f"{list_url(ours)}add/", {"kind": "Saml", "name": "Partner"}).status_code == 302
    assert IdentityProvider.objects.filter(tenant=ours.tenant, kind__in=("Google", "Saml")).count() == 3


def test_asks_for_the_kind_where_there_is_none(browser: Client, ours: Furnished) -> None:
    for query in ({}, {"kind": "Toaster"}, {"kind": "EmailOTP"}):
        page = browser.post(f"{list_url(ours)}add/", {"name": "x", **query})
        assert b"Which identity provider?" in page.content
    assert not IdentityProvider.objects.filter(name="x").exists()


# --- on and off -----------------------------------------------------------------------------------------------------


def test_says_what_switching_off_hits_and_does_it(browser: Client, ours: Furnished, make_user_flow: Any) -> None:
    make_user_flow(ours.tenant, "Partners")
    url = url_of(ours, ours.provider, "switch")
    page = unescape(browser.get(url).content.decode())
    assert f"only way to sign in of these user flows, which nobody can use then: B2X_1_Partners, {ours.flow}" in page
    assert ours.provider.is_enabled
    assert browser.post(url, {"enabled": "no"})["Location"] == url_of(ours, ours.provider)
    assert not IdentityProvider.objects.get(pk=ours.provider.pk).is_enabled
    event = AuditEvent.objects.get(activity="identity_provider.updated")
    assert event.details["after"] == {"is_enabled": False}
    # What was asked is what is done: twice changes nothing.
    browser.post(url, {"enabled": "no"})
    browser.post(url, {"enabled": "yes"})
    assert ours.provider.is_enabled
    assert AuditEvent.objects.filter(activity="identity_provider.updated").count() == 2


def test_names_no_flow_that_has_another_way(browser: Client, ours: Furnished) -> None:
    google = make_provider(ours)
    offer(ours.flow, google)
    assert b"only way" not in browser.get(url_of(ours, google, "switch")).content


@pytest.mark.parametrize(
    ("kind", "words"),
    [("Google", "<li>Client secret</li>"), ("Saml", "<li>Certificates</li>"), ("Apple", "<li>Team ID</li>")],
)
def test_switches_on_nothing_that_is_not_set_up(browser: Client, ours: Furnished, kind: str, words: str) -> None:
    provider = make_provider(ours, kind, is_enabled=False, secret="", client_id="x")
    assert words in browser.get(url_of(ours, provider, "switch")).content.decode()
    page = browser.post(url_of(ours, provider, "switch"), {"enabled": "yes"}, follow=True)
    assert "switched on yet" in unescape(page.content.decode())
    provider.refresh_from_db()
    assert not provider.is_enabled


# --- deleting -------------------------------------------------------------------------------------------------------


def test_says_whom_deleting_locks_out(browser: Client, ours: Furnished, make_guest: Callable[..., User]) -> None:
    google = make_provider(ours)
    offer(ours.flow, google)
    both, only = make_guest(ours.tenant, "both@fabrikam.example"), make_guest(ours.tenant, "only@fabrikam.example")
    only.identities.all().delete()
    for person in (both, only):
        Identity.objects.create(
            tenant=ours.tenant,
            user=person,
            identity_provider=google,
            sign_in_type="federated",
            issuer="google.com",
            issuer_assigned_id=person.mail,
        )
    page = unescape(browser.get(url_of(ours, google, "delete")).content.decode())
    assert "2 people have signed in with it; those who know no other way: 1." in page
    assert f"These live user flows lose it at once: {ours.flow}." in page
    browser.post(url_of(ours, google, "delete"), {"post": "yes"})
    assert not IdentityProvider.objects.filter(pk=google.pk).exists()
    assert Identity.objects.filter(issuer="google.com").count() == 2
    event = AuditEvent.objects.get(activity="identity_provider.deleted")
    assert "GOCSPX" not in str(event.details)


def test_asks_who_is_there_before_deleting(ours: Furnished) -> None:
    google = make_provider(ours)
    browser = browser_of(ours.admin, proven=False)
    for answer in (
        browser.get(url_of(ours, google, "delete")),
        browser.post(url_of(ours, google, "delete"), {"post": "yes"}),
    ):
        assert "step-up" in answer["Location"]
    assert IdentityProvider.objects.filter(pk=google.pk).exists()


def test_never_deletes_the_code_by_mail(browser: Client, ours: Furnished) -> None:
    assert browser.get(url_of(ours, ours.provider, "delete")).status_code == 403
    assert browser.post(url_of(ours, ours.provider, "delete"), {"post": "yes"}).status_code == 403
    assert ours.provider


# --- who may --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", list(Role))
def test_changes_for_the_roles_that_may(ours: Furnished, role: Role, make_admin: Callable[..., User]) -> None:
    rights = PERMISSIONS[role].get("identityprovider", frozenset())
    browser = browser_of(make_admin(ours.tenant, role, mail="one@woodgrove.example"))
    google = make_provider(ours, settings={}, domains=["fabrikam.example"])
    page = browser.get(url_of(ours, google))
    assert page.status_code == (200 if "view" in rights else 403)
    assert b"GOCSPX" not in page.content
    assert (b"fabrikam.example" in page.content) == ("view" in rights)
    assert (b"<input" in page.content and b'name="client_id"' in page.content) == ("change" in rights)
    for path, fields in {
        url_of(ours, google): {"name": "x", **GOOGLE},
        url_of(ours, google, "switch"): {"enabled": "no"},
        f"{list_url(ours)}add/": {"kind": "GitHub", "name": "y"},
        url_of(ours, google, "delete"): {"post": "yes"},
    }.items():
        assert (browser.post(path, fields).status_code == 302) == ("change" in rights), path
    assert IdentityProvider.objects.filter(pk=google.pk).exists() == ("change" not in rights)


def test_knows_none_of_another_tenant(browser: Client, ours: Furnished, theirs: Furnished) -> None:
    google = make_provider(theirs)
    for page in ("change", "switch", "delete", "test", "test/result", "metadata"):
        url = f"{list_url(ours)}{google.pk}/{page}/"
        assert browser.post(url, {"name": "Taken", "enabled": "no", "post": "yes"}).status_code in (302, 404, 405)
        assert browser.get(url).status_code in (302, 404, 405)
    google.refresh_from_db()
    assert (google.is_enabled, google.name) == (True, "Google")
    assert browser.post(f"{list_url(ours)}not-a-uuid/change/", {"name": "x"}).status_code in (302, 404)


@pytest.mark.parametrize("page", ["change", "metadata", "switch"])
def test_asks_for_the_second_factor_again_before_saying_whose_word_counts(ours: Furnished, page: str) -> None:
    provider = make_provider(ours, "Saml", is_enabled=page != "switch")
    unproven = browser_of(ours.admin, proven=False)
    answer = unproven.post(url_of(ours, provider, page), {"enabled": "yes", "name": "Mine", "text": "<x/>"})
    assert answer.status_code == 302
    assert "/step-up/" in answer["Location"]
    provider.refresh_from_db()
    assert (provider.name, provider.is_enabled) == ("SAML 2.0", page != "switch")


def test_asks_for_no_second_factor_before_a_draft_is_changed(ours: Furnished) -> None:
    provider = make_provider(ours, "Saml", is_enabled=False)
    answer = browser_of(ours.admin, proven=False).post(url_of(ours, provider), {"name": "Partner"})
    assert "/step-up/" not in answer.get("Location", "")
