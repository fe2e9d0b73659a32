"""Sign-out that an application asks for (OpenID Connect RP-Initiated Logout 1.0)."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client

from directory.models import AuditEvent, Session, Tenant
from tests.oidc.browsing import ANSWERS, assert_error_page, code_for, tokens_for
from tests.oidc.forging import forged, kid_of
from tests.relying_party import RelyingParty
from tests.stranger import Stranger
from userflows.models import UserFlow

PATH = "/woodgrove/oauth2/v2.0/logout"
DONE = "/woodgrove/oauth2/v2.0/logout/done"
RETURN_TO = "https://app.example.com/signed-out"


@pytest.fixture
def hint(relying_party: RelyingParty, stranger: Stranger) -> str:
    """An ID token of the person who is signed in."""
    return str(tokens_for(relying_party, stranger)["id_token"])


def is_signed_in(person: Stranger, relying_party: RelyingParty) -> bool:
    person.open(relying_party.request_url(prompt="none"))
    return "code" in relying_party.answer(person.left_to)


def ask(person: Stranger, **parameters: str) -> Any:
    return person.http.get(f"{PATH}?{urlencode(parameters)}")


def confirm(person: Stranger) -> Any:
    """Press the one button of the page that was shown last."""
    return person.http.post(f"{PATH}/confirm", person.hidden_fields() | all_hidden_fields(person))


def all_hidden_fields(person: Stranger) -> dict[str, str]:
    context = person.page.context["hidden_fields"]
    return {str(name): str(value) for name, value in context.items()}


@pytest.mark.parametrize("flow", ["", "/B2X_1_Suppliers"])
def test_signs_out_at_once_who_the_hint_names(
    relying_party: RelyingParty, stranger: Stranger, hint: str, flow: str
) -> None:
    url = PATH.replace("/oauth2", f"{flow}/oauth2")
    query = {"id_token_hint": hint, "post_logout_redirect_uri": RETURN_TO, "state": "a b&c"}
    response = stranger.http.get(f"{url}?{urlencode(query)}")
    assert response.status_code == 302
    assert response["Location"] == f"{RETURN_TO}?state=a+b%26c"
    assert not is_signed_in(stranger, relying_party)
    assert not Session.objects.exclude(user=None).exists()


def test_signs_out_by_post(relying_party: RelyingParty, stranger: Stranger, hint: str) -> None:
    response = stranger.http.post(PATH, {"id_token_hint": hint, "post_logout_redirect_uri": RETURN_TO, "foo": "bar"})
    # The browser sends its SameSite cookies only when it follows with GET.
    assert response.status_code == 303
    assert response["Location"].startswith(f"{PATH}?")
    stranger.open(response["Location"])
    assert stranger.left_to == RETURN_TO
    assert not is_signed_in(stranger, relying_party)


def test_leads_to_a_page_of_its_own_without_a_redirect_uri(stranger: Stranger, hint: str) -> None:
    response = ask(stranger, id_token_hint=hint, state="s")
    assert response["Location"] == DONE
    assert stranger.http.get(DONE).status_code == 200


def test_asks_the_person_when_there_is_no_hint(relying_party: RelyingParty, stranger: Stranger, hint: str) -> None:
    client_id = relying_party.application.client_id
    stranger.open(f"{PATH}?{urlencode({'client_id': client_id, 'post_logout_redirect_uri': RETURN_TO, 'state': 's'})}")
    assert stranger.page.status_code == 200
    assert "form-action 'self' https://app.example.com" in stranger.page["Content-Security-Policy"]
    assert is_signed_in(stranger, relying_party)
    stranger.open(f"{PATH}?{urlencode({'client_id': client_id, 'post_logout_redirect_uri': RETURN_TO, 'state': 's'})}")
    response = confirm(stranger)
    assert response["Location"] == f"{RETURN_TO}?state=s"
    assert not is_signed_in(stranger, relying_party)


def test_asks_the_person_when_nothing_is_said_at_all(
    relying_party: RelyingParty, stranger: Stranger, hint: str
) -> None:
    stranger.open(PATH)
    assert confirm(stranger)["Location"] == DONE
    assert not is_signed_in(stranger, relying_party)


def test_asks_the_person_when_the_hint_names_somebody_else(
    relying_party: RelyingParty, stranger: Stranger, hint: str
) -> None:
    other = Stranger(email="other@fabrikam.example")
    foreign_hint = tokens_for(relying_party, other)["id_token"]
    stranger.open(f"{PATH}?{urlencode({'id_token_hint': foreign_hint})}")
    assert stranger.page.status_code == 200
    assert is_signed_in(stranger, relying_party)


def test_asks_with_a_page_that_only_its_own_form_can_answer(
    relying_party: RelyingParty, stranger: Stranger, hint: str
) -> None:
    for fields in ({}, {"csrfmiddlewaretoken": "x" * 64}, {"id_token_hint": hint}):
        assert stranger.http.post(f"{PATH}/confirm", fields).status_code == 403
    assert stranger.http.get(f"{PATH}/confirm").status_code == 405
    assert is_signed_in(stranger, relying_party)


def test_checks_again_what_the_form_sends(relying_party: RelyingParty, stranger: Stranger, hint: str) -> None:
    stranger.open(PATH)
    fields = stranger.hidden_fields() | {
        "client_id": relying_party.application.client_id,
        "post_logout_redirect_uri": "https://evil.example/",
    }
    assert_error_page(stranger.http.post(f"{PATH}/confirm", fields), "OIDC-1201")
    assert is_signed_in(stranger, relying_party)


@pytest.mark.parametrize(
    "uri",
    [
        f"{RETURN_TO}/",
        "https://app.example.com/",
        "https://app.example.com/signin-oidc",
        "https://evil.example/signed-out",
        "https://app.example.com@evil.example/signed-out",
        "//evil.example",
        "javascript:alert(1)",
        f"{RETURN_TO}\r\nX: y",
        f"{RETURN_TO}\x00",
    ],
)
def test_never_redirects_to_a_uri_that_is_not_registered(
    relying_party: RelyingParty, stranger: Stranger, hint: str, uri: str
) -> None:
    for named in ({"id_token_hint": hint}, {"client_id": relying_party.application.client_id}):
        assert_error_page(ask(stranger, post_logout_redirect_uri=uri, **named), "OIDC-1")
    assert is_signed_in(stranger, relying_party)


def test_needs_to_know_the_application_to_redirect(stranger: Stranger, hint: str) -> None:
    for person in (stranger, Stranger()):
        assert_error_page(ask(person, post_logout_redirect_uri=RETURN_TO), "OIDC-1201")


def test_knows_no_other_client(relying_party: RelyingParty, stranger: Stranger, hint: str) -> None:
    assert_error_page(ask(stranger, client_id="nobody"), "OIDC-1102")
    assert_error_page(ask(stranger, client_id="nobody", post_logout_redirect_uri=RETURN_TO), "OIDC-1102")
    assert is_signed_in(stranger, relying_party)


def test_refuses_a_hint_of_another_client(
    tenant: Tenant,
    user_flow: UserFlow,
    relying_party: RelyingParty,
    make_relying_party: Callable[..., RelyingParty],
    stranger: Stranger,
    hint: str,
) -> None:
    other = make_relying_party(tenant, user_flow).application.client_id
    assert_error_page(ask(stranger, id_token_hint=hint, client_id=other), "OIDC-1202")
    assert ask(stranger, id_token_hint=hint, client_id=relying_party.application.client_id).status_code == 302


def test_refuses_a_hint_that_was_not_issued_here(relying_party: RelyingParty, stranger: Stranger, hint: str) -> None:
    claims = relying_party.verified(hint)
    kid = kid_of(hint)
    access_token = tokens_for(relying_party, stranger)["access_token"]
    hints = (
        forged({"typ": "JWT", "alg": "none", "kid": kid}, claims),
        f"{hint[:-6]}AAAAAA",
        access_token,
        "x",
        "a.b.c",
        "☃",
    )
    for forgery in hints:
        assert_error_page(ask(stranger, id_token_hint=forgery), "OIDC-1202")
    assert is_signed_in(stranger, relying_party)


def test_refuses_a_hint_of_another_tenant(
    relying_party: RelyingParty,
    stranger: Stranger,
    make_tenant: Callable[..., Tenant],
    make_user_flow: Callable[..., UserFlow],
    make_relying_party: Callable[..., RelyingParty],
) -> None:
    globex = make_tenant("globex")
    foreign_hint = tokens_for(make_relying_party(globex, make_user_flow(globex)), Stranger())["id_token"]
    code_for(relying_party, stranger)
    assert_error_page(ask(stranger, id_token_hint=foreign_hint), "OIDC-1202")
    assert is_signed_in(stranger, relying_party)


def test_returns_who_was_not_signed_in_any_more(relying_party: RelyingParty, hint: str) -> None:
    response = ask(Stranger(), id_token_hint=hint, post_logout_redirect_uri=RETURN_TO, state="s")
    assert response["Location"] == f"{RETURN_TO}?state=s"
    assert not AuditEvent.objects.filter(activity="user.signed_out").exists()


def test_writes_down_who_signed_out_of_what(relying_party: RelyingParty, stranger: Stranger, hint: str) -> None:
    ask(stranger, id_token_hint=hint)
    event = AuditEvent.objects.get(activity="user.signed_out")
    assert event.actor_id == relying_party.verified(hint)["sub"]
    assert event.target_id == str(relying_party.application.pk)


def test_leaves_other_browsers_signed_in(relying_party: RelyingParty, stranger: Stranger, hint: str) -> None:
    phone = Stranger(email=stranger.email)
    code_for(relying_party, phone)
    ask(stranger, id_token_hint=hint)
    assert is_signed_in(phone, relying_party)


def test_lets_no_finished_journey_sign_in_again(relying_party: RelyingParty, stranger: Stranger) -> None:
    """The back button after signing out, on a computer that others use too."""
    stranger.open(relying_party.request_url()).give_email().give_code()
    journey = f"/woodgrove/journey/{stranger.path.split('/')[3]}/"
    stranger.submit(**ANSWERS)
    tokens = relying_party.redeem(relying_party.answer(stranger.left_to)["code"]).json()
    assert stranger.http.get(journey).status_code == 302
    ask(stranger, id_token_hint=tokens["id_token"])
    for path in (journey, f"{journey}attributes/", f"{journey}email_code/", f"{journey}choose/"):
        stranger.open(path)
        assert (stranger.left_to, stranger.page.status_code) == ("", 404)
    assert not is_signed_in(stranger, relying_party)


def test_opens_no_old_session_with_its_cookie(relying_party: RelyingParty, stranger: Stranger, hint: str) -> None:
    kept = {name: morsel.value for name, morsel in stranger.http.cookies.items()}
    ask(stranger, id_token_hint=hint)
    thief = Stranger()
    thief.http.cookies.load(kept)
    assert not is_signed_in(thief, relying_party)


@pytest.mark.parametrize("method", ["put", "delete"])
def test_answers_only_get_and_post(relying_party: RelyingParty, method: str) -> None:
    assert getattr(Client(), method)(PATH).status_code == 405
