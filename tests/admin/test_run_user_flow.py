"""“Run user flow”: an administrator tries a flow, draft or live, and sees the tokens. Nobody else can use it."""

import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.conf import settings
from django.core import mail
from django.test import Client
from django.utils import timezone

from directory.models import Application, AuditEvent, Identity, Session, User, UserAttribute
from directory.roles import Role
from directory.session_store import SessionStore
from identity_portal.oidc.models import AccessToken, Grant
from identity_portal.oidc.run import built_in_client_id
from tests.admin.conftest import Furnished, browser_of
from tests.relying_party import RelyingParty
from tests.stranger import Stranger
from userflows.models import AttributeAssignment, Journey, SignIn, SignUp, UserFlow

pytestmark = pytest.mark.any_database

MAIL = "ada+test@fabrikam.example"


def run_url(furnished: Furnished) -> str:
    return f"{furnished.admin_url}userflows/userflow/{furnished.flow.pk}/run/"


def runner_of(browser: Client, email: str = MAIL) -> Stranger:
    return Stranger(email=email, http=browser)


def start(browser: Client, ours: Furnished, **chosen: str) -> str:
    """Choose what to run, and return the authorization request."""
    response = browser.post(run_url(ours), {"definition": "live", **chosen})
    assert response.status_code == 302, response.content.decode()
    return str(response["Location"])


def finish(runner: Stranger, ours: Furnished, **answers: str) -> str:
    """Sign up on the hosted pages, and return the page on which the run ends."""
    given = {"GivenName": "Amina", ours.attribute.name: "Blue", **answers}
    runner.give_email().give_code().submit(**given)
    assert runner.page.status_code == 200
    assert urlsplit(runner.path).path.startswith(run_url(ours)), runner.path
    return unescape(runner.html)


def claims_on(page: str, heading: str) -> dict[str, str]:
    table = page.split(f'aria-labelledby="{heading}"')[1].split("</section>")[0]
    rows = re.findall(r'<code>([^<]+)</code></th>\s*<td class="claim-value">([^<]*)</td>', table)
    return dict(rows)


def refused(reason: str) -> bool:
    event = AuditEvent.objects.filter(activity="user_flow_run.refused").order_by("at").last()
    return event is not None and event.reason == reason


@pytest.fixture
def runner(browser: Client) -> Stranger:
    return runner_of(browser)


def test_runs_the_live_version_to_the_decoded_tokens(browser: Client, ours: Furnished, runner: Stranger) -> None:
    url = start(browser, ours)
    query = parse_qs(urlsplit(url).query)
    assert urlsplit(url).path == f"/woodgrove/{ours.flow.name}/oauth2/v2.0/authorize"
    assert {"state", "nonce", "code_challenge"} <= set(query)
    runner.open(url)
    assert runner.step == "choose"
    page = finish(runner, ours)
    person = User.objects.get(mail=MAIL)
    claims = claims_on(page, "id-token")
    assert (claims["sub"], claims["given_name"], claims[ours.attribute.name]) == (str(person.pk), "Amina", "Blue")
    assert claims["iss"] == f"http://testserver/woodgrove/{ours.flow.name}/v2.0"
    assert (claims["tfp"], claims["email"], claims["amr"]) == (ours.flow.name, MAIL, '["otp"]')
    assert claims["nonce"] == query["nonce"][0]
    assert claims_on(page, "access-token")["scope"] == "openid profile email"
    assert page.count("badge-success") == 5
    assert "badge-failure" not in page
    assert "The account was created" in page
    assert AuditEvent.objects.get(activity="user_flow.run").actor_id == str(ours.admin.pk)


def test_makes_a_test_user_whom_nothing_counts(browser: Client, ours: Furnished, runner: Stranger) -> None:
    finish(runner.open(start(browser, ours)), ours)
    person = User.objects.get(mail=MAIL)
    assert person.is_test
    assert SignIn.objects.get(user=person).is_test
    assert Journey.objects.get(user=person).is_test
    # The tokens ended with the page that shows them.
    assert not AccessToken.objects.filter(user=person).exists()
    assert not Grant.objects.filter(user=person).exists()


