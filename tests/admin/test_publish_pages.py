"""Publish, versions, roll back, discard, pause: what will happen is said before it happens."""

from collections.abc import Callable

import pytest
from django.test import Client

from directory.models import AuditEvent, IdentityProvider, User
from directory.roles import Role
from tests.admin.building import flow_url, open_builder, row, save
from tests.admin.conftest import Furnished, browser_of
from userflows.models import UserFlow

pytestmark = pytest.mark.any_database


def edit(browser: Client, ours: Furnished, heading: str = "Version two") -> UserFlow:
    assert save(browser, ours, open_builder(browser, ours) | {"heading": heading}).status_code == 302
    return reload(ours)


def reload(ours: Furnished) -> UserFlow:
    return UserFlow.objects.select_related("live_version").get(pk=ours.flow.pk)


def publish(browser: Client, ours: Furnished) -> None:
    revision = str(reload(ours).revision)
    assert browser.post(flow_url(ours, page="publish"), {"revision": revision}).status_code == 302


def live_number(ours: Furnished) -> int:
    version = reload(ours).live_version
    assert version is not None
    return version.number


def test_says_in_words_what_will_change_and_publishes_it(browser: Client, ours: Furnished) -> None:
    form = open_builder(browser, ours) | {"heading": "Version two"} | row(0, order="2") | row(1, order="1")
    assert save(browser, ours, form, _review="")["Location"] == flow_url(ours, page="publish")
    page = browser.get(flow_url(ours, page="publish")).content.decode()
    assert "What changes for people who meet version 1 now" in page
    assert "The heading of the first page is now “Version two” instead of the standard one." in page
    assert f"The question “{ours.attribute}” is asked first instead of second." in page
    assert "Publish version 2" in page
    assert "1 application uses this flow." in page
    done = browser.post(flow_url(ours, page="publish"), {"revision": "1"}, follow=True).content.decode()
    assert "Version 2 is live." in done
    assert "Everything is published" in done
    assert live_number(ours) == 2
    event = AuditEvent.objects.filter(activity="user_flow.published").latest("at")
    assert (event.actor_name, event.details) == (str(ours.admin), {"before": 1, "after": 2})


def test_a_double_click_publishes_once(browser: Client, ours: Furnished) -> None:
    edit(browser, ours)
    for _click in range(2):
        publish(browser, ours)
    assert ours.flow.versions.count() == 2


def test_publishes_only_what_was_looked_at(browser: Client, ours: Furnished) -> None:
    edit(browser, ours)
    for revision in ("0", "", "x", "-1", "9" * 40):
        page = browser.post(flow_url(ours, page="publish"), {"revision": revision}).content.decode()
        assert "Somebody changed the draft after you opened this page." in page
    assert ours.flow.versions.count() == 1


def test_has_nothing_to_publish_where_nothing_changed(browser: Client, ours: Furnished) -> None:
    page = browser.get(flow_url(ours, page="publish")).content.decode()
    assert "There is nothing to publish." in page
    assert "Publish version" not in page


def test_publishes_no_broken_draft_and_says_why(browser: Client, ours: Furnished) -> None:
    provider = IdentityProvider.objects.get(tenant=ours.tenant)
    form = open_builder(browser, ours)
    del form[f"ways-{provider.pk}-offered"]
    save(browser, ours, form)
    page = browser.get(flow_url(ours, page="publish")).content.decode()
    assert "It can&#x27;t be published yet" in page or "It can't be published yet" in page
    assert "There is no way to sign in: nobody can get in." in page
    assert "Publish version" not in page
    refused = browser.post(flow_url(ours, page="publish"), {"revision": "1"}).content.decode()
    assert "It was not published. Mend what is wrong first." in refused
    assert "There is no way to sign in: nobody can get in." in refused
    assert live_number(ours) == 1


def test_lists_the_versions_with_what_they_changed(browser: Client, ours: Furnished) -> None:
    edit(browser, ours)
    publish(browser, ours)
    page = browser.get(flow_url(ours, page="versions")).content.decode()
    assert page.index("Version 2") < page.index("Version 1<")
    assert page.count(">Live<") == 1
    assert "“Version two” instead of the standard one" in page
    assert "1. “First name”: Text, required." in page
    assert str(ours.admin) in page
    assert page.count("Roll back to this version") == 1


