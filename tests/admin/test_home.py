"""The front pages: what is left to do, how it goes, and only what is one's own."""

import re
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from directory.models import Application, IdentityProvider, Tenant, User
from directory.roles import Role
from identity_portal.charts import funnel_chart, line_chart
from tests.admin.conftest import Furnished, browser_of
from userflows.flows import offer_all_ways
from userflows.models import ApplicationAssignment, Outcome, Reached, SignIn, SignUp, UserFlow
from userflows.publishing import publish

pytestmark = pytest.mark.any_database

HOSTILE = "<script>alert(1)</script>"


def came(flow: UserFlow, *, days_ago: int = 0, outcome: str = Outcome.SIGNED_UP, **values: Any) -> SignIn:
    return SignIn.objects.create(
        id=uuid.uuid4(),
        tenant=flow.tenant,
        user_flow=flow,
        reached=Reached.COMPLETED if outcome in (Outcome.SIGNED_UP, Outcome.SIGNED_IN) else Reached.ADDRESS_GIVEN,
        outcome=outcome,
        correlation_id=uuid.uuid4(),
        started_at=datetime.now(UTC) - timedelta(days=days_ago),
        **values,
    )


def sign_up(user: User) -> None:
    ids = {"journey_id": uuid.uuid4(), "correlation_id": uuid.uuid4()}
    assert user.tenant
    SignUp.objects.create(user=user, tenant=user.tenant, identity_provider="mail", **ids)


@pytest.fixture
def quiet(ours: Furnished) -> Tenant:
    """Our tenant, where nobody has come yet."""
    SignIn.objects.filter(tenant=ours.tenant).delete()
    return ours.tenant


def home(browser: Client, tenant: Tenant) -> str:
    response = browser.get(f"/{tenant.slug}/admin/")
    assert response.status_code == 200
    return str(response.content.decode())


def tiles(page: str) -> dict[str, str]:
    """Return the numbers by their names."""
    found = re.findall(r'<dt>(?:<a [^>]*>)?([^<]+)(?:</a>)?</dt>\s*<dd class="number[^"]*">([^<]*)</dd>', page)
    return dict(found)


def open_items(page: str) -> list[str]:
    """Return what the checklist still asks for."""
    items = re.findall(r'<li class="(\w*)">\s*<div>\s*<(?:a|strong)[^>]*>([^<]+)<', page)
    return [title for state, title in items if state != "done"]


def test_leads_to_the_first_sign_up_step_by_step(
    make_tenant: Callable[..., Tenant], make_admin: Callable[..., User], make_guest: Callable[..., User]
) -> None:
    tenant = make_tenant("fresh", sign_up_enabled=False)
    IdentityProvider.objects.filter(tenant=tenant).update(is_enabled=False)
    browser = browser_of(make_admin(tenant, Role.GLOBAL_ADMINISTRATOR))
    flow = UserFlow(tenant=tenant, name="B2X_1_Suppliers")
    application = Application(tenant=tenant, name="Portal", kind="web")
    application.save()

    def save_flow() -> None:
        flow.save()
        offer_all_ways(flow)

    titles = [
        *("Switch sign-up on", "Offer a way to sign in", "Build a user flow", "Publish it", "Give it an application"),
        *("Run the user flow", "Welcome the first guest"),
    ]
    facts: list[Callable[[], Any]] = [
        lambda: Tenant.objects.filter(pk=tenant.pk).update(sign_up_enabled=True),
        lambda: IdentityProvider.objects.filter(tenant=tenant).update(is_enabled=True),
        save_flow,
        lambda: publish(flow),
        lambda: ApplicationAssignment.objects.create(user_flow=flow, application=application),
        lambda: came(flow, is_test=True),
    ]
    for number, make_true in enumerate(facts):
        assert open_items(home(browser, tenant)) == titles[number:]
        make_true()
    assert open_items(home(browser, tenant)) == titles[-1:]
    sign_up(make_guest(tenant, "test@x.example", is_test=True))
    assert "Get your first sign-up" in home(browser, tenant)
    sign_up(make_guest(tenant))
    assert "Get your first sign-up" not in home(browser, tenant)


def test_shows_the_numbers_of_thirty_days(browser: Client, ours: Furnished, quiet: Tenant) -> None:
    for days_ago in (0, 1, 29, 31):
        came(ours.flow, days_ago=days_ago)
    came(ours.flow, days_ago=2, outcome=Outcome.IN_PROGRESS)
    came(ours.flow, outcome=Outcome.SIGNED_IN)
    came(ours.flow, is_test=True)
    page = home(browser, ours.tenant)
    shown = tiles(page)
    assert (shown["New accounts"], shown["Finish sign-up"], shown["Sign-ins"]) == ("3", "75 %", "1")
    assert 'aria-label="Sign-ups of the last 30 days: 4 started, 3 finished."' in page
    assert f">{ours.flow.name}</a>, your busiest user flow" in page
    assert page.count("<svg") > page.count("style=") == 0