def test_signs_nobody_in_and_nobody_out(browser: Client, ours: Furnished, runner: Stranger) -> None:
    sessions = set(Session.objects.values_list("pk", "user_id"))
    finish(runner.open(start(browser, ours)), ours)
    assert set(Session.objects.values_list("pk", "user_id")) == sessions
    assert browser.get(ours.admin_url).status_code == 200
    assert ours.admin.mail in browser.get(run_url(ours)).content.decode()


def test_runs_the_draft_without_publishing_it(browser: Client, ours: Furnished, runner: Stranger) -> None:
    job_title = UserAttribute.objects.get(tenant=ours.tenant, name="JobTitle")
    AttributeAssignment.objects.create(user_flow=ours.flow, user_attribute=job_title, order=9)
    UserFlow.objects.filter(pk=ours.flow.pk).update(heading="Only in the draft")
    runner.open(start(browser, ours, definition="draft"))
    assert "Only in the draft" in runner.html
    page = finish(runner, ours, JobTitle="Buyer")
    assert claims_on(page, "id-token")["jobTitle"] == "Buyer"
    assert SignUp.objects.get(user__mail=MAIL).flow_version is None
    # The live version is as it was.
    live = runner_of(browser, "other@fabrikam.example")
    assert "Only in the draft" not in live.open(start(browser, ours)).html
    assert "jobTitle" not in claims_on(finish(live, ours), "id-token")


def test_runs_a_flow_that_was_never_published(browser: Client, ours: Furnished, runner: Stranger) -> None:
    UserFlow.objects.filter(pk=ours.flow.pk).update(live_version=None)
    assert "Live: version" not in browser.get(run_url(ours)).content.decode()
    assert browser.post(run_url(ours), {"definition": "live"}).status_code == 200
    runner.open(start(browser, ours, definition="draft"))
    assert "The sign-up worked" in finish(runner, ours)


def test_speaks_as_the_application_that_was_chosen(
    browser: Client, ours: Furnished, theirs: Furnished, runner: Stranger
) -> None:
    runner.open(start(browser, ours, application=str(ours.application.pk)))
    assert ours.application.name in runner.html
    finish(runner, ours)
    assert SignUp.objects.get(user__mail=MAIL).application == ours.application
    foreign = browser.post(run_url(ours), {"definition": "live", "application": str(theirs.application.pk)})
    assert foreign.status_code == 200


def test_says_on_every_page_that_it_is_a_test(browser: Client, ours: Furnished, runner: Stranger) -> None:
    banner = "Test run: whom you sign up here is a test user"
    pages = [runner.open(start(browser, ours)).html, runner.give_email().html]
    pages += [runner.submit(code="00000000").html, runner.give_code().html]
    assert all(banner in page for page in pages)
    taken = runner_of(browser, ours.guest.mail)
    assert banner in taken.open(start(browser, ours)).give_email().give_code().html
    assert banner not in Stranger().open("/woodgrove/nowhere").html


def test_touches_no_account_that_is_in_use(browser: Client, ours: Furnished, runner: Stranger) -> None:
    runner.email = ours.guest.mail
    runner.open(start(browser, ours)).give_email().give_code()
    assert runner.page.status_code == 409
    assert "This address has an account already" in runner.html
    ours.guest.refresh_from_db()
    assert not ours.guest.is_test
    # The way on leads to the first page of the same run.
    link = re.search(r'<a class="btn" href="([^"]+)"', runner.html)
    assert link
    runner.email = MAIL
    assert "The sign-up worked" in finish(runner.open(unescape(link[1])), ours)


