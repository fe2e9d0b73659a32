"""Setting a password by a one-time link: invited, forgotten, sent anew by an administrator."""

import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from django.conf import settings
from django.core.mail import EmailMessage
from django.test import Client
from freezegun import freeze_time

from directory.members import create_member
from directory.models import AuditEvent, Session, Tenant, User
from directory.one_time_link import find_person, make_link
from directory.roles import Role
from directory.session_store import SessionStore
from identity_portal.second_factor import has_second_factor, new_recovery_codes, unused_recovery_codes
from identity_portal.set_password import MAILBOX_LIMIT, NETWORK_LIMIT
from tests.admin.conftest import Furnished, browser_of
from tests.admin.signing_in import SECRET, give_app, give_code, give_password, sign_in
from tests.conftest import PASSWORD
from tests.totp import code_of

URL = "/woodgrove/admin/"
NEW = "staple battery horse correct"
REFUSED = "This link works no more"


@pytest.fixture
def invited(tenant: Tenant) -> User:
    return create_member(User(tenant=tenant, mail="ada@woodgrove.example"), roles=[Role.GLOBAL_ADMINISTRATOR])


def path_of(link: str) -> str:
    assert link.startswith(settings.BASE_URL + "/")
    return link.removeprefix(settings.BASE_URL)


def heading(browser: Client, path: str) -> str:
    found = re.search(r"<h1>(.*?)</h1>", browser.get(path, follow=True).content.decode())
    return found[1] if found else ""


def choose(browser: Client, password: str = NEW, url: str = URL) -> str:
    """Return where the browser is sent, "" when the page comes again."""
    answer = browser.post(f"{url}set-password/", {"new_password1": password, "new_password2": password})
    return str(answer.get("Location", ""))


def link_in(mail: EmailMessage) -> str:
    found = re.search(r"http://testserver/\S+", str(mail.body))
    assert found
    return path_of(found[0])


def test_leads_from_the_link_to_the_second_factor(invited: User) -> None:
    browser = Client()
    opened = browser.get(path_of(make_link(invited)))
    assert (opened["Location"], opened["Referrer-Policy"]) == (f"{URL}set-password/", "no-referrer")
    page = browser.get(opened["Location"])
    assert "ada@woodgrove.example" in page.content.decode()
    assert "no-store" in page["Cache-Control"]
    assert choose(browser) == f"{URL}second-factor/"
    assert browser.get(f"{URL}second-factor/")["Location"] == f"{URL}set-up/"
    assert browser.get(URL).status_code == 302
    invited.refresh_from_db()
    assert invited.check_password(NEW)
    assert AuditEvent.objects.get(activity="password.changed").actor_id == str(invited.pk)


def test_works_once(invited: User) -> None:
    link = path_of(make_link(invited))
    first, second = Client(), Client()
    for browser in (first, second):
        browser.get(link)
    choose(first)
    assert heading(Client(), link) == REFUSED
    # Nor for whoever had it open.
    assert choose(second, "another horse battery staple") == ""
    invited.refresh_from_db()
    assert invited.check_password(NEW)


def test_works_for_three_days(invited: User) -> None:
    with freeze_time("2030-01-01 12:00:00") as clock:
        link = path_of(make_link(invited))
        clock.tick(72 * 3600)
        assert heading(Client(), link) == "Choose your password"
        clock.tick(2)
        assert heading(Client(), link) == REFUSED


def test_a_new_link_ends_an_invitation_from_before(invited: User) -> None:
    first, second = path_of(make_link(invited)), path_of(make_link(invited))
    assert heading(Client(), first) == REFUSED
    assert heading(Client(), second) == "Choose your password"


def test_opens_nothing_in_another_tenant(invited: User, make_tenant: Callable[..., Tenant]) -> None:
    globex = make_tenant("globex")
    link = path_of(make_link(invited))
    *_, uid, token, _ = link.split("/")
    assert find_person(invited.tenant, uid, token) == invited
    assert find_person(globex, uid, token) is find_person(None, uid, token) is None
    for elsewhere in (link.replace("/woodgrove/", "/globex/"), link.removeprefix("/woodgrove")):
        assert heading(Client(), elsewhere) == REFUSED


