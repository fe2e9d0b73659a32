"""The sign-in log: each way through a user flow, in words, for those who may read it, and never written by hand."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from directory.models import AuditEvent, User
from directory.roles import Role
from tests.admin.conftest import Furnished, browser_of, make_sign_in
from tests.relying_party import RelyingParty
from tests.stranger import Stranger
from userflows.models import SignIn

ANSWERS = {"GivenName": "Amina", "Surname": "Haddad"}


def listed(browser: Client, ours: Furnished, **query: str) -> list[SignIn]:
    return list(browser.get(f"{ours.admin_url}userflows/signin/", query).context["cl"].result_list)


def page_of(browser: Client, entry: SignIn) -> str:
    page = browser.get(f"/{entry.tenant.slug}/admin/userflows/signin/{entry.pk}/change/")
    assert page.status_code == 200
    return page.content.decode()


@pytest.fixture
def reader(relying_party: RelyingParty, make_admin: Callable[..., User]) -> Client:
    """Somebody who reads the logs of the tenant in which people really sign up."""
    return browser_of(make_admin(relying_party.application.tenant, Role.GLOBAL_READER))


def test_tells_a_sign_up_step_by_step(reader: Client, relying_party: RelyingParty, stranger: Stranger) -> None:
    stranger.email = "Amina@Fabrikam.example"
    stranger.sign_up(relying_party.request_url(), **ANSWERS)
    entry = SignIn.objects.get()
    html = page_of(reader, entry)
    told = (
        "opened the first page",
        "A code was sent there.",
        "the address is proven",
        "Answered the questions.",
        "The account was created",
        "user.signed_up",
        "Signed up",
        "amina@fabrikam.example",
        str(entry.correlation_id),
    )
    for words in told:
        assert words in html, words
    assert html.index("opened the first page") < html.index("user.signed_up")
    assert f"/directory/user/{entry.user_id}/change/" in html
    listing = reader.get("/woodgrove/admin/userflows/signin/?q=fabrikam.example").content.decode()
    assert "B2X_1_Suppliers</a> v1" in listing
    assert str(entry.correlation_id)[:8] in listing


def test_tells_why_somebody_could_not_go_on(reader: Client, relying_party: RelyingParty, stranger: Stranger) -> None:
    tenant = relying_party.application.tenant
    tenant.sign_up_enabled = False
    tenant.save()
    stranger.open(relying_party.request_url()).give_email().give_code()
    entry = SignIn.objects.get()
    html = page_of(reader, entry)
    assert "self-service sign-up is off for the whole tenant" in html
    assert "sign_up.refused" in html
    listing = reader.get("/woodgrove/admin/userflows/signin/?outcome__exact=refused").content.decode()
    assert "self-service sign-up is off for the whole tenant" in listing


def test_shows_the_audit_log_only_to_its_readers(
    ours: Furnished, browser: Client, make_admin: Callable[..., User]
) -> None:
    ours.entry.correlation_id = ours.event.correlation_id
    ours.entry.save()
    assert ours.event.activity in page_of(browser, ours.entry)
    flow_admin = browser_of(make_admin(ours.tenant, Role.USER_FLOW_ADMINISTRATOR))
    assert flow_admin.get(f"{ours.admin_url}userflows/signin/").status_code == 403
    assert flow_admin.get(f"{ours.admin_url}userflows/signin/{ours.entry.pk}/change/").status_code == 403


def test_tells_nothing_of_the_same_id_in_another_tenant(browser: Client, ours: Furnished, theirs: Furnished) -> None:
    ours.entry.correlation_id = theirs.event.correlation_id
    ours.entry.save()
    html = page_of(browser, ours.entry)
    assert str(theirs.event.pk) not in html
    assert theirs.marker not in html


def test_finds_by_person_application_flow_and_ids(browser: Client, ours: Furnished, theirs: Furnished) -> None:
    other = make_sign_in(ours.flow, ours.application, mail="other@x.example", search_text="other@x.example")
    for term in (
        ours.guest.mail.upper(),
        ours.guest.display_name,
        str(ours.guest.pk),
        str(ours.entry.correlation_id),
        str(ours.entry.pk),
        "gu",
    ):
        assert listed(browser, ours, q=term) == [ours.entry], term
    for term in (ours.application.client_id, str(ours.flow.pk)):
        assert set(listed(browser, ours, q=term)) == {ours.entry, other}, term
    assert listed(browser, ours, q=ours.flow.name) == [ours.entry]
    for term in (theirs.application.client_id, str(theirs.flow.pk), theirs.guest.mail, str(theirs.entry.pk)):
        assert listed(browser, ours, q=term) == [], term


def test_filters_by_outcome_flow_application_time_and_test_runs(
    browser: Client, ours: Furnished, theirs: Furnished
) -> None:
    yesterday = timezone.now() - timedelta(days=2)
    old = make_sign_in(ours.flow, ours.application, outcome="refused", reason="code_wrong", started_at=yesterday)
    run = make_sign_in(ours.flow, ours.application, is_test=True, flow_version=None)
    assert listed(browser, ours, outcome__exact="refused") == [old]
    assert old not in listed(browser, ours, since="day")
    assert listed(browser, ours, is_test__exact="1") == [run]
    assert run not in listed(browser, ours, is_test__exact="0")
    assert len(listed(browser, ours, user_flow=str(ours.flow.pk))) == 3
    assert len(listed(browser, ours, application=str(ours.application.pk))) == 3
    for query in ({"user_flow": str(theirs.flow.pk)}, {"application": str(theirs.application.pk)}, {"user_flow": "x"}):
        assert listed(browser, ours, **query) == []
        html = browser.get(f"{ours.admin_url}userflows/signin/", query).content.decode()
        assert theirs.marker not in html
    assert "Test run" in browser.get(f"{ours.admin_url}userflows/signin/").content.decode()


@pytest.mark.parametrize("page", ["add/", "{}/change/", "{}/delete/", ""])
def test_writes_changes_and_deletes_nothing(browser: Client, ours: Furnished, page: str) -> None:
    before = list(SignIn.objects.order_by("pk").values())
    url = f"{ours.admin_url}userflows/signin/{page.format(ours.entry.pk)}"
    forged = {"mail": "forged", "post": "yes", "action": "delete_selected", "_selected_action": str(ours.entry.pk)}
    assert browser.post(url, forged).status_code in (200, 403)
    assert list(SignIn.objects.order_by("pk").values()) == before


def test_stays_readable_when_everything_it_points_to_is_gone(browser: Client, ours: Furnished) -> None:
    SignIn.objects.update(user=None, user_flow=None, flow_version=None, application=None, mail="", reason="gone_code")
    assert "gone_code" in page_of(browser, ours.entry)
    assert browser.get(f"{ours.admin_url}userflows/signin/").status_code == 200


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", "‮evil", "😀" * 80, "=cmd()", "x" * 254])
def test_shows_hostile_names_harmlessly(browser: Client, ours: Furnished, name: str) -> None:
    User.objects.filter(pk=ours.guest.pk).update(display_name=name)
    SignIn.objects.update(mail=name[:254], reason=name[:100])
    for html in (
        page_of(browser, ours.entry),
        browser.get(f"{ours.admin_url}userflows/signin/").content.decode(),
    ):
        assert "<script>alert" not in html


def test_no_page_of_the_log_writes_an_audit_event(browser: Client, ours: Furnished) -> None:
    before = AuditEvent.objects.count()
    page_of(browser, ours.entry)
    listed(browser, ours, q="x")
    assert AuditEvent.objects.count() == before