def test_shows_a_fresh_sign_up_to_who_comes_back(browser: Client, ours: Furnished, runner: Stranger) -> None:
    finish(runner.open(start(browser, ours)), ours)
    first = User.objects.get(mail=MAIL)
    page = finish(runner.open(start(browser, ours)), ours, GivenName="Berta")
    second = User.objects.get(mail=MAIL)
    assert second.pk != first.pk
    assert claims_on(page, "id-token")["given_name"] == "Berta"
    assert AuditEvent.objects.get(activity="test_user.deleted").target_id == str(first.pk)


def test_makes_a_real_guest_of_a_test_user_who_signs_up_for_real(
    browser: Client, ours: Furnished, runner: Stranger
) -> None:
    finish(runner.open(start(browser, ours)), ours)
    relying_party = RelyingParty(ours.application, ours.secret, "/woodgrove")
    stranger = Stranger(email=MAIL)
    stranger.sign_up(relying_party.request_url(), **{"GivenName": "Amina", ours.attribute.name: "Blue"})
    person = User.objects.get(mail=MAIL)
    assert not person.is_test
    assert Identity.objects.get(issuer_assigned_id=MAIL).user == person
    assert relying_party.redeem(relying_party.answer(stranger.left_to)["code"]).status_code == 200


def test_gives_a_test_user_no_session(browser: Client, ours: Furnished, runner: Stranger) -> None:
    finish(runner.open(start(browser, ours)), ours)
    relying_party = RelyingParty(ours.application, ours.secret, "/woodgrove")
    theirs = Stranger(http=browser_of(User.objects.get(mail=MAIL), methods=("otp",)))
    assert theirs.open(relying_party.request_url()).step == "choose"


def test_gives_a_test_user_no_token_for_an_application(browser: Client, ours: Furnished, runner: Stranger) -> None:
    """A code that came to be in some other way is worth nothing."""
    relying_party = RelyingParty(ours.application, ours.secret, "/woodgrove")
    url = Stranger(email="b@fabrikam.example").sign_up(
        relying_party.request_url(), **{"GivenName": "B", ours.attribute.name: "Blue"}
    )
    User.objects.filter(mail="b@fabrikam.example").update(is_test=True)
    assert relying_party.redeem(relying_party.answer(url)["code"]).status_code == 400


def test_asks_nothing_of_switches_and_pauses(browser: Client, ours: Furnished, runner: Stranger) -> None:
    type(ours.tenant).objects.filter(pk=ours.tenant.pk).update(sign_up_enabled=False)
    UserFlow.objects.filter(pk=ours.flow.pk).update(sign_up_enabled=False)
    assert "The sign-up worked" in finish(runner.open(start(browser, ours)), ours)


def test_tells_why_a_claim_is_missing(browser: Client, ours: Furnished, runner: Stranger) -> None:
    AttributeAssignment.objects.filter(user_flow=ours.flow).update(required=False)
    runner.open(start(browser, ours, definition="draft"))
    page = finish(runner, ours, **{ours.attribute.name: ""})
    assert f"The question “{ours.attribute.display_name}” was left open." in page
    assert "The user flow doesn't ask for “Job title”." in page


def test_ends_when_it_is_cancelled(browser: Client, ours: Furnished, runner: Stranger) -> None:
    runner.open(start(browser, ours))
    journey = Journey.objects.get()
    runner._follow(browser.post(f"/woodgrove/journey/{journey.pk}/cancel/", runner.hidden_fields()), "")
    assert "You cancelled the run." in runner.html


def test_mails_the_code_and_shows_it_nowhere(browser: Client, ours: Furnished, runner: Stranger) -> None:
    runner.open(start(browser, ours)).give_email()
    assert [letter.to for letter in mail.outbox] == [[MAIL]]
    assert runner.code() not in runner.html


