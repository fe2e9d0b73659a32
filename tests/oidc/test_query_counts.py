"""How many statements each request costs, and that none costs more as the portal grows.

A savepoint counts as two: outside of tests it is the transaction's BEGIN and COMMIT.
"""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from directory.models import Tenant, User
from identity_portal.oidc.keys import active_key
from tests.oidc.browsing import ANSWERS, tokens_for
from tests.relying_party import RelyingParty
from tests.stranger import Stranger
from userflows.models import UserFlow

COSTS = {
    "discovery": 1,
    "key set": 2,
    "authorize, nobody is signed in": 9,
    "GET choose": 3,
    "POST choose": 15,
    "GET email_code": 2,
    "POST email_code": 14,
    "GET attributes": 5,
    "POST attributes": 26,
    "resume, at the end": 20,
    "authorize, after the journey": 6,
    "authorize, with a session": 6,
    "token, code": 11,
    "token, refresh": 14,
    "token, client credentials": 7,
    "userinfo": 3,
    "revoke": 12,
    "sign out": 8,
}


class Meter:
    """Counts the statements of one request after another."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}

    def measure(self, name: str, send: Callable[[], Any]) -> Any:
        with CaptureQueriesContext(connection) as captured:
            response = send()
        self.counts[name] = len(captured)
        assert response.status_code in (200, 302), response.content
        return response


def measure_all(relying_party: RelyingParty, daemon: RelyingParty, person: Stranger) -> dict[str, int]:
    """Walk through a sign-up, a sign-in with the session, all token requests and the sign-out."""
    meter = Meter()
    active_key(relying_party.application.tenant, relying_party.application.algorithm)
    machine = relying_party.http
    meter.measure("discovery", lambda: machine.get("/woodgrove/v2.0/.well-known/openid-configuration"))
    meter.measure("key set", lambda: machine.get("/woodgrove/discovery/v2.0/keys"))
    url = relying_party.request_url(scope="openid profile email offline_access")
    last = meter.measure("authorize, nobody is signed in", lambda: person.http.get(url))
    steps: tuple[tuple[str, Callable[[], dict[str, str]]], ...] = (
        ("choose", lambda: {"email": person.email}),
        ("email_code", lambda: {"code": person.code()}),
        ("attributes", lambda: ANSWERS),
    )
    for step, answers in steps:
        path = person.http.get(last["Location"])["Location"]
        person.page = meter.measure(f"GET {step}", lambda path=path: person.http.get(path))  # type: ignore[misc]
        form = person.hidden_fields() | answers()
        last = meter.measure(f"POST {step}", lambda path=path, form=form: person.http.post(path, form))  # type: ignore[misc]
    last = meter.measure("resume, at the end", lambda: person.http.get(last["Location"]))
    meter.measure("authorize, after the journey", lambda: person.http.get(last["Location"]))
    last = meter.measure("authorize, with a session", lambda: person.http.get(url))
    code = relying_party.answer(last["Location"])["code"]
    tokens = meter.measure("token, code", lambda: relying_party.redeem(code)).json()
    refreshed = meter.measure("token, refresh", lambda: relying_party.refresh(tokens["refresh_token"])).json()
    meter.measure("token, client credentials", lambda: daemon.post_token(grant_type="client_credentials"))
    meter.measure("userinfo", lambda: relying_party.userinfo(refreshed["access_token"]))
    form = {
        "client_id": relying_party.application.client_id,
        "client_secret": str(relying_party.secret),
        "token": refreshed["refresh_token"],
    }
    meter.measure("revoke", lambda: machine.post("/woodgrove/oauth2/v2.0/revoke", form))
    hint = tokens["id_token"]
    meter.measure("sign out", lambda: person.http.get(f"/woodgrove/oauth2/v2.0/logout?id_token_hint={hint}"))
    return meter.counts


def test_costs_what_it_costs(relying_party: RelyingParty, daemon: RelyingParty, stranger: Stranger) -> None:
    assert measure_all(relying_party, daemon, stranger) == COSTS


@pytest.fixture
def grown_portal(
    tenant: Tenant,
    make_tenant: Callable[..., Tenant],
    make_user_flow: Callable[..., UserFlow],
    make_relying_party: Callable[..., RelyingParty],
) -> None:
    """Twenty more of everything, in this tenant and beside it."""
    for number in range(20):
        for house in (tenant, make_tenant(f"tenant-{number}")):
            make_relying_party(house, make_user_flow(house, f"Flow{number}"), name=f"Application {number}")
            User.objects.create(tenant=house, mail=f"guest{number}@fabrikam.example")


@pytest.mark.usefixtures("grown_portal")
def test_costs_no_more_in_a_portal_that_has_grown(
    relying_party: RelyingParty, daemon: RelyingParty, stranger: Stranger
) -> None:
    for number in range(4):
        tokens_for(relying_party, Stranger(email=f"visitor{number}@fabrikam.example"))
    assert measure_all(relying_party, daemon, stranger) == COSTS


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize(
    "path",
    [
        "v2.0/.well-known/openid-configuration",
        ".well-known/openid-configuration",
        "discovery/v2.0/keys",
        "oauth2/v2.0/token",
        "oauth2/v2.0/revoke",
        "oidc/userinfo",
    ],
)
def test_looks_up_no_session_for_machines(
    relying_party: RelyingParty, stranger: Stranger, path: str, method: str
) -> None:
    tokens_for(relying_party, stranger)
    cookies = {name: morsel.value for name, morsel in stranger.http.cookies.items()}
    for authority in ("/woodgrove", "/woodgrove/B2X_1_Suppliers", "/WOODGROVE"):
        client = Client()
        client.cookies.load(cookies)
        with CaptureQueriesContext(connection) as captured:
            response = getattr(client, method)(f"{authority}/{path}")
        assert response.status_code != 404
        assert not response.cookies
        assert "Cookie" not in response.get("Vary", "")
        statements = " ".join(query["sql"] for query in captured)
        assert "directory_session" not in statements
        assert "directory_user" not in statements
