"""What can be done to a person: each page says what it hits, and a POST of whoever may does it."""

from collections.abc import Callable

import pytest
from django.test import Client

from directory.models import Application, AuditEvent, RoleAssignment, User
from directory.roles import PERMISSIONS, Role
from directory.session_store import SessionStore
from tests.admin.conftest import Furnished, browser_of
from tests.relying_party import RelyingParty
from tests.stranger import Stranger
from userflows.models import SignIn, SignUp, UserFlow

ACTIONS = ("disable", "enable", "revoke-sessions", "convert")
GLOBAL = Role.GLOBAL_ADMINISTRATOR


def person_url(furnished: Furnished, user: User, page: str = "change") -> str:
    return f"{furnished.admin_url}directory/user/{user.pk}/{page}/"


def text_of(response: object) -> str:
    return " ".join(response.content.decode().split()).replace("&#x27;", "'")  # type: ignore[attr-defined]


def facts_of(user: User) -> tuple[object, ...]:
    row = User.objects.get(pk=user.pk)
    return (row.account_enabled, row.deleted_at, row.user_type, row.sign_in_sessions_valid_from)


@pytest.fixture
def second_admin(ours: Furnished, make_admin: Callable[..., User]) -> User:
    return make_admin(ours.tenant, GLOBAL, mail="second@woodgrove.example")


def test_offers_what_fits_and_says_what_each_hits(browser: Client, ours: Furnished) -> None:
    page = text_of(browser.get(person_url(ours, ours.guest)))
    for action in ("disable", "revoke-sessions", "convert", "delete"):
        assert f'href="{person_url(ours, ours.guest, action)}"' in page
    assert person_url(ours, ours.guest, "enable") not in page
    for action, words in {
        "disable": "can no longer sign in",
        "revoke-sessions": "Signs them out everywhere and voids their tokens",
        "convert": "There is no way back",
        "delete": "For 30 days",
    }.items():
        page = text_of(browser.get(person_url(ours, ours.guest, action)))
        assert words in page
        assert ours.guest.mail in page
    assert facts_of(ours.guest) == (True, None, "Guest", None)


def test_disables_and_enables(browser: Client, ours: Furnished) -> None:
    to_person = person_url(ours, ours.guest)
    page = browser.post(person_url(ours, ours.guest, "disable"), follow=True)
    assert page.redirect_chain == [(to_person, 302)]
    assert "is disabled" in text_of(page)
    assert ">Disabled</span>" in text_of(page)
    assert not User.objects.get(pk=ours.guest.pk).is_active
    browser.post(person_url(ours, ours.guest, "enable"))
    assert User.objects.get(pk=ours.guest.pk).is_active
    event = AuditEvent.objects.filter(target_id=str(ours.guest.pk)).latest("at")
    assert (event.activity, event.actor_id) == ("user.enabled", str(ours.admin.pk))


def test_the_form_switches_nobody_off(browser: Client, ours: Furnished) -> None:
    browser.post(person_url(ours, ours.guest), {"display_name": "Ana", "account_enabled": "", "is_test": "on"})
    assert facts_of(ours.guest) == (True, None, "Guest", None)


def test_an_administrators_browser_is_out_at_once(browser: Client, ours: Furnished, second_admin: User) -> None:
    theirs = browser_of(second_admin)
    assert theirs.get(ours.admin_url).status_code == 200
    browser.post(person_url(ours, second_admin, "revoke-sessions"))
    assert theirs.get(ours.admin_url).status_code == 302
    second_admin.refresh_from_db()
    assert browser_of(second_admin).get(ours.admin_url).status_code == 200


def test_counts_the_browsers(browser: Client, ours: Furnished) -> None:
    assert "Nowhere at the moment." in text_of(browser.get(person_url(ours, ours.guest)))
    for _ in range(2):
        browser_of(ours.guest)
    assert "In 2 browsers." in text_of(browser.get(person_url(ours, ours.guest)))
    assert SessionStore.get_model_class().objects.filter(user=ours.guest).count() == 2


def test_converts_a_guest_who_can_then_be_given_roles(browser: Client, ours: Furnished) -> None:
    browser.post(person_url(ours, ours.guest, "convert"))
    assert User.objects.get(pk=ours.guest.pk).user_type == "Member"
    assert ours.guest.identities.exists()
    assert "What they may do here" in text_of(browser.get(person_url(ours, ours.guest)))
    # Nobody is made a guest again, by no page.
    assert browser.get(person_url(ours, ours.guest, "convert")).status_code == 302


