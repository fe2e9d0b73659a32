"""Sessions, confirming that it is still you, and the way to one's other tenants."""

from collections.abc import Callable
from datetime import timedelta
from urllib.parse import quote

import pytest
from django.test import Client
from django.utils import timezone
from freezegun import freeze_time

from directory.models import AuditEvent, ClientSecret, Session, Tenant, User
from directory.roles import Role
from identity_portal.oidc.models import SigningKey
from tests.admin.conftest import Furnished, browser_of
from tests.admin.form_data import user_form
from tests.admin.signing_in import SECRET, give_app, sign_in
from tests.conftest import PASSWORD
from tests.totp import code_of
from userflows.user_agent import device_of

pytestmark = pytest.mark.any_database

URL = "/woodgrove/admin/"
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.fixture
def member(tenant: Tenant, make_member: Callable[..., User]) -> User:
    return give_app(make_member(tenant, roles=(Role.GLOBAL_READER,)))


@pytest.fixture
def here(member: User) -> Client:
    browser = Client(headers={"user-agent": FIREFOX}, REMOTE_ADDR="203.0.113.7")
    assert sign_in(browser, URL, member.mail) == URL
    return browser


def test_lists_where_the_person_is_signed_in(here: Client, member: User, make_member: Callable[..., User]) -> None:
    other = make_member(member.tenant, "other@woodgrove.example", roles=(Role.GLOBAL_READER,))
    browser_of(member), browser_of(other)
    rows = here.get(f"{URL}your-sign-in/").context["sessions"]
    assert sorted((row["device"], row["session"].address, row["is_this"]) for row in rows) == [
        ("Firefox on Windows", "203.0.113.7", True),
        ("Unknown browser", None, False),
    ]


def test_is_reached_from_every_page(here: Client) -> None:
    assert f'href="{URL}your-sign-in/"' in here.get(f"{URL}directory/user/").content.decode()


def test_signs_out_one_browser(here: Client, member: User) -> None:
    elsewhere = browser_of(member)
    rows = here.get(f"{URL}your-sign-in/").context["sessions"]
    other = next(row["session"] for row in rows if not row["is_this"])
    here.post(f"{URL}your-sign-in/sessions/end/", {"session": other.pk})
    assert elsewhere.get(URL).status_code == 302
    assert here.get(URL).status_code == 200
    own = Session.objects.get(user=member)
    assert here.post(f"{URL}your-sign-in/sessions/end/", {"session": own.pk})["Location"] == f"{URL}login/"
    assert here.get(URL).status_code == 302


def test_signs_out_everywhere(here: Client, member: User) -> None:
    elsewhere = browser_of(member)
    assert here.post(f"{URL}your-sign-in/sessions/end/", {"session": "all"})["Location"] == f"{URL}login/"
    assert not Session.objects.filter(user=member).exists()
    for browser in (here, elsewhere):
        assert browser.get(URL).status_code == 302
    assert AuditEvent.objects.filter(activity="user.sessions_revoked", actor_id=str(member.pk)).exists()


def test_ends_nobody_elses_session(here: Client, member: User, make_member: Callable[..., User]) -> None:
    other = browser_of(make_member(member.tenant, "other@woodgrove.example", roles=(Role.GLOBAL_READER,)))
    session = Session.objects.exclude(user=member).exclude(user=None).get()
    for key in (session.pk, "", "\x00", "x" * 999):
        assert here.post(f"{URL}your-sign-in/sessions/end/", {"session": key}).status_code == 404
    here.post(f"{URL}your-sign-in/sessions/end/", {"session": "all"})
    assert other.get(URL).status_code == 200
    assert other.get(f"{URL}your-sign-in/sessions/end/").status_code == 405


def test_knows_when_a_session_was_last_seen_without_writing_at_every_page(here: Client, member: User) -> None:
    sessions = Session.objects.filter(user=member)
    before = timezone.now() - timedelta(minutes=4)
    sessions.update(last_seen_at=before)
    here.get(f"{URL}directory/user/")
    assert sessions.get().last_seen_at == before
    sessions.update(last_seen_at=timezone.now() - timedelta(minutes=6))
    here.get(f"{URL}directory/user/")
    seen = sessions.get().last_seen_at
    assert seen is not None
    assert timezone.now() - seen < timedelta(minutes=1)


