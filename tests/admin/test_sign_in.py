"""Who may enter the admin, and how."""

from collections.abc import Callable
from dataclasses import replace
from urllib.parse import quote

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from directory.models import AuditEvent, Session, Tenant, User
from directory.roles import Role
from identity_portal.admin_sign_in import MAILBOX_LIMIT, NETWORK_LIMIT, PASSWORD_CHANGE_LIMIT
from tests.admin.conftest import Furnished, browser_of
from tests.admin.signing_in import give_app, sign_in
from tests.conftest import PASSWORD
from tests.relying_party import RelyingParty
from tests.stranger import Stranger
from userflows.browser import COOKIE_NAME

pytestmark = pytest.mark.any_database

REFUSED = "The email address or the password is wrong, or the account may not enter here."


def may_enter(browser: Client, url: str) -> bool:
    response = browser.get(url)
    assert response.status_code in (200, 302)
    if response.status_code == 302:
        assert response["Location"] == f"{url}login/?next={quote(url)}"
    return bool(response.status_code == 200)


@pytest.fixture
def member(tenant: Tenant, make_member: Callable[..., User]) -> User:
    """A Global Reader with a real password and an authenticator app."""
    return give_app(make_member(tenant, roles=(Role.GLOBAL_READER,)))


def test_lets_a_member_with_a_role_in_by_password_and_second_factor(member: User) -> None:
    browser = Client()
    assert not may_enter(browser, "/woodgrove/admin/")
    assert sign_in(browser, "/woodgrove/admin/", member.mail.upper()) == "/woodgrove/admin/"
    assert may_enter(browser, "/woodgrove/admin/")
    event = AuditEvent.objects.get(activity="user.signed_in")
    assert (event.tenant, event.actor_id, event.details) == (
        member.tenant,
        str(member.pk),
        {"methods": ["pwd", "otp", "mfa"], "device": "Unknown browser"},
    )


def test_a_session_by_email_code_never_opens_the_admin(ours: Furnished) -> None:
    assert may_enter(browser_of(ours.admin), ours.admin_url)
    for methods in (("otp",), ("pwd",), ("otp", "mfa"), ()):
        assert not may_enter(browser_of(ours.admin, methods=methods), ours.admin_url)


def test_an_email_code_makes_no_administrator_of_anybody(
    relying_party: RelyingParty, make_member: Callable[..., User], member: User
) -> None:
    """The hosted pages share the tenant's session: signing in there takes the admin's proof away, and gives none."""
    other = make_member(member.tenant, "other@woodgrove.example", roles=(Role.GLOBAL_ADMINISTRATOR,))
    for person in (member, other):
        browser = browser_of(member)
        assert may_enter(browser, "/woodgrove/admin/")
        visitor = Stranger(email=person.mail, http=browser)
        visitor.open(relying_party.request_url(prompt="login")).give_email().give_code()
        assert "code" in relying_party.answer(visitor.left_to)
        assert not may_enter(browser, "/woodgrove/admin/")
        assert browser.post("/woodgrove/admin/directory/user/export/").status_code == 302


def test_keeps_out_guests_and_members_without_a_role(ours: Furnished, make_admin: Callable[..., User]) -> None:
    assert not may_enter(browser_of(ours.guest), ours.admin_url)
    assert not may_enter(browser_of(make_admin(ours.tenant, mail="new@woodgrove.example")), ours.admin_url)


def test_keeps_out_a_guest_whatever_role_is_written_down(ours: Furnished) -> None:
    ours.guest.role_assignments.create(role=Role.GLOBAL_ADMINISTRATOR)
    assert not may_enter(browser_of(ours.guest), ours.admin_url)


def test_keeps_out_whoever_was_switched_off(ours: Furnished) -> None:
    browser = browser_of(ours.admin)
    assert may_enter(browser, ours.admin_url)
    User.objects.filter(pk=ours.admin.pk).update(account_enabled=False)
    assert not may_enter(browser, ours.admin_url)


def test_keeps_out_whoever_lost_the_last_role(ours: Furnished) -> None:
    browser = browser_of(ours.admin)
    ours.admin.role_assignments.all().delete()
    assert not may_enter(browser, ours.admin_url)