# --- Who may not ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", list(Role))
def test_runs_for_whoever_may_change_the_flow(ours: Furnished, role: Role, make_admin: Callable[..., User]) -> None:
    may_run = role in (Role.GLOBAL_ADMINISTRATOR, Role.USER_ADMINISTRATOR, Role.USER_FLOW_ADMINISTRATOR)
    browser = browser_of(make_admin(ours.tenant, role, mail="one@woodgrove.example"))
    assert browser.get(run_url(ours)).status_code == (200 if may_run else 403)
    assert browser.post(run_url(ours), {"definition": "live"}).status_code == (302 if may_run else 403)


def test_knows_no_flow_of_another_tenant(browser: Client, ours: Furnished, theirs: Furnished) -> None:
    url = f"{ours.admin_url}userflows/userflow/{theirs.flow.pk}/run/"
    assert browser.get(url).status_code == 404
    assert browser.post(url, {"definition": "live"}).status_code == 404


def test_refuses_the_test_client_to_strangers(browser: Client, ours: Furnished) -> None:
    url = start(browser, ours)
    stranger = Stranger().open(url)
    assert stranger.page.status_code == 403
    assert "This test run can't go on" in unescape(stranger.html)
    assert refused("nobody_signed_in")
    assert not Journey.objects.exists()


def test_refuses_another_administrators_run(browser: Client, ours: Furnished, make_admin: Any) -> None:
    url = start(browser, ours)
    other = browser_of(make_admin(ours.tenant, Role.GLOBAL_ADMINISTRATOR, mail="other@woodgrove.example"))
    assert other.get(url).status_code == 403
    assert refused("run_unknown")


def test_refuses_another_browser_of_the_same_administrator(browser: Client, ours: Furnished) -> None:
    assert browser_of(ours.admin).get(start(browser, ours)).status_code == 403
    assert refused("run_unknown")


def test_refuses_another_tenants_run(browser: Client, ours: Furnished, theirs: Furnished) -> None:
    url = start(browser, ours)
    browser_of(theirs.admin).get(f"{run_url(theirs)}")
    foreign = url.replace("/woodgrove/", "/globex/").replace(ours.flow.name, theirs.flow.name)
    assert browser_of(theirs.admin).get(foreign).status_code == 400
    start(browser_of(theirs.admin), theirs)
    mixed = foreign.replace(built_in_client_id(ours.tenant.pk), built_in_client_id(theirs.tenant.pk))
    mixed = mixed.replace("%2Fwoodgrove%2F", "%2Fglobex%2F")
    assert browser_of(theirs.admin).get(mixed).status_code == 403


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        ("portal_run=", "portal_run=x", "run_unknown"),
        ("&portal_run=", "&other=", "run_unknown"),
        ("scope=openid+profile+email", "scope=openid+profile+email+offline_access", "request_changed"),
        ("&state=", "&max_age=0&state=", "request_changed"),
    ],
)
def test_refuses_what_was_changed_by_hand(
    browser: Client, ours: Furnished, before: str, after: str, reason: str
) -> None:
    url = start(browser, ours)
    assert before in url
    assert browser.get(url.replace(before, after)).status_code == 403
    assert refused(reason)


def test_refuses_the_run_of_another_flow(browser: Client, ours: Furnished, make_user_flow: Any) -> None:
    url = start(browser, ours)
    other = make_user_flow(ours.tenant, "Other")
    assert browser.get(url.replace(ours.flow.name, other.name)).status_code == 403
    assert refused("request_changed")


def test_refuses_a_run_that_expired(browser: Client, ours: Furnished, monkeypatch: pytest.MonkeyPatch) -> None:
    url = start(browser, ours)
    monkeypatch.setattr("identity_portal.oidc.run.LIFETIME_SECONDS", 0)
    assert browser.get(url).status_code == 403
    assert refused("run_over")


def test_refuses_whose_role_was_taken_away(browser: Client, ours: Furnished, make_admin: Any) -> None:
    url = start(browser, ours)
    ours.admin.role_assignments.update(role=Role.GLOBAL_READER)
    assert browser.get(url).status_code == 403
    assert refused("role_missing")