def test_counts_the_problems_that_the_health_page_tells_of(browser: Client, ours: Furnished) -> None:
    before = int(tiles(home(browser, ours.tenant))["Problems"])
    UserFlow.objects.filter(pk=ours.flow.pk).update(sign_up_enabled=False)
    assert int(tiles(home(browser, ours.tenant))["Problems"]) == before + 1


def test_says_so_when_nobody_came(browser: Client, ours: Furnished, quiet: Tenant) -> None:
    sign_up(ours.guest)
    page = home(browser, ours.tenant)
    assert "Nobody came in the last 30 days." in page
    assert "Show as a table" not in page


def test_shows_nothing_of_another_tenant(browser: Client, quiet: Tenant, theirs: Furnished) -> None:
    for days_ago in (0, 3):
        came(theirs.flow, days_ago=days_ago)
    sign_up(theirs.guest)
    page = home(browser, quiet)
    assert theirs.marker not in page
    assert tiles(page)["New accounts"] == "0"
    assert "Welcome the first guest" in open_items(page)


@pytest.mark.parametrize("role", list(Role))
def test_leads_nobody_to_pages_that_they_may_not_open(
    ours: Furnished, make_admin: Callable[..., User], role: Role
) -> None:
    browser = browser_of(make_admin(ours.tenant, role, mail="role@woodgrove.example"))
    page = home(browser, ours.tenant)
    links = {link for link in re.findall(r'href="(/woodgrove/admin/[^"#]*)"', page) if "logout" not in link}
    assert len(links) > 3
    assert {link: browser.get(link, follow=True).status_code for link in links} == dict.fromkeys(links, 200)


def test_shows_hostile_names_as_text(browser: Client, ours: Furnished) -> None:
    Tenant.objects.filter(pk=ours.tenant.pk).update(name=HOSTILE)
    User.objects.filter(pk=ours.admin.pk).update(display_name=HOSTILE)
    UserFlow.objects.filter(pk=ours.flow.pk).update(name=f"B2X_1_{HOSTILE}")
    came(ours.flow)
    page = home(browser, ours.tenant)
    assert HOSTILE not in page
    assert page.count("&lt;script&gt;alert(1)") >= 4


def test_costs_the_same_with_more_of_everything(
    browser: Client, ours: Furnished, make_user_flow: Callable[..., UserFlow]
) -> None:
    def statements() -> int:
        home(browser, ours.tenant)
        ContentType.objects.clear_cache()
        with CaptureQueriesContext(connection) as queries:
            home(browser, ours.tenant)
        return len(queries)

    came(ours.flow)
    came(ours.flow, days_ago=1)
    few = statements()
    for number in range(6):
        flow = make_user_flow(ours.tenant, f"Flow_{number}")
        application = Application(
            tenant=ours.tenant, name=f"App {number}", kind="web", redirect_uris="https://a.example"
        )
        application.save()
        ApplicationAssignment.objects.create(user_flow=flow, application=application)
        for days_ago in range(4):
            came(flow, days_ago=days_ago)
    assert statements() == few <= 22


def test_marks_each_tenant_with_a_colour_of_its_own(browser: Client, ours: Furnished) -> None:
    colours = re.findall(r"tenant-tag tenant-(\d)", home(browser, ours.tenant))
    assert colours == [str(1 + ours.tenant.pk.int % 8)]


def test_marks_the_page_in_the_menu(browser: Client, ours: Furnished) -> None:
    page = browser.get(f"{ours.admin_url}directory/application/{ours.application.pk}/change/").content.decode()
    marked = re.findall(r'<a href="([^"]+)" aria-current="page">', page)
    assert set(marked) == {f"{ours.admin_url}directory/application/"}


def test_tells_operators_of_tenants_and_of_nobody_in_them(operator: User, ours: Furnished, theirs: Furnished) -> None:
    Tenant.objects.filter(pk=theirs.tenant.pk).update(is_active=False)
    page = browser_of(operator).get("/admin/").content.decode()
    shown = tiles(page)
    assert (shown["Active tenants"], shown["Open to sign-ups"], shown["Switched off"]) == ("1", "1", "1")
    assert ours.tenant.name in page
    for private in (ours.guest.mail, ours.admin.mail, ours.flow.name, ours.application.name):
        assert private not in page


def test_draws_days_on_a_scale_with_a_whole_middle() -> None:
    today = datetime.now(UTC).date()
    for most, top in ((0, 2), (1, 2), (3, 4), (7, 8), (9, 10), (53, 60), (99, 100), (100, 200), (1234, 2000)):
        chart = line_chart([(today, most, 0), (today, 0, 0)])
        assert chart.scale == [top, top // 2, 0]
        assert chart.started.endswith(" 10,100.0")


def test_draws_a_funnel_with_what_was_lost_on_the_way() -> None:
    bars = funnel_chart([("Opened", 200), ("Proved", 50), ("Finished", 50)])
    assert [(bar.share, bar.lost, bar.lost_share) for bar in bars] == [(100, 0, 0), (25, 150, 75), (25, 0, 0)]
    assert funnel_chart([("Opened", 0), ("Proved", 0)])[1].width == 0