@pytest.mark.parametrize("page", ["disable", "delete"])
def test_tells_oneself_why_not(browser: Client, ours: Furnished, second_admin: User, page: str) -> None:
    url = person_url(ours, ours.admin, page)
    shown = text_of(browser.get(url))
    assert "can't shut yourself out" in shown
    assert 'class="button danger"' not in shown
    browser.post(url, {"post": "yes"})
    assert User.objects.get(pk=ours.admin.pk).is_active


@pytest.mark.parametrize("page", ["disable", "delete"])
def test_tells_why_the_last_global_administrator_stays(
    ours: Furnished, second_admin: User, monkeypatch: pytest.MonkeyPatch, page: str
) -> None:
    """Whoever gives roles without being one: no row of the table has that today."""
    monkeypatch.setitem(PERMISSIONS[Role.USER_ADMINISTRATOR], "roleassignment", frozenset({"view", "change"}))
    RoleAssignment.objects.filter(user=second_admin).update(role=Role.USER_ADMINISTRATOR)
    url = person_url(ours, ours.admin, page)
    helper = browser_of(second_admin)
    assert "is the last Global Administrator" in text_of(helper.get(url))
    helper.post(url, {"post": "yes"}, follow=True)
    assert User.objects.get(pk=ours.admin.pk).is_active


@pytest.mark.parametrize("role", list(Role))
def test_acts_as_its_row_says(ours: Furnished, make_admin: Callable[..., User], role: Role) -> None:
    helper = browser_of(make_admin(ours.tenant, role, mail="one.role@woodgrove.example"))
    may_change = "change" in PERMISSIONS[role].get("user", frozenset())
    for action in ACTIONS:
        response = helper.post(person_url(ours, ours.guest, action))
        assert response.status_code == (302 if may_change else 403), action
    changed = (facts_of(ours.guest)[2], AuditEvent.objects.filter(target_id=str(ours.guest.pk)).exists())
    assert changed == (("Member", True) if may_change else ("Guest", False))


def test_reaches_nobody_with_a_role_unless_it_gives_roles(ours: Furnished, make_admin: Callable[..., User]) -> None:
    helper = browser_of(make_admin(ours.tenant, Role.USER_ADMINISTRATOR, mail="helper@woodgrove.example"))
    before = facts_of(ours.admin)
    for action in (*ACTIONS, "delete"):
        assert helper.post(person_url(ours, ours.admin, action), {"post": "yes"}).status_code == 403
    assert facts_of(ours.admin) == before
    assert 'id="actions"' not in text_of(helper.get(person_url(ours, ours.admin)))


def test_knows_nobody_of_another_tenant(browser: Client, ours: Furnished, theirs: Furnished) -> None:
    before = facts_of(theirs.guest)
    for action in ACTIONS:
        assert browser.get(person_url(ours, theirs.guest, action)).status_code == 404
        assert browser.post(person_url(ours, theirs.guest, action)).status_code == 404
    assert facts_of(theirs.guest) == before


def test_answers_why_a_person_exists(
    ours: Furnished, browser: Client, make_relying_party: Callable[..., RelyingParty]
) -> None:
    shop = make_relying_party(ours.tenant, ours.flow, name="Partner <b>Shop</b>")
    attribute = ours.attribute.name
    Stranger().sign_up(shop.request_url(), GivenName="Amina", **{attribute: "x"})
    person = User.objects.get(mail="amina@fabrikam.example")
    sign_up = SignUp.objects.get(user=person)
    page = text_of(browser.get(person_url(ours, person)))
    for words in (
        f"through the user flow {ours.flow.name} v{sign_up.version_number}",
        "Partner &lt;b&gt;Shop&lt;/b&gt;",
        "Email",
        str(sign_up.correlation_id),
        f"{ours.admin_url}directory/auditevent/?q={sign_up.correlation_id}",
        f"{ours.admin_url}userflows/userflow/{ours.flow.pk}/change/",
        f"{ours.admin_url}userflows/userflow/{ours.flow.pk}/versions/{sign_up.version_number}/",
        f"{ours.admin_url}directory/application/{shop.application.pk}/change/",
        f"{ours.admin_url}userflows/signin/{SignIn.objects.get(user=person).pk}/change/",
    ):
        assert words in page, words
    # What is gone since is still told, without a link.
    Application.objects.filter(pk=shop.application.pk).delete()
    UserFlow.objects.filter(pk=ours.flow.pk).delete()
    SignIn.objects.all().delete()
    page = text_of(browser.get(person_url(ours, person)))
    assert f"through the user flow {ours.flow.name} v" in page
    assert "step by step" not in page
    assert f"userflow/{ours.flow.pk}" not in page