def test_shows_a_version_with_its_pages(browser: Client, ours: Furnished) -> None:
    edit(browser, ours)
    publish(browser, ours)
    page = browser.get(flow_url(ours, page="versions/1")).content.decode()
    assert "1. “First name”: Text, required." in page
    assert f'action="{flow_url(ours, page="versions/1/preview")}"' in page
    old = browser.get(flow_url(ours, page="versions/1/preview")).content.decode()
    assert "Create your account or sign in" in old
    new = browser.get(flow_url(ours, page="versions/2/preview")).content.decode()
    assert "<h1>Version two</h1>" in new
    for number in ("0", "3", "99999999999999999999"):
        assert browser.get(flow_url(ours, page=f"versions/{number}")).status_code == 404


def test_rolls_back_after_saying_what_that_changes(browser: Client, ours: Furnished) -> None:
    edit(browser, ours)
    publish(browser, ours)
    edit(browser, ours, "Half-done")
    url = flow_url(ours, page="versions/1/roll-back")
    page = browser.get(url).content.decode()
    assert "Roll back to Version 1?" in page
    assert "The heading of the first page is now the standard one instead of “Version two”." in page
    assert live_number(ours) == 2
    assert browser.post(url).status_code == 302
    assert (live_number(ours), reload(ours).heading) == (1, "Half-done")
    assert AuditEvent.objects.get(activity="user_flow.rolled_back").details == {"before": 2, "after": 1}


def test_rolls_back_to_no_broken_version(browser: Client, ours: Furnished) -> None:
    edit(browser, ours)
    publish(browser, ours)
    IdentityProvider.objects.filter(tenant=ours.tenant).update(is_enabled=False)
    page = browser.post(flow_url(ours, page="versions/1/roll-back")).content.decode()
    assert "It was not done. Mend this first:" in page
    assert "There is no way to sign in" in page
    assert live_number(ours) == 2


def test_discards_the_draft_that_was_shown(browser: Client, ours: Furnished) -> None:
    edit(browser, ours, "Half-done")
    url = flow_url(ours, page="discard")
    page = browser.get(url).content.decode()
    assert "“Half-done” instead of the standard one" in page
    assert "Version 1 stays live." in page
    assert "Look again." in browser.post(url, {"revision": "0"}).content.decode()
    assert reload(ours).heading == "Half-done"
    assert browser.post(url, {"revision": "1"}).status_code == 302
    assert reload(ours).heading == ""
    UserFlow.objects.filter(pk=ours.flow.pk).update(live_version=None)
    assert browser.get(url).status_code == 404


def test_pauses_and_resumes_at_once(browser: Client, ours: Furnished) -> None:
    url = flow_url(ours, page="pause")
    page = browser.get(url).content.decode()
    assert "Pause sign-up?" in page
    assert "1 application uses this flow." in page
    browser.post(url, {"sign_up": "off"})
    browser.post(url, {"sign_up": "off"})
    assert not reload(ours).sign_up_enabled
    assert "Resume sign-up" in browser.get(flow_url(ours)).content.decode()
    browser.post(url, {"sign_up": "on"})
    assert reload(ours).sign_up_enabled
    events = AuditEvent.objects.filter(activity__in=("user_flow.paused", "user_flow.resumed")).order_by("at")
    assert [event.activity for event in events] == ["user_flow.paused", "user_flow.resumed"]
    assert events[0].details == {"before": {"sign_up_enabled": True}, "after": {"sign_up_enabled": False}}
    assert ours.flow.versions.count() == 1


@pytest.mark.parametrize("page", ["publish", "discard", "pause", "versions/1/roll-back"])
def test_asks_for_the_right_to_change_flows(ours: Furnished, make_admin: Callable[..., User], page: str) -> None:
    reader = browser_of(make_admin(ours.tenant, Role.GLOBAL_READER, mail="reader@woodgrove.example"))
    other = browser_of(make_admin(ours.tenant, Role.APPLICATION_ADMINISTRATOR, mail="apps@woodgrove.example"))
    for browser in (reader, other):
        assert browser.get(flow_url(ours, page=page)).status_code == 403
        assert browser.post(flow_url(ours, page=page), {"revision": "0", "sign_up": "off"}).status_code == 403
    for looked_at in ("versions", "versions/1", "versions/1/preview", "preview", "change"):
        assert reader.get(flow_url(ours, page=looked_at)).status_code == 200
    assert reload(ours).sign_up_enabled
