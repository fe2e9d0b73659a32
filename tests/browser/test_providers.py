"""Every kind of identity provider in a real browser: the first time, the second time, and when it doesn't work."""

import json
import re
import shutil
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import requests
from playwright.sync_api import Page, Request, expect

from directory.identity_provider_kinds import kinds
from tests.browser import people
from tests.browser.conftest import DESKTOP, PHONE, Visit
from tests.browser.test_passkey import assert_accessible
from tests.browser.test_second_factor import give_fingerprint_reader
from tests.demo_process import DemoProcess
from tests.upstream import golden
from tests.upstream.openid_provider import OpenIdProvider
from tests.upstream.saml_identity_provider import SamlIdentityProvider
from tests.upstream.server import UpstreamServer
from tests.upstream.vendors import VENDORS

pytestmark = pytest.mark.browser
BINTA: dict[str, Any] = {
    "sub": "binta",
    "name": "Binta Ba",
    "given_name": "Binta",
    "family_name": "Ba",
    "email": "binta@fabrikam.example",
    "email_verified": True,
}
OFFER = """
import json
from directory.models import IdentityProvider, Tenant
from userflows.federation import saml_metadata
from userflows.models import IdentityProviderAssignment, UserFlow
from userflows.publishing import publish
tenant = Tenant.objects.get(slug="woodgrove")
flow = UserFlow.objects.get(tenant=tenant)
for place, values in enumerate(json.loads(PROVIDERS)):
    if values["kind"] == "Saml":
        told = saml_metadata.fetch(values.pop("metadata"))
        names = ("entity_id", "sso_url", "slo_url", "certificates")
        values["settings"] = {name: getattr(told, name) for name in names}
    provider = IdentityProvider.objects.create(tenant=tenant, **values)
    IdentityProviderAssignment.objects.create(user_flow=flow, identity_provider=provider, order=50 + place)
publish(flow)
"""


@dataclass
class Upstream:
    """All providers, at 127.0.0.1: another site than the portal, which is at localhost."""

    vendors: UpstreamServer = field(default_factory=lambda: UpstreamServer().start())
    openid: OpenIdProvider = field(default_factory=lambda: OpenIdProvider((BINTA,)).start())
    saml: SamlIdentityProvider | None = None
    saml_id: str = field(default_factory=lambda: str(uuid.uuid4()))

    def stop(self) -> None:
        self.vendors.stop()
        self.openid.stop()
        if self.saml:
            self.saml.stop()

    def rows(self) -> list[dict[str, Any]]:
        client = {"client_id": "the-portal", "secret": "the-client-secret"}
        own = [
            client | {"kind": kind, "name": kind} | vendor.values
            for kind, vendor in VENDORS.items()
            if kind != "OpenIdConnect"
        ]
        openid = client | {"kind": "OpenIdConnect"}
        own.append(
            openid
            | {
                "name": "Fabrikam",
                "settings": {"issuer": self.openid.issuer, "trusts_mail": True},
                "signs_out_there": True,
            }
        )
        own.append(openid | {"name": "Tailspin", "settings": {"issuer": "http://127.0.0.1:9"}})
        if self.saml:
            own.append({"pk": self.saml_id, "kind": "Saml", "name": "Litware", "metadata": self.saml.entity_id})
        return own


@pytest.fixture(scope="module")
def started() -> Iterator[Upstream]:
    upstream = Upstream(saml=SamlIdentityProvider().start() if shutil.which("xmlsec1") else None)
    yield upstream
    upstream.stop()


@pytest.fixture
def upstream(started: Upstream) -> Upstream:
    started.vendors.reset()
    return started


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory, started: Upstream) -> Iterator[DemoProcess]:
    """A demo of our own, whose flow offers all of them."""
    endpoints = {"PROVIDER_ENDPOINTS": json.dumps(started.vendors.endpoints)}
    process = DemoProcess(tmp_path_factory.mktemp("providers"), environment=endpoints)
    process.start()
    process.run_python(f"PROVIDERS = {json.dumps(started.rows())!r}\n{OFFER}")
    if started.saml:
        metadata = process.told["issuer"].replace("/v2.0", f"/federation/{started.saml_id}/metadata")
        started.saml.meet(requests.get(metadata, timeout=20).content)
    yield process
    process.stop()


def press_continue(page: Page, demo: DemoProcess) -> None:
    page.get_by_role("button", name="Continue", exact=True).click()


def be_binta(page: Page, demo: DemoProcess) -> None:
    page.get_by_role("button", name="binta").first.click()


def be_casey(page: Page, demo: DemoProcess) -> None:
    address = demo.told["partner"]["email"]
    people.give_email(page, address)
    people.give_code(page, demo, address)


