"""Guests and members in the admin."""

from collections.abc import Callable

from django.test import Client

from directory.models import AuditEvent, Identity, User
from directory.roles import Role
from tests.admin.conftest import Furnished, browser_of
from tests.admin.form_data import user_form

NEW = {"mail": "new@woodgrove.example", "display_name": "Noor New"}


def user_url(ours: Furnished, user: User, page: str = "change") -> str:
    return f"{ours.admin_url}directory/user/{user.pk}/{page}/"


def activities(user: User) -> list[str]:
    return list(AuditEvent.objects.filter(target_id=str(user.pk)).order_by("at").values_list("activity", flat=True))


def test_adds_a_member_with_roles_who_sets_the_password(browser: Client, ours: Furnished) -> None:
    roles = [Role.GLOBAL_READER, Role.APPLICATION_ADMINISTRATOR]
    assert browser.post(f"{ours.admin_url}directory/user/add/", {**NEW, "roles": roles}).status_code == 302
    member = User.objects.get(mail=NEW["mail"])
    assert (member.user_type, member.tenant, member.has_usable_password()) == ("Member", ours.tenant, False)
    assert sorted(member.role_assignments.values_list("role", flat=True)) == sorted(roles)
    assert activities(member) == ["user.created", "role.assigned", "role.assigned", "one_time_link.created"]
    created = AuditEvent.objects.get(target_id=str(member.pk), activity="user.created")
    assert created.actor_id == str(ours.admin.pk)


def test_refuses_an_address_that_somebody_signs_in_with(browser: Client, ours: Furnished) -> None:
    Identity.objects.filter(user=ours.guest).update(issuer_assigned_id=NEW["mail"])
    page = browser.post(f"{ours.admin_url}directory/user/add/", {**NEW, "mail": NEW["mail"].upper()})
    assert "Somebody in this tenant signs in with this email address." in page.content.decode()


def test_shows_a_guest_as_a_whole_and_escapes_what_they_typed(browser: Client, ours: Furnished) -> None:
    ours.guest.display_name = "<script>alert(1)</script>"
    ours.guest.extension_values = {ours.attribute.name: "<b>bold</b>", "extension_Gone": True}
    ours.guest.save()
    html = browser.get(user_url(ours, ours.guest)).content.decode()
    assert "<script>alert" not in html
    assert "<b>bold" not in html
    for shown in (ours.attribute.display_name, "&lt;b&gt;bold&lt;/b&gt;", "extension_Gone", "Yes", ours.guest.mail):
        assert shown in html
    for part in ("Ways to sign in", "Self-service sign-up", str(ours.guest.pk), ours.application.name):
        assert part in html


def test_never_shows_a_password_hash(browser: Client, ours: Furnished) -> None:
    for page in ("change", "history"):
        html = browser.get(user_url(ours, ours.admin, page)).content.decode()
        assert "argon2" not in html
        assert ours.admin.password not in html


def test_changes_a_profile_but_not_who_the_person_is(browser: Client, ours: Furnished) -> None:
    forged = {"mail": "other@x.example", "user_type": "Member", "is_operator": "on", "tenant": "", "password": "x"}
    browser.post(user_url(ours, ours.guest), user_form(display_name="Ana", city="Graz", **forged))
    before, after = ours.guest, User.objects.get(pk=ours.guest.pk)
    assert (after.display_name, after.city) == ("Ana", "Graz")
    for name in ("mail", "user_type", "is_operator", "tenant", "password", "creation_type"):
        assert getattr(after, name) == getattr(before, name)
    assert AuditEvent.objects.get(activity="user.updated").details["changed"] == ["display_name", "city"]


def test_writes_nothing_down_when_nothing_changed(browser: Client, ours: Furnished) -> None:
    browser.post(user_url(ours, ours.guest), user_form(display_name=ours.guest.display_name))
    assert activities(ours.guest) == []


def test_gives_and_takes_roles(browser: Client, ours: Furnished, make_admin: Callable[..., User]) -> None:
    member = make_admin(ours.tenant, Role.GLOBAL_READER, mail="member@woodgrove.example")
    form = {**user_form(), "roles": [Role.USER_ADMINISTRATOR]}
    browser.post(user_url(ours, member), form)
    assert list(member.role_assignments.values_list("role", flat=True)) == [Role.USER_ADMINISTRATOR]
    assert activities(member)[-3:] == ["role.assigned", "role.removed", "user.updated"]


def test_gives_no_role_to_a_guest(browser: Client, ours: Furnished) -> None:
    browser.post(user_url(ours, ours.guest), {**user_form(), "roles": [Role.GLOBAL_ADMINISTRATOR]})
    assert not ours.guest.role_assignments.exists()
    assert "What they may do here" not in browser.get(user_url(ours, ours.guest)).content.decode()


def test_nobody_takes_their_own_roles(browser: Client, ours: Furnished) -> None:
    assert browser.post(user_url(ours, ours.admin), user_form()).status_code == 302
    admin = User.objects.get(pk=ours.admin.pk)
    assert admin.display_name == "New name"
    assert admin.role_assignments.filter(role=Role.GLOBAL_ADMINISTRATOR).exists()


def test_nobody_topples_who_stands_above_them(ours: Furnished, make_admin: Callable[..., User]) -> None:
    helper = browser_of(make_admin(ours.tenant, Role.USER_ADMINISTRATOR, mail="helper@woodgrove.example"))
    assert helper.get(user_url(ours, ours.admin)).status_code == 200
    assert helper.post(user_url(ours, ours.admin), user_form()).status_code == 403
    assert helper.post(user_url(ours, ours.admin, "delete"), {"post": "yes"}).status_code == 403
    assert helper.post(user_url(ours, ours.guest), user_form()).status_code == 302


def test_nobody_raises_themselves_or_others(ours: Furnished, make_admin: Callable[..., User]) -> None:
    helper = make_admin(ours.tenant, Role.USER_ADMINISTRATOR, mail="helper@woodgrove.example")
    plain = make_admin(ours.tenant, mail="plain@woodgrove.example")
    for target in (helper, plain):
        form = {**user_form(), "roles": [Role.GLOBAL_ADMINISTRATOR]}
        browser_of(helper).post(user_url(ours, target), form)
        assert not target.role_assignments.filter(role=Role.GLOBAL_ADMINISTRATOR).exists()


def test_finds_people_by_name_address_and_id(browser: Client, ours: Furnished, make_guest: Callable[..., User]) -> None:
    lena = make_guest(ours.tenant, "lena@fabrikam.example", display_name="Lena Vogt", surname="Vogt")
    lena.extension_values = {"extension_Badge": "X-4711"}
    lena.save()
    for term in ("vogt", "LENA@fabrikam", str(lena.pk), f" {lena.pk} ", "vogt fabrikam", "4711 lena"):
        found = browser.get(f"{ours.admin_url}directory/user/", {"q": term}).context["cl"].result_list
        assert list(found) == [lena], term
    assert not browser.get(f"{ours.admin_url}directory/user/", {"q": "vogt woodgrove"}).context["cl"].result_list
    assert "Nothing was found." in browser.get(f"{ours.admin_url}directory/user/?q=zzz").content.decode()
