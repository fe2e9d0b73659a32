"""What people do to journeys: two tabs, the back button, double clicks, other browsers, giving up."""

import threading
from collections.abc import Callable
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from directory.models import AuditEvent, Identity, Tenant, User
from tests.relying_party import RelyingParty
from tests.stranger import Stranger
from userflows.models import Journey, UserFlow

ANSWERS = {"GivenName": "Amina", "Surname": "Haddad"}


def test_shows_how_things_stand_when_an_old_page_is_sent(relying_party: RelyingParty, stranger: Stranger) -> None:
    stranger.open(relying_party.request_url())
    first_page, first_path = stranger.hidden_fields(), stranger.path
    stranger.give_email().give_code()
    stale = stranger.http.post(first_path, first_page | {"email": "evil@example.com"})
    assert stale.status_code == 302
    assert Journey.objects.get().facts["mail_proven"] == stranger.email


def test_lets_the_back_button_change_the_address_until_it_is_proven(
    relying_party: RelyingParty, stranger: Stranger
) -> None:
    stranger.open(relying_party.request_url()).give_email()
    choose = stranger.path.replace("email_code", "choose")
    assert stranger.open(choose).step == "choose"
    assert stranger.email in stranger.html
    stranger.open(stranger.path.replace("choose", "email_code")).give_code()
    assert stranger.open(choose).step == "attributes"


def test_does_not_skip_steps(relying_party: RelyingParty, stranger: Stranger) -> None:
    stranger.open(relying_party.request_url())
    fields = stranger.hidden_fields()
    for step in ("email_code", "attributes"):
        path = stranger.path.replace("choose", step)
        assert Stranger(http=stranger.http).open(path).step == "choose"
        assert stranger.http.post(path, fields | ANSWERS | {"code": "12345678"}).status_code == 302
    assert User.objects.count() == 0


def test_keeps_two_tabs_apart(relying_party: RelyingParty, stranger: Stranger) -> None:
    other_tab = Stranger(email="second@fabrikam.example", http=stranger.http)
    stranger.open(relying_party.request_url(state="one")).give_email()
    other_tab.open(relying_party.request_url(state="two")).give_email()
    stranger.give_code().submit(**ANSWERS)
    other_tab.give_code().submit(GivenName="Second", Surname="Tab")
    assert relying_party.answer(stranger.left_to)["state"] == "one"
    assert relying_party.answer(other_tab.left_to)["state"] == "two"
    assert set(User.objects.values_list("mail", flat=True)) == {stranger.email, other_tab.email}


def test_makes_one_guest_of_one_person_in_two_tabs(relying_party: RelyingParty, stranger: Stranger) -> None:
    other_tab = Stranger(http=stranger.http)
    stranger.open(relying_party.request_url()).give_email().give_code()
    other_tab.open(relying_party.request_url()).give_email().give_code()
    stranger.submit(**ANSWERS)
    other_tab.submit(GivenName="Again", Surname="Again")
    assert other_tab.left_to.startswith(relying_party.redirect_uri)
    assert User.objects.get().given_name == "Amina"


def test_makes_one_guest_of_a_double_click(relying_party: RelyingParty, stranger: Stranger) -> None:
    stranger.open(relying_party.request_url()).give_email().give_code()
    path, fields = stranger.path, stranger.hidden_fields() | ANSWERS
    assert stranger.http.post(path, fields).status_code == 302
    stranger._follow(stranger.http.post(path, fields), path)
    assert stranger.left_to.startswith(relying_party.redirect_uri)
    assert (User.objects.count(), Identity.objects.count()) == (1, 1)