@dataclass(frozen=True)
class Way:
    """A provider as the person knows it. `arrive` is what they do there.

    `mail` is what the provider says of their address, and `confirms` whether we send a code to it nevertheless.
    """

    button: str
    mail: str
    confirms: bool = False
    arrive: Callable[[Page, DemoProcess], None] | None = None
    viewport: Any = field(default_factory=lambda: DESKTOP)
    javascript: bool = True
    signs_out_there: bool = False

    @property
    def name(self) -> str:
        """Without what tells two buttons of one name apart."""
        return self.button.partition(" (")[0]


WAYS = {
    "EntraID": Way("Microsoft (work or school)", golden.ENTRA["preferred_username"], confirms=True),
    "MicrosoftAccount": Way("Microsoft (personal)", "abe@outlook.com", confirms=True),
    "Google": Way("Google", "jsmith@example.com", viewport=PHONE),
    "Facebook": Way("Facebook", golden.FACEBOOK["email"], confirms=True, viewport=PHONE),
    "Apple": Way("Apple", golden.APPLE["email"], arrive=press_continue, viewport=PHONE),
    "GitHub": Way("GitHub", golden.GITHUB["email"], confirms=True, javascript=False),
    "LinkedIn": Way("LinkedIn", golden.LINKEDIN["email"]),
    "OpenIdConnect": Way("Fabrikam", BINTA["email"], arrive=be_binta, signs_out_there=True),
    "Saml": Way("Litware", "amina@fabrikam.example", confirms=True),
    "another tenant": Way("Contoso", "casey@contoso.example", arrive=be_casey),
}


def issuer_of(kind: str, upstream: Upstream, demo: DemoProcess) -> str:
    """Return what `idp` shall be."""
    if kind == "OpenIdConnect":
        return upstream.openid.issuer
    if kind == "Saml":
        assert upstream.saml
        return upstream.saml.entity_id
    if kind == "another tenant":
        return str(demo.told["issuer"]).replace("woodgrove", "contoso")
    return kinds()[kind].issuer or upstream.vendors.issuer(kind)


def choose(page: Page, demo: DemoProcess, kind: str, *, is_last_used: bool = False) -> None:
    """From the application to the provider."""
    people.begin(page, demo)
    expect(page.get_by_text("Last used")).to_have_count(1 if is_last_used else 0)
    button = page.get_by_role("button", name=f"Continue with {WAYS[kind].button}")
    expect(button).to_contain_text("Last used" if is_last_used else "")
    button.click()


def answer_first_questions(page: Page, demo: DemoProcess, way: Way) -> None:
    if way.confirms:
        expect(page.get_by_role("heading", level=1)).to_have_text("Your email address")
        expect(page.get_by_label("Email address")).to_have_value(way.mail)
        people.give_email(page, way.mail)
        people.give_code(page, demo, way.mail)
    expect(page.get_by_text(f"You signed in with {way.name}")).to_be_visible()
    people.answer(page)
    people.create_account(page)


def sign_out(page: Page, demo: DemoProcess, there: str = "") -> None:
    """`there` names the provider at which the person signs out as well."""
    page.get_by_role("button", name="Sign out").click()
    if there:
        page.get_by_role("link", name=f"Sign out of {there} too").click()
        page.get_by_role("button", name="End session").click()
    expect(page).to_have_url(re.compile(f"^{demo.app_url}/signed-out"))


@pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=pytest.mark.saml if kind == "Saml" else ()) for kind in WAYS]
)
def test_asks_the_first_time_and_nothing_the_second(
    demo: DemoProcess, visit: Callable[..., Visit], upstream: Upstream, kind: str
) -> None:
    way = WAYS[kind]
    visitor = visit(javascript=way.javascript, viewport=way.viewport)
    page = visitor.page
    posts: list[Request] = []
    page.on("request", lambda request: posts.append(request) if request.method == "POST" else None)
    choose(page, demo, kind)
    if way.arrive:
        way.arrive(page, demo)
    answer_first_questions(page, demo, way)
    first = people.claims_at(page, demo)
    assert first["idp"] == issuer_of(kind, upstream, demo)
    assert first["email"] == way.mail
    assert first["amr"] == ["fed"]
    # What a provider's form brings has no cookie with it: the answer finds its browser by the redirect that follows.
    from_elsewhere = [post for post in posts if re.search(r"/federation/[^/]+/(acs|callback)$", post.url)]
    assert len(from_elsewhere) == (1 if kind in ("Apple", "Saml") else 0)
    for post in from_elsewhere:
        assert "cookie" not in post.all_headers()
        assert post.redirected_to
        assert "portal_browser=" in post.redirected_to.all_headers()["cookie"]

    sign_out(page, demo, there=way.button if way.signs_out_there else "")
    choose(page, demo, kind, is_last_used=True)
    # Contoso knows Casey from before.
    if way.arrive and kind != "another tenant":
        way.arrive(page, demo)
    second = people.claims_at(page, demo)
    assert {name: second[name] for name in ("oid", "idp", "email")} == {
        name: first[name] for name in ("oid", "idp", "email")
    }
    assert visitor.complaints == []