@pytest.mark.parametrize(
    ("user_agent", "words"),
    [
        (FIREFOX, "Firefox on Windows"),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1",
            "Safari on iPhone",
        ),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/140.0.0.0 Safari/537.36 Edg/140.0", "Edge on Windows"),
        ("Mozilla/5.0 (Linux; Android 15) Chrome/140.0.0.0 Mobile Safari/537.36", "Chrome on Android"),
        ("curl/8", "Unknown browser"),
        ("", "Unknown browser"),
    ],
)
def test_names_a_browser(user_agent: str, words: str) -> None:
    assert device_of(user_agent) == words


# Step-up


@pytest.fixture
def unproven(ours: Furnished) -> Client:
    """Our Global Administrator's browser, signed in some time ago."""
    return browser_of(give_app(ours.admin), proven=False)


def dangerous_pages(ours: Furnished, colleague: User) -> list[str]:
    return [
        f"directory/application/{ours.application.pk}/secrets/add/",
        f"directory/application/{ours.application.pk}/secrets/{ClientSecret.objects.get(application=ours.application).pk}/remove/",
        "oidc/signingkey/rotate/",
        "directory/user/add/",
        f"directory/user/{colleague.pk}/link/",
        f"directory/user/{colleague.pk}/second-factor/reset/",
        # What would take a role away or give it back, by another door.
        *(f"directory/user/{colleague.pk}/{verb}/" for verb in ("disable", "enable", "revoke-sessions", "delete")),
        "your-sign-in/recovery-codes/new/",
        "your-sign-in/factors/1/remove/",
        "set-up/",
        "set-up/app/",
        "set-up/passkey/",
    ]


def test_asks_again_before_what_is_dangerous(
    unproven: Client, ours: Furnished, make_admin: Callable[..., User]
) -> None:
    colleague = make_admin(ours.tenant, Role.GLOBAL_READER, mail="noor@woodgrove.example")
    pages = dangerous_pages(ours, colleague)
    before = AuditEvent.objects.count()
    for page in pages:
        path = ours.admin_url + page
        wanted = f"{ours.admin_url}step-up/?next={quote(path, safe='')}"
        assert unproven.get(path)["Location"] == wanted, page
        assert unproven.post(path, {"days": "180", "algorithm": "ES256"})["Location"] == f"{wanted}&again=1", page
    assert AuditEvent.objects.count() == before
    assert SigningKey.objects.filter(tenant=ours.tenant, state="retired").count() == 0
    browser = browser_of(ours.admin)
    for page in pages:
        assert "step-up" not in browser.get(ours.admin_url + page).get("Location", ""), page


def test_asks_again_before_roles_are_given_but_not_for_a_name(
    unproven: Client, ours: Furnished, make_admin: Callable[..., User]
) -> None:
    member = make_admin(ours.tenant, Role.GLOBAL_READER, mail="member@woodgrove.example")
    url = f"{ours.admin_url}directory/user/{member.pk}/change/"
    assert "step-up" in unproven.post(url, {**user_form(), "roles": [Role.GLOBAL_ADMINISTRATOR]})["Location"]
    assert "step-up" in unproven.post(url, user_form())["Location"]
    assert [assignment.role for assignment in member.role_assignments.all()] == [Role.GLOBAL_READER]
    assert "step-up" not in unproven.post(url, {**user_form(), "roles": [Role.GLOBAL_READER]})["Location"]


def test_asks_again_before_an_administrator_is_restored_but_not_for_a_guest(
    unproven: Client, ours: Furnished, make_admin: Callable[..., User]
) -> None:
    colleague = make_admin(ours.tenant, Role.GLOBAL_ADMINISTRATOR, mail="noor@woodgrove.example")
    User.objects.filter(pk__in=(colleague.pk, ours.guest.pk)).update(deleted_at=timezone.now())
    for person in (colleague, ours.guest):
        unproven.post(f"{ours.admin_url}directory/user/deleted/{person.pk}/restore/")
    assert list(User.objects.filter(deleted_at__isnull=False)) == [colleague]
    unproven.post(f"{ours.admin_url}directory/user/{ours.guest.pk}/disable/")
    ours.guest.refresh_from_db()
    assert not ours.guest.account_enabled


@pytest.mark.parametrize("spelling", ["urn_3Auuid_3A{}", "{}_0A", "_22{}", "{}_5F"])
def test_asks_again_however_the_id_is_spelt(
    unproven: Client, ours: Furnished, make_admin: Callable[..., User], spelling: str
) -> None:
    """The admin unquotes ids, and reads a UUID in several spellings."""
    member = make_admin(ours.tenant, Role.GLOBAL_READER, mail="member@woodgrove.example")
    url = f"{ours.admin_url}directory/user/{spelling.format(member.pk)}/change/"
    unproven.post(url, {**user_form(), "roles": [Role.GLOBAL_ADMINISTRATOR]})
    assert [assignment.role for assignment in member.role_assignments.all()] == [Role.GLOBAL_READER]