def test_is_worth_nothing_to_whoever_had_the_browser_before(
    tenant: Tenant, invited: User, make_member: Callable[..., User]
) -> None:
    """A stranger leaves a session of their own in somebody's browser, and keeps its cookie."""
    stranger = browser_of(make_member(tenant, "guest@x.example"), methods=("otp",))
    browser = Client()
    browser.cookies[settings.SESSION_COOKIE_NAME] = stranger.cookies[settings.SESSION_COOKIE_NAME].value
    assert heading(browser, path_of(make_link(invited))) == "Choose your password"
    assert choose(stranger) == ""
    assert choose(browser) == f"{URL}second-factor/"


def test_is_readable_nowhere_while_it_is_used(invited: User) -> None:
    """Whoever reads the table of sessions (a backup, say) gets no link that works."""
    link, browser = path_of(make_link(invited)), Client()
    browser.get(link)
    (session,) = Session.objects.all()
    kept = SessionStore().decode(session.session_data)
    assert kept
    assert link.split("/")[-2] not in str(kept)
    assert choose(browser) == f"{URL}second-factor/"


def test_opens_nothing_when_it_is_changed(invited: User, make_member: Callable[..., User]) -> None:
    link = path_of(make_link(invited))
    *_, uid, token, _ = link.split("/")
    other = path_of(make_link(make_member(invited.tenant, "other@x.example", roles=(Role.GLOBAL_READER,))))
    for changed in (link[:-2] + "/", link.replace(uid, "AAAA"), link.replace(uid, other.split("/")[-3])):
        assert heading(Client(), changed) == REFUSED
    stranger = Client()
    assert heading(stranger, link.replace(token, "%00-x")) == REFUSED
    assert settings.SESSION_COOKIE_NAME not in stranger.cookies


@pytest.mark.parametrize(
    "change",
    [
        lambda user: User.objects.filter(pk=user.pk).update(account_enabled=False),
        lambda user: user.role_assignments.all().delete(),
        lambda user: User.objects.filter(pk=user.pk).update(mail="new@woodgrove.example"),
    ],
    ids=["switched off", "role taken", "address changed"],
)
def test_opens_nothing_for_whoever_may_not_enter(invited: User, change: Callable[[User], object]) -> None:
    link = path_of(make_link(invited))
    change(invited)
    assert heading(Client(), link) == REFUSED


@pytest.mark.parametrize(
    ("password", "words"),
    [("short", "too short"), ("password1234", "too common"), ("ada@woodgrove.example", "too similar")],
)
def test_refuses_a_password_that_is_guessed(invited: User, password: str, words: str) -> None:
    browser = Client()
    browser.get(path_of(make_link(invited)))
    form = {"new_password1": password, "new_password2": password}
    page = browser.post(f"{URL}set-password/", form).content.decode()
    assert words in page
    assert 'name="new_password1" value' not in page
    invited.refresh_from_db()
    assert not invited.has_usable_password()


def test_a_new_password_ends_all_sessions_but_is_no_way_round_the_second_factor(
    tenant: Tenant, make_member: Callable[..., User], mailoutbox: list[EmailMessage]
) -> None:
    member = give_app(make_member(tenant, roles=(Role.GLOBAL_READER,)))
    here, elsewhere = Client(), browser_of(member)
    assert sign_in(here, URL, member.mail) == URL
    member.refresh_from_db()
    here.get(path_of(make_link(member)))
    # In a browser that has a session of the same person, too.
    assert choose(here) == f"{URL}second-factor/"
    assert not Session.objects.filter(user=member).exists()
    for browser in (here, elsewhere):
        assert browser.get(URL).status_code == 302
    assert here.get(f"{URL}set-up/")["Location"] == f"{URL}second-factor/"
    assert give_code(here, URL, code_of(SECRET, step=1)) == URL
    assert [mail.to for mail in mailoutbox] == [[member.mail]]


# Forgotten