def test_says_who_added_a_member(browser: Client, ours: Furnished) -> None:
    browser.post(f"{ours.admin_url}directory/user/add/", {"mail": "new@x.example", "display_name": "Noor"})
    page = text_of(browser.get(person_url(ours, User.objects.get(mail="new@x.example"))))
    assert f"{ours.admin} added them on" in page


HOSTILE = [
    "<script>alert(1)</script>",
    '=cmd|"/c calc"!A1',
    "\u202eevil\u202c ‏אבג‎",
    "🧨" * 60,
    "x" * 256,
]


@pytest.mark.parametrize("name", HOSTILE)
def test_shows_any_name_harmlessly(browser: Client, ours: Furnished, name: str) -> None:
    User.objects.filter(pk=ours.guest.pk).update(display_name=name)
    pages = ["change", "history", "delete", "disable", "convert", "revoke-sessions"]
    urls = [person_url(ours, ours.guest, page) for page in pages] + [f"{ours.admin_url}directory/user/"]
    for url in urls:
        page = browser.get(url)
        assert page.status_code == 200, url
        assert "<script>alert" not in page.content.decode()
    for action in ("disable", "enable"):
        assert "<script>alert" not in browser.post(person_url(ours, ours.guest, action), follow=True).content.decode()


def test_refuses_what_no_name_can_be(browser: Client, ours: Furnished) -> None:
    for name in ("x" * 300, "a\x00b"):
        page = browser.post(person_url(ours, ours.guest), {"display_name": name})
        assert page.status_code == 200
        assert page.context["adminform"].form.errors["display_name"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("user_type__exact=Guest", {"guest", "flowed", "test"}),
        ("account=disabled", {"guest"}),
        ("account=enabled", {"admin", "flowed", "test"}),
        ("account=test", {"test"}),
        ("user_flow={flow}", {"flowed"}),
        ("application={application}", {"flowed"}),
        ("provider=mail", {"flowed"}),
        ("provider=google.com", set()),
        ("since=week", {"admin", "guest", "flowed", "test"}),
        ("user_flow={foreign_flow}", set()),
        ("user_flow=nonsense", set()),
        ("provider=%00", set()),
    ],
)
def test_filters(
    browser: Client, ours: Furnished, theirs: Furnished, make_guest: Callable[..., User], query: str, found: set[str]
) -> None:
    flowed = make_guest(ours.tenant, "flowed@x.example")
    _sign_up(flowed, ours)
    _sign_up(theirs.guest, theirs)
    make_guest(ours.tenant, "test@x.example", is_test=True)
    User.objects.filter(pk=ours.guest.pk).update(account_enabled=False)
    filled = query.format(flow=ours.flow.pk, application=ours.application.pk, foreign_flow=theirs.flow.pk)
    page = browser.get(f"{ours.admin_url}directory/user/?{filled}")
    assert page.status_code == 200
    names = {user.mail.split("@")[0] for user in page.context["cl"].result_list}
    assert names == found
    assert theirs.marker not in page.content.decode()


def _sign_up(user: User, furnished: Furnished) -> None:
    SignUp.objects.create(
        user=user,
        tenant=furnished.tenant,
        user_flow=furnished.flow,
        user_flow_name=furnished.flow.name,
        version_number=3,
        application=furnished.application,
        application_name=furnished.application.name,
        identity_provider="mail",
        journey_id=user.pk,
        correlation_id=user.pk,
    )


def test_lists_by_what_people_came(browser: Client, ours: Furnished) -> None:
    _sign_up(ours.guest, ours)
    User.objects.filter(pk=ours.guest.pk).update(is_test=True)
    page = text_of(browser.get(f"{ours.admin_url}directory/user/"))
    for words in (f"{ours.flow.name} v3", ours.application.name, "Email", "Never", "Test user"):
        assert words in page