@pytest.mark.django_db(transaction=True)
def test_makes_one_guest_of_eight_parallel_posts(relying_party: RelyingParty, stranger: Stranger) -> None:
    stranger.open(relying_party.request_url()).give_email().give_code()
    path, fields = stranger.path, stranger.hidden_fields() | ANSWERS
    barrier, statuses = threading.Barrier(8), []

    def post() -> None:
        browser = Client(raise_request_exception=False)
        browser.cookies = stranger.http.cookies
        barrier.wait()
        statuses.append(browser.post(path, fields).status_code)
        connection.close()

    threads = [threading.Thread(target=post) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [302] * 8
    assert (User.objects.count(), Identity.objects.count()) == (1, 1)
    assert AuditEvent.objects.filter(activity="user.signed_up").count() == 1
    stranger.open(path)
    assert stranger.left_to.startswith(relying_party.redirect_uri)


def test_belongs_to_the_browser_that_began_it(relying_party: RelyingParty, stranger: Stranger) -> None:
    stranger.open(relying_party.request_url()).give_email()
    thief = Stranger()
    thief.open(stranger.path)
    assert thief.page.status_code == 404
    assert stranger.email not in thief.html
    thief.open(relying_party.request_url())  # now with a browser cookie of its own
    thief.open(stranger.path)
    assert thief.page.status_code == 404


def test_is_unknown_to_another_tenant(
    relying_party: RelyingParty, stranger: Stranger, make_tenant: Callable[..., Tenant]
) -> None:
    make_tenant("fourthcoffee")
    stranger.open(relying_party.request_url())
    cookie = stranger.http.cookies["portal_browser"].value
    elsewhere = Client()
    elsewhere.cookies["portal_browser"] = cookie
    response = elsewhere.get(stranger.path.replace("/woodgrove/", "/fourthcoffee/"))
    assert response.status_code == 404


def test_says_so_when_it_has_expired(relying_party: RelyingParty, stranger: Stranger) -> None:
    stranger.open(relying_party.request_url()).give_email()
    Journey.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    stranger.give_code()
    assert stranger.page.status_code == 410
    assert str(Journey.objects.get().correlation_id) in stranger.html
    assert "oauth2/v2.0/authorize" in stranger.html
    assert User.objects.count() == 0


def test_cancelling_tells_the_application(relying_party: RelyingParty, stranger: Stranger) -> None:
    stranger.open(relying_party.request_url()).give_email()
    journey = Journey.objects.get()
    response = stranger.http.post(f"/woodgrove/journey/{journey.pk}/cancel/", stranger.hidden_fields())
    answer = parse_qs(urlsplit(response["Location"]).query)
    assert response["Location"].startswith(relying_party.redirect_uri)
    assert answer["error"] == ["access_denied"]
    assert answer["state"] == [relying_party.state]
    assert answer["iss"] == ["http://testserver/woodgrove/v2.0"]
    assert Journey.objects.count() == 0


def test_signs_in_once_and_not_again_after_signing_out(relying_party: RelyingParty, stranger: Stranger) -> None:
    stranger.sign_up(relying_party.request_url(), **ANSWERS)
    journey = Journey.objects.get()
    browser_cookie = stranger.http.cookies["portal_browser"].value
    answer = relying_party.redeem(relying_party.answer(stranger.left_to)["code"]).json()
    stranger.open(f"/woodgrove/oauth2/v2.0/logout?id_token_hint={answer['id_token']}")
    stranger.open(f"/woodgrove/journey/{journey.pk}/")
    assert stranger.page.status_code == 404
    # Even a browser that kept the cookie: a minute later the journey opens nothing any more.
    stranger.http.cookies["portal_browser"] = browser_cookie
    Journey.objects.update(signed_in_at=timezone.now() - timedelta(minutes=2))
    stranger.open(f"/woodgrove/journey/{journey.pk}/")
    assert stranger.page.status_code == 410


def test_goes_on_with_the_questions_it_began_with(
    relying_party: RelyingParty, stranger: Stranger, user_flow: UserFlow
) -> None:
    stranger.open(relying_party.request_url()).give_email().give_code()
    user_flow.attribute_assignments.all().delete()
    stranger.submit(**ANSWERS)
    assert User.objects.get().surname == "Haddad"


def test_needs_no_questions(
    tenant: Tenant,
    make_user_flow: Callable[..., UserFlow],
    make_relying_party: Callable[..., RelyingParty],
    stranger: Stranger,
) -> None:
    flow = make_user_flow(tenant, name="Newsletter", questions=())
    party = make_relying_party(tenant, flow)
    party.answer(stranger.sign_up(party.request_url()))
    assert User.objects.get().display_name == stranger.email


def test_refuses_forms_without_the_csrf_token(relying_party: RelyingParty, stranger: Stranger) -> None:
    stranger.open(relying_party.request_url())
    response = stranger.http.post(stranger.path, {"version": "0", "email": stranger.email})
    assert response.status_code == 403
    assert Journey.objects.get().facts.get("mail") is None