def forget(browser: Client, mail: str, url: str = URL) -> str:
    return str(browser.post(f"{url}forgot-password/", {"mail": mail}).content.decode())


def test_mails_a_link_to_whoever_has_a_role(
    tenant: Tenant, make_member: Callable[..., User], mailoutbox: list[EmailMessage]
) -> None:
    member = make_member(tenant, roles=(Role.GLOBAL_READER,))
    forget(Client(), member.mail.upper())
    (mail,) = mailoutbox
    assert (mail.to, mail.subject) == ([member.mail], "Set your password for Woodgrove")
    browser = Client()
    assert heading(browser, link_in(mail)) == "Choose your password"
    assert choose(browser) == f"{URL}second-factor/"
    # Until then the old password works.
    assert AuditEvent.objects.get(activity="password.forgotten").target_id == str(member.pk)


def test_a_stranger_who_forgets_for_somebody_ends_nothing(invited: User, mailoutbox: list[EmailMessage]) -> None:
    link, signed_in = path_of(make_link(invited)), browser_of(invited)
    forget(Client(), invited.mail)
    assert signed_in.get(URL).status_code == 200
    assert heading(Client(), link) == heading(Client(), link_in(mailoutbox[0])) == "Choose your password"


def test_answers_the_same_to_every_address_and_mails_nobody_else(
    tenant: Tenant, make_member: Callable[..., User], make_tenant: Callable[..., Tenant], mailoutbox: list[EmailMessage]
) -> None:
    make_member(tenant, "admin@woodgrove.example", roles=(Role.GLOBAL_READER,))
    make_member(tenant, "powerless@woodgrove.example")
    make_member(tenant, "off@woodgrove.example", roles=(Role.GLOBAL_READER,))
    User.objects.filter(mail__startswith="off@").update(account_enabled=False)
    make_member(make_tenant("globex"), "ada@globex.example", roles=(Role.GLOBAL_READER,))
    addresses = [f"{name}@woodgrove.example" for name in ("admin", "powerless", "off", "nobody")]
    pages = {forget(Client(), mail).replace(mail, "") for mail in (*addresses, "ada@globex.example")}
    assert len(pages) == 1
    assert [mail.to for mail in mailoutbox] == [["admin@woodgrove.example"]]


