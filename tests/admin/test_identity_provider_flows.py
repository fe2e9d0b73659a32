"""Identity providers in the flow builder: which can be added, in which order, and what is wrong with them."""

from html import unescape

from django.test import Client

from tests.admin.building import flow_url, open_builder, save
from tests.admin.conftest import Furnished
from tests.admin.test_identity_providers import make_provider


def ways_of(ours: Furnished) -> list[str]:
    assignments = ours.flow.identity_provider_assignments.select_related("identity_provider")
    return [assignment.identity_provider.name for assignment in assignments]


def test_adds_only_what_people_can_sign_in_with(browser: Client, ours: Furnished) -> None:
    good = make_provider(ours)
    off = make_provider(ours, "GitHub", client_id="x", secret="y", is_enabled=False)
    bare = make_provider(ours, "Facebook")
    html = unescape(browser.get(flow_url(ours)).content.decode())
    for mark in ("mail", "google", "github", "facebook"):
        assert f"providers.svg#{mark}" in html
    assert ">Not set up</span>" in html
    assert "switched off in this tenant" in html
    ticked = {f"ways-{provider.pk}-offered": "on" for provider in (good, off, bare)}
    assert save(browser, ours, open_builder(browser, ours), **ticked).status_code == 302
    assert ways_of(ours) == ["Email one-time code", "Google"]
    # What stopped working since stays until it is taken out.
    type(good).objects.filter(pk=good.pk).update(is_enabled=False)
    assert save(browser, ours, open_builder(browser, ours)).status_code == 302
    assert ways_of(ours) == ["Email one-time code", "Google"]


def test_orders_ten_ways_by_their_numbers(browser: Client, ours: Furnished) -> None:
    partners = [
        make_provider(
            ours,
            "OpenIdConnect",
            name=f"Partner {number}",
            client_id="x",
            secret="y",
            settings={"issuer": f"https://p{number}.example"},
        )
        for number in range(10)
    ]
    chosen: dict[str, str] = {}
    for place, provider in enumerate(reversed(partners), start=2):
        chosen |= {f"ways-{provider.pk}-offered": "on", f"ways-{provider.pk}-order": str(place)}
    assert save(browser, ours, open_builder(browser, ours), **chosen).status_code == 302
    assert ways_of(ours) == ["Email one-time code", *(f"Partner {number}" for number in reversed(range(10)))]