def test_an_operator_is_asked_before_a_tenant_is_made(operator: User) -> None:
    browser = browser_of(operator, proven=False)
    assert "/admin/step-up/" in browser.post("/admin/directory/tenant/add/", {"slug": "x"})["Location"]


def test_leads_back_to_where_the_person_was(unproven: Client, ours: Furnished) -> None:
    wanted = f"{ours.admin_url}oidc/signingkey/rotate/"
    step_up = unproven.get(wanted)["Location"]
    assert unproven.post(f"{step_up}&way=totp", {"answer": "000000"}).status_code == 200
    assert unproven.get(wanted).status_code == 302
    assert unproven.post(f"{step_up}&way=totp", {"answer": code_of(SECRET)})["Location"] == wanted
    assert unproven.get(wanted).status_code == 200
    assert AuditEvent.objects.get(activity="user.stepped_up").actor_id == str(ours.admin.pk)


def test_says_that_a_form_was_not_done(unproven: Client, ours: Furnished) -> None:
    answer = unproven.post(f"{ours.admin_url}oidc/signingkey/rotate/", {"algorithm": "ES256"}, follow=True)
    assert "Nothing was changed yet." in answer.content.decode()


def test_leads_nowhere_else(unproven: Client, ours: Furnished) -> None:
    url = f"{ours.admin_url}step-up/?next=https://evil.example/&way=totp"
    assert unproven.post(url, {"answer": code_of(SECRET)})["Location"] == ours.admin_url


def test_holds_for_ten_minutes_from_signing_in(member: User) -> None:
    browser = Client()
    with freeze_time("2030-01-01 12:00:00") as clock:
        now = clock().timestamp()
        browser.post(f"{URL}login/", {"mail": member.mail, "password": PASSWORD})
        browser.post(f"{URL}second-factor/", {"answer": code_of(SECRET, at=now)})
        clock.tick(599)
        assert browser.get(f"{URL}your-sign-in/recovery-codes/new/").status_code == 200
        clock.tick(2)
        assert browser.get(f"{URL}your-sign-in/recovery-codes/new/").status_code == 302


# Other tenants


@pytest.fixture
def namesake(member: User, make_tenant: Callable[..., Tenant], make_admin: Callable[..., User]) -> User:
    """Somebody with the member's address and an app, who administers Globex."""
    return give_app(make_admin(make_tenant("globex", name="Globex"), Role.GLOBAL_READER, mail=member.mail.upper()))


def test_names_the_other_tenants_that_this_browser_has_signed_in_to(member: User, namesake: User) -> None:
    browser = Client()
    assert sign_in(browser, "/globex/admin/", namesake.mail) == "/globex/admin/"
    assert browser.get(f"{URL}login/").context["other_tenants"] == []
    assert sign_in(browser, URL, member.mail) == URL
    assert [tenant.name for tenant in browser.get(URL).context["other_tenants"]] == ["Globex"]
    assert 'href="/globex/admin/"' in browser.get(URL).content.decode()


@pytest.mark.parametrize(
    "change",
    [
        lambda namesake: namesake.role_assignments.all().delete(),
        lambda namesake: User.objects.filter(pk=namesake.pk).update(account_enabled=False),
        lambda namesake: User.objects.filter(pk=namesake.pk).update(mail="other@woodgrove.example"),
        lambda namesake: Tenant.objects.filter(pk=namesake.tenant_id).update(is_active=False),
    ],
    ids=["no role", "disabled", "another address", "tenant switched off"],
)
def test_names_no_tenant_that_they_administer_no_more(
    member: User, namesake: User, change: Callable[[User], object]
) -> None:
    browser = Client()
    sign_in(browser, "/globex/admin/", namesake.mail)
    sign_in(browser, URL, member.mail)
    change(namesake)
    assert browser.get(URL).context["other_tenants"] == []


def test_tells_nobody_where_else_an_address_administers(member: User, namesake: User) -> None:
    """Whoever runs a tenant may add a member with anybody's address, and sign in as them."""
    browser = Client()
    sign_in(browser, URL, member.mail)
    assert browser.get(URL).context["other_tenants"] == []
    browser.cookies["portal_tenants"] = f'["{namesake.tenant_id}"]'
    assert browser.get(URL).context["other_tenants"] == []