def test_limits_how_often_a_link_is_asked_for(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("identity_portal.set_password.MAILBOX_LIMIT", replace(MAILBOX_LIMIT, count=2))
    monkeypatch.setattr("identity_portal.set_password.NETWORK_LIMIT", replace(NETWORK_LIMIT, count=4))
    mails = ["a@x.example", "A@x.example", "a@x.example", "b@x.example", "c@x.example"]
    tries = [Client().post(f"{URL}forgot-password/", {"mail": mail}).status_code for mail in mails]
    assert tries == [200, 200, 429, 200, 429]


def test_operators_forget_theirs_too(operator: User, mailoutbox: list[EmailMessage]) -> None:
    forget(Client(), operator.mail, url="/admin/")
    browser = Client()
    assert heading(browser, link_in(mailoutbox[0])) == "Choose your password"
    assert choose(browser, url="/admin/") == "/admin/second-factor/"


# By an administrator


def test_a_new_member_gets_the_link_and_the_administrator_sees_it_once(
    browser: Client, ours: Furnished, mailoutbox: list[EmailMessage]
) -> None:
    form = {"mail": "noor@woodgrove.example", "display_name": "Noor", "roles": [Role.GLOBAL_READER]}
    shown = browser.post(f"{ours.admin_url}directory/user/add/", form)["Location"]
    page = browser.get(shown).content.decode()
    (mail,) = mailoutbox
    assert mail.to == ["noor@woodgrove.example"]
    assert link_in(mail) in page
    assert heading(Client(), link_in(mail)) == "Choose your password"
    assert browser.get(shown).status_code == 302
    assert all("set-password" not in session.session_data for session in Session.objects.all())
    assert all("set-password" not in str(event.details) for event in AuditEvent.objects.all())


def test_a_member_without_a_role_gets_no_link(browser: Client, ours: Furnished, mailoutbox: list[EmailMessage]) -> None:
    form = {"mail": "noor@woodgrove.example", "display_name": "Noor"}
    assert browser.post(f"{ours.admin_url}directory/user/add/", form)["Location"] == f"{ours.admin_url}directory/user/"
    assert mailoutbox == []


def test_a_new_tenants_administrator_gets_the_link(operator: User, mailoutbox: list[EmailMessage]) -> None:
    browser = browser_of(operator)
    form = {"name": "Fabrikam", "slug": "fabrikam", "default_language": "en", "is_active": "on"}
    page = browser.post("/admin/directory/tenant/add/", form)
    assert set(page.context["adminform"].form.errors) == {"admin_mail", "admin_name"}
    form |= {"admin_mail": "ada@fabrikam.example", "admin_name": "Ada"}
    shown = browser.get(browser.post("/admin/directory/tenant/add/", form)["Location"]).content.decode()
    admin = User.objects.get(mail="ada@fabrikam.example")
    assert [assignment.role for assignment in admin.role_assignments.all()] == [Role.GLOBAL_ADMINISTRATOR]
    assert link_in(mailoutbox[0]) in shown
    assert link_in(mailoutbox[0]).startswith("/fabrikam/admin/set-password/")
    assert heading(Client(), link_in(mailoutbox[0])) == "Choose your password"


def user_url(ours: Furnished, user: User, page: str) -> str:
    return f"{ours.admin_url}directory/user/{user.pk}/{page}/"


def test_an_administrator_sends_a_new_link(
    browser: Client, ours: Furnished, make_admin: Callable[..., User], mailoutbox: list[EmailMessage]
) -> None:
    member = make_admin(ours.tenant, Role.GLOBAL_READER, mail="noor@woodgrove.example")
    url = user_url(ours, member, "link")
    assert url in browser.get(user_url(ours, member, "change")).content.decode()
    browser.get(url)
    assert mailoutbox == []
    page = browser.get(browser.post(url)["Location"]).content.decode()
    assert link_in(mailoutbox[0]) in page


def test_an_administrator_resets_a_second_factor(
    browser: Client, ours: Furnished, make_member: Callable[..., User], mailoutbox: list[EmailMessage]
) -> None:
    member = give_app(make_member(ours.tenant, "noor@woodgrove.example", roles=(Role.GLOBAL_READER,)))
    new_recovery_codes(member)
    theirs = browser_of(member)
    url = user_url(ours, member, "second-factor/reset")
    browser.get(url)
    assert has_second_factor(member)
    browser.post(url)
    assert not has_second_factor(member)
    assert unused_recovery_codes(member) == []
    assert theirs.get(ours.admin_url).status_code == 302
    event = AuditEvent.objects.get(activity="second_factor.reset")
    assert (event.actor_id, event.target_id) == (str(ours.admin.pk), str(member.pk))
    assert [mail.to for mail in mailoutbox] == [[member.mail]]
    again = Client()
    give_password(again, ours.admin_url, member.mail, PASSWORD)
    assert again.get(f"{ours.admin_url}second-factor/")["Location"] == f"{ours.admin_url}set-up/"


@pytest.mark.parametrize("page", ["link", "second-factor/reset"])
def test_lets_in_nobody_who_stands_above_oneself_or_has_no_role(
    browser: Client, ours: Furnished, theirs: Furnished, make_admin: Callable[..., User], page: str
) -> None:
    plain = make_admin(ours.tenant, mail="plain@woodgrove.example")
    for person, status in ((ours.guest, 403), (plain, 403), (ours.admin, 403), (theirs.admin, 404)):
        assert browser.post(user_url(ours, person, page)).status_code == status
        assert browser.get(user_url(ours, person, page)).status_code == status
    helper = browser_of(make_admin(ours.tenant, Role.USER_ADMINISTRATOR, mail="helper@woodgrove.example"))
    reader = browser_of(make_admin(ours.tenant, Role.GLOBAL_READER, mail="reader@woodgrove.example"))
    for who in (helper, reader):
        assert who.post(user_url(ours, ours.admin, page)).status_code == 403