def test_keeps_each_to_their_own_site(ours: Furnished, theirs: Furnished, operator: User) -> None:
    assert not may_enter(browser_of(theirs.admin), ours.admin_url)
    assert not may_enter(browser_of(operator), ours.admin_url)
    assert not may_enter(browser_of(ours.admin), "/admin/")
    assert may_enter(browser_of(operator), "/admin/")
    assert not may_enter(browser_of(operator, methods=("otp",)), "/admin/")


def test_a_password_opens_only_the_own_tenants_site(member: User, make_tenant: Callable[..., Tenant]) -> None:
    make_tenant("globex")
    for url in ("/globex/admin/", "/admin/"):
        assert sign_in(Client(), url, member.mail) == ""


def test_an_operator_signs_in_on_the_platform_site_only(operator: User, tenant: Tenant) -> None:
    browser = Client()
    give_app(operator)
    assert sign_in(browser, "/woodgrove/admin/", operator.mail) == ""
    assert sign_in(browser, "/admin/", operator.mail) == "/admin/"
    assert may_enter(browser, "/admin/")


def test_answers_unknown_wrong_disabled_and_powerless_alike(
    member: User, make_member: Callable[..., User], make_guest: Callable[..., User]
) -> None:
    make_member(member.tenant, "powerless@woodgrove.example")
    make_member(member.tenant, "off@woodgrove.example", roles=(Role.GLOBAL_ADMINISTRATOR,))
    User.objects.filter(mail="off@woodgrove.example").update(account_enabled=False)
    make_guest(member.tenant, "guest@woodgrove.example")
    tries = [
        ("nobody@woodgrove.example", PASSWORD),
        (member.mail, "a wrong password"),
        ("powerless@woodgrove.example", PASSWORD),
        ("off@woodgrove.example", PASSWORD),
        ("guest@woodgrove.example", PASSWORD),
    ]
    pages = set()
    for mail, password in tries:
        browser = Client()
        page = browser.post("/woodgrove/admin/login/", {"mail": mail, "password": password})
        assert settings.SESSION_COOKIE_NAME not in browser.cookies
        token = page.context["csrf_token"]
        pages.add((page.status_code, page.content.decode().replace(mail, "").replace(str(token), "")))
    assert len(pages) == 1
    assert REFUSED in next(iter(pages))[1]
    refusals = AuditEvent.objects.filter(activity="sign_in.refused", result="failure")
    assert [event.details["mail"] for event in refusals.order_by("at")] == [mail for mail, _password in tries]


def test_never_shows_the_password_again(member: User) -> None:
    page = Client().post("/woodgrove/admin/login/", {"mail": member.mail, "password": "a wrong password"})
    assert "a wrong password" not in page.content.decode()


def test_gives_the_session_a_new_key(member: User, make_guest: Callable[..., User]) -> None:
    browser = browser_of(make_guest(member.tenant))
    before = browser.cookies[settings.SESSION_COOKIE_NAME].value
    sign_in(browser, "/woodgrove/admin/", member.mail)
    cookie = browser.cookies[settings.SESSION_COOKIE_NAME]
    assert (cookie.value != before, cookie["path"]) == (True, "/woodgrove/")