def test_refuses_a_session_that_is_no_administrators_any_more(browser: Client, ours: Furnished) -> None:
    url = start(browser, ours)
    session = SessionStore(browser.cookies[settings.SESSION_COOKIE_NAME].value, tenant_id=ours.tenant.pk)
    session["amr"] = ["otp"]
    session.save()
    assert browser.get(url).status_code == 403
    assert refused("nobody_signed_in")


def test_answers_a_run_once(browser: Client, ours: Furnished, runner: Stranger) -> None:
    url = start(browser, ours)
    finish(runner.open(url), ours)
    journey = Journey.objects.get()
    for again in (url, journey.return_path):
        assert browser.get(again).status_code == 403
        assert refused("run_over")


def test_takes_no_answer_of_another_journey(browser: Client, ours: Furnished, runner: Stranger) -> None:
    """The completed journey of one run opens no other run."""
    runner.open(start(browser, ours))
    runner.give_email().give_code()
    first = Journey.objects.get()
    runner.http.post(runner.path, runner.hidden_fields() | {"GivenName": "A", ours.attribute.name: "B"})
    assert Journey.objects.get(pk=first.pk).is_completed
    other = start(browser, ours)
    assert browser.get(f"{other}&portal_journey={first.pk}").status_code == 403
    assert refused("journey_unknown")
    Journey.objects.update(completed_at=timezone.now() - timedelta(minutes=2))
    assert browser.get(first.return_path).status_code == 403


def test_takes_no_answer_that_it_did_not_ask_for(browser: Client, ours: Furnished, runner: Stranger) -> None:
    state = parse_qs(urlsplit(start(browser, ours)).query)["state"][0]
    callback = f"{ours.admin_url}userflows/userflow/run/callback/"
    assert browser.get(callback, {"code": "x", "state": "forged"}).status_code == 403
    assert refused("state_unknown")
    issuer = f"http://testserver/woodgrove/{ours.flow.name}/v2.0"
    assert browser.get(callback, {"code": "x", "state": state, "iss": issuer + "x"}).status_code == 403
    assert refused("issuer_unknown")
    forged = browser.get(callback, {"code": "x", "state": state, "iss": issuer}, follow=True)
    assert "invalid_grant" in forged.content.decode()


def test_shows_a_result_to_nobody_else(browser: Client, ours: Furnished, runner: Stranger, make_admin: Any) -> None:
    finish(runner.open(start(browser, ours)), ours)
    assert browser.get(runner.path).status_code == 200
    other = browser_of(make_admin(ours.tenant, Role.GLOBAL_ADMINISTRATOR, mail="other@woodgrove.example"))
    assert other.get(runner.path).status_code == 404


def test_keeps_its_client_out_of_flows(browser: Client, ours: Furnished) -> None:
    start(browser, ours)
    start(browser, ours)
    client = Application.objects.get(client_id=built_in_client_id(ours.tenant.pk))
    assert (client.is_first_party, client.kind) == (True, "spa")
    assert not ours.flow.application_assignments.filter(application=client).exists()


def test_counts_refusals(browser: Client, ours: Furnished, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever guesses at runs doesn't fill the audit log."""
    url = start(browser, ours)
    stranger = Client()
    statuses = [stranger.get(url).status_code for _time in range(31)]
    assert statuses == [403] * 30 + [429]


def test_shows_hostile_names_harmlessly(browser: Client, ours: Furnished, runner: Stranger) -> None:
    runner.open(start(browser, ours)).give_email().give_code()
    runner.submit(**{"GivenName": "<script>alert(1)</script>", ours.attribute.name: "‮⁦evil😀"})
    assert "<script>alert(1)" not in runner.html
    assert "&lt;script&gt;alert(1)" in runner.html