@pytest.mark.parametrize("kind", [*golden.CANCELLED, "OpenIdConnect"])
def test_shows_words_and_the_other_ways_when_nobody_was_signed_in_there(
    demo: DemoProcess, visit: Callable[..., Visit], upstream: Upstream, kind: str
) -> None:
    """Cancelled, then down: what the token endpoint says, or discovery."""
    visitor = visit(viewport=WAYS[kind].viewport, scheme="dark" if kind == "Apple" else "light")
    page, name = visitor.page, WAYS[kind].button
    people.begin(page, demo)
    if kind == "OpenIdConnect":
        page.get_by_role("button", name=f"Continue with {name}").click()
        page.get_by_role("button", name="Deny").click()
    else:
        upstream.vendors.error = golden.CANCELLED[kind]
        leave(page, kind, name)
    # Only the buttons need to tell two of Microsoft apart.
    vendor = name.partition(" (")[0]
    look_at_refusal(visitor, f"You didn't sign in at {vendor}")

    upstream.vendors.error, upstream.vendors.token_answer = {}, (503, {})
    name, vendor = ("Tailspin", "Tailspin") if kind == "OpenIdConnect" else (name, vendor)
    leave(page, kind, name)
    look_at_refusal(visitor, f"{vendor} can't be reached")
    people.give_email(page, f"after-{kind.lower()}@fabrikam.example")
    assert visitor.complaints == []


@pytest.mark.saml
def test_shows_the_other_ways_when_a_saml_provider_refuses_or_is_gone(
    demo: DemoProcess, visit: Callable[..., Visit], upstream: Upstream
) -> None:
    assert upstream.saml
    visitor = visit()
    page, requests_there = visitor.page, f"{upstream.saml.url}/sso**"
    people.begin(page, demo)
    # What a browser can't say by a button of its own: that the person refuses there. The answer is the provider's.
    refusal = json.dumps({"error": "RequestDenied"})
    page.route(requests_there, lambda route: route.continue_(method="POST", post_data=refusal))
    leave(page, "Saml", "Litware")
    look_at_refusal(visitor, "You didn't sign in at Litware")

    page.unroute(requests_there)
    page.route(requests_there, lambda route: route.abort("connectionrefused"))
    leave(page, "Saml", "Litware")
    expect(page).to_have_url(re.compile("^chrome-error:"))
    page.go_back()
    expect(page.get_by_role("heading", level=1)).to_have_text("Create your account or sign in")
    people.give_email(page, "after-saml@fabrikam.example")
    people.give_code(page, demo, "after-saml@fabrikam.example")


def leave(page: Page, kind: str, name: str) -> None:
    page.get_by_role("button", name=f"Continue with {name}").click()
    if kind == "Apple":
        page.get_by_role("button", name="Continue", exact=True).click()


def look_at_refusal(visitor: Visit, title: str) -> None:
    """And go on by its button, to the other ways."""
    page = visitor.page
    expect(page.get_by_role("heading", level=1)).to_have_text(title)
    expect(page.locator("dt", has_text="Reference")).to_be_visible()
    assert visitor.complaints == []
    assert_accessible(page)
    # What axe asks of the page for its report is not a complaint against the page.
    visitor.complaints.clear()
    page.get_by_role("link", name="Choose another way to sign in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Create your account or sign in")


def test_tells_the_application_which_of_several_ways_was_used(demo: DemoProcess, visit: Callable[..., Visit]) -> None:
    """A code, a code again on a device that can keep a passkey, and then that passkey: the same person each time."""
    visitor, address = visit(), "several@fabrikam.example"
    page = visitor.page
    people.sign_up(page, demo, address)
    said = [people.claims_at(page, demo)]
    sign_out(page, demo)
    give_fingerprint_reader(page)
    people.begin(page, demo)
    expect(page.locator("[name=can_passkey]")).to_have_value("1")
    people.give_email(page, address)
    people.give_code(page, demo, address)
    page.get_by_role("button", name="Create a passkey").click()
    said.append(people.claims_at(page, demo))
    sign_out(page, demo)
    # Chromium's stand-in takes the page's offer by itself.
    page.goto(demo.app_url)
    page.get_by_role("link", name="Request your supplier account").click()
    said.append(people.claims_at(page, demo))
    assert [(claims["idp"], claims["amr"]) for claims in said] == [
        ("mail", ["otp"]),
        ("mail", ["otp"]),
        ("passkey", ["hwk", "user"]),
    ]
    assert {claims["oid"] for claims in said} == {said[0]["oid"]}
    assert {claims["email"] for claims in said} == {address}
    assert visitor.complaints == []