@pytest.fixture
def three_tries(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limits as they are, but lower: hashing takes its time."""
    monkeypatch.setattr("identity_portal.admin_sign_in.MAILBOX_LIMIT", replace(MAILBOX_LIMIT, count=3))
    monkeypatch.setattr("identity_portal.admin_sign_in.NETWORK_LIMIT", replace(NETWORK_LIMIT, count=5))


def test_limits_tries_for_a_mailbox_and_sender_without_locking_the_owner_out(member: User, three_tries: None) -> None:
    attacker, owner = Client(REMOTE_ADDR="203.0.113.7"), Client(REMOTE_ADDR="198.51.100.9")
    for mail in (member.mail, member.mail.upper(), member.mail):
        assert sign_in(attacker, "/woodgrove/admin/", mail, "guess") == ""
    page = attacker.post("/woodgrove/admin/login/", {"mail": member.mail, "password": PASSWORD})
    assert (page.status_code, "Retry-After" in page) == (429, True)
    assert sign_in(owner, "/woodgrove/admin/", member.mail) == "/woodgrove/admin/"


def test_limits_tries_of_one_sender_over_many_mailboxes(tenant: Tenant, three_tries: None) -> None:
    form = {"password": "guess"}
    tries = [Client().post("/woodgrove/admin/login/", {**form, "mail": f"{i}@x.example"}) for i in range(6)]
    assert [answer.status_code for answer in tries] == [200] * 5 + [429]


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "/globex/admin/",
        "/admin/",
        "/woodgrove/oidc/sign-out",
        "https:///woodgrove/admin/",
        "javascript:alert(1)",
    ],
)
def test_leads_nowhere_but_to_its_own_pages(member: User, elsewhere: str) -> None:
    assert sign_in(Client(), "/woodgrove/admin/", member.mail, next=elsewhere) == "/woodgrove/admin/"


def test_leads_to_the_page_that_was_asked_for(member: User) -> None:
    asked = "/woodgrove/admin/directory/user/?q=ada"
    browser = Client()
    page = browser.get(browser.get(asked)["Location"])
    assert page.context["next"] == asked
    assert sign_in(browser, "/woodgrove/admin/", member.mail, next=asked) == asked


def test_needs_a_csrf_token(member: User) -> None:
    browser = Client(enforce_csrf_checks=True)
    answer = browser.post("/woodgrove/admin/login/", {"mail": member.mail, "password": PASSWORD})
    assert answer.status_code == 403


def test_signs_out_by_post_only(ours: Furnished) -> None:
    browser = browser_of(ours.admin)
    assert browser.get(f"{ours.admin_url}logout/").status_code == 405
    assert may_enter(browser, ours.admin_url)
    left = browser.post(f"{ours.admin_url}logout/")
    assert (left["Location"], left.cookies[COOKIE_NAME].value) == (f"{ours.admin_url}login/", "")
    assert not may_enter(browser, ours.admin_url)
    assert AuditEvent.objects.filter(tenant=ours.tenant, activity="user.signed_out").exists()


def test_changes_the_own_password_and_ends_the_other_sessions(member: User) -> None:
    here, elsewhere = browser_of(member), browser_of(member)
    new = "staple battery horse correct"
    form = {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
    weak = here.post("/woodgrove/admin/password_change/", {**form, "new_password1": "short", "new_password2": "short"})
    assert "too short" in weak.content.decode()
    assert here.post("/woodgrove/admin/password_change/", form)["Location"] == "/woodgrove/admin/"
    assert may_enter(here, "/woodgrove/admin/")
    assert not may_enter(elsewhere, "/woodgrove/admin/")
    assert AuditEvent.objects.get(activity="password.changed").details == {}
    member.refresh_from_db()
    assert member.check_password(new)


def test_a_changed_password_voids_what_applications_have(member: User) -> None:
    here = browser_of(member)
    before = timezone.now()
    form = {"old_password": PASSWORD, "new_password1": "staple battery horse correct"}
    here.post("/woodgrove/admin/password_change/", {**form, "new_password2": form["new_password1"]})
    member.refresh_from_db()
    assert member.was_revoked_after(before)
    # What this browser gets from now on counts.
    session = Session.objects.get(user=member)
    assert session.signed_in_at is not None
    assert not member.was_revoked_after(session.signed_in_at)


def test_limits_tries_at_the_old_password(ours: Furnished, monkeypatch: pytest.MonkeyPatch) -> None:
    limit = replace(PASSWORD_CHANGE_LIMIT, count=1)
    monkeypatch.setattr("identity_portal.admin_sites.PASSWORD_CHANGE_LIMIT", limit)
    browser = browser_of(ours.admin)
    tries = [browser.post(f"{ours.admin_url}password_change/", {"old_password": "guess"}) for _ in range(2)]
    assert [answer.status_code for answer in tries] == [200, 429]


def test_shows_the_tenants_name_on_every_page(browser: Client, ours: Furnished) -> None:
    for page in (Client().get(f"{ours.admin_url}login/"), browser.get(f"{ours.admin_url}directory/user/add/")):
        assert 'class="tenant-tag ' in page.content.decode()
        assert ours.tenant.name in page.content.decode()


def test_sends_the_strict_policy_and_no_inline_style_or_script(browser: Client, ours: Furnished) -> None:
    page = browser.get(f"{ours.admin_url}userflows/userflow/{ours.flow.pk}/change/")
    assert "unsafe" not in page["Content-Security-Policy"]
    html = page.content.decode()
    assert "<style" not in html
    assert ' style="' not in html
    assert "<script>" not in html
