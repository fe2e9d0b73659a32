"""Deleting people: softly for thirty days, then for good."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from directory.models import AuditEvent, Identity, Tenant, User
from directory.roles import PERMISSIONS, Role
from identity_portal.oidc.models import AccessToken, Grant, RefreshToken
from tests.admin.conftest import Furnished, browser_of
from tests.oidc.browsing import tokens_for
from tests.relying_party import RelyingParty
from tests.stranger import Stranger
from userflows.models import Journey, SignIn, SignUp


def deleted_url(furnished: Furnished, user: User | None = None, page: str = "") -> str:
    tail = f"{user.pk}/{page}/" if user else ""
    return f"{furnished.admin_url}directory/user/deleted/{tail}"


def delete(browser: Client, furnished: Furnished, user: User) -> None:
    response = browser.post(f"{furnished.admin_url}directory/user/{user.pk}/delete/", {"post": "yes"})
    assert response.status_code == 302


def activities(user: User) -> list[str]:
    return list(AuditEvent.objects.filter(target_id=str(user.pk)).order_by("at").values_list("activity", flat=True))


def test_moves_to_the_list_of_the_deleted(browser: Client, ours: Furnished) -> None:
    delete(browser, ours, ours.guest)
    assert ours.guest not in browser.get(f"{ours.admin_url}directory/user/").context["cl"].result_list
    assert browser.get(f"{ours.admin_url}directory/user/{ours.guest.pk}/change/").status_code == 302
    page = browser.get(deleted_url(ours))
    assert list(page.context["cl"].result_list) == [ours.guest]
    html = page.content.decode()
    assert "29 days" in html
    for link in ("restore", "delete-for-good"):
        assert deleted_url(ours, ours.guest, link) in html
    assert activities(ours.guest) == ["user.deleted"]


def test_says_that_nobody_is_deleted(browser: Client, ours: Furnished) -> None:
    html = browser.get(deleted_url(ours)).content.decode()
    assert "Nobody is deleted." in html
    assert f'href="{deleted_url(ours)}"' in browser.get(ours.admin_url).content.decode()


def test_marks_one_place_in_the_menu(browser: Client, ours: Furnished) -> None:
    for path in ("directory/user/", "directory/user/deleted/"):
        html = browser.get(ours.admin_url + path).content.decode()
        # Beside the page, and in the drawer of a phone.
        assert html.count(f'href="{ours.admin_url}{path}" aria-current="page"') == 2
        assert len(re.findall(r'<a [^>]*aria-current="page"', html)) == 2


def test_counts_the_days_down(browser: Client, ours: Furnished) -> None:
    for ago, words in ((timedelta(days=12, hours=1), "17 days"), (timedelta(days=29, hours=12), "Less than a day")):
        User.objects.filter(pk=ours.guest.pk).update(deleted_at=timezone.now() - ago)
        assert words in browser.get(deleted_url(ours)).content.decode()


def test_restores(browser: Client, ours: Furnished) -> None:
    delete(browser, ours, ours.guest)
    page = browser.get(deleted_url(ours, ours.guest, "restore")).content.decode()
    assert "They can sign in again" in page
    browser.post(deleted_url(ours, ours.guest, "restore"))
    restored = User.objects.get(pk=ours.guest.pk)
    assert restored.is_active
    assert restored.extension_values == ours.guest.extension_values
    assert browser.get(deleted_url(ours, ours.guest, "restore")).status_code == 404
    assert activities(ours.guest) == ["user.deleted", "user.restored"]


def test_deletes_for_good_all_but_the_audit_log(
    browser: Client, ours: Furnished, make_relying_party: Callable[..., RelyingParty]
) -> None:
    shop = make_relying_party(ours.tenant, ours.flow, name="Shop")
    stranger = Stranger(email="Amina@fabrikam.example")
    stranger.open(shop.request_url(scope="openid offline_access")).give_email().give_code()
    stranger.submit(GivenName="Amina", **{ours.attribute.name: "secret answer"})
    shop.redeem(shop.answer(stranger.left_to)["code"])
    person = User.objects.get(mail__istartswith="amina")
    # As if it were another try of theirs, from before they were known.
    entry = SignIn.objects.get(user=person)
    assert "amina@fabrikam.example" in (entry.mail, entry.search_text)
    SignIn.objects.filter(pk=entry.pk).update(user=None)
    other = SignIn.objects.create(
        id=person.pk, tenant=ours.tenant, mail="other@x.example", correlation_id=person.pk, user=ours.guest
    )
    delete(browser, ours, person)
    page = browser.get(deleted_url(ours, person, "delete-for-good")).content.decode()
    assert "The audit log stays" in page
    browser.post(deleted_url(ours, person, "delete-for-good"))
    for model in (Identity, AccessToken, RefreshToken, Grant, Journey, SignUp):
        assert not model.objects.filter(user=person.pk).exists(), model
    assert not User.objects.filter(pk=person.pk).exists()
    entry.refresh_from_db()
    assert (entry.mail, entry.user, entry.outcome) == ("", None, "signedUp")
    assert "amina" not in entry.search_text
    other.refresh_from_db()
    assert (other.mail, other.user) == ("other@x.example", ours.guest)
    assert activities(person) == ["user.signed_up", "user.deleted", "user.erased"]


def test_deletes_for_good_only_who_is_deleted(browser: Client, ours: Furnished) -> None:
    for page in ("restore", "delete-for-good"):
        assert browser.post(deleted_url(ours, ours.guest, page)).status_code == 404
    assert User.objects.filter(pk=ours.guest.pk).exists()


def test_asks_who_is_there_before_deleting_for_good(ours: Furnished) -> None:
    User.objects.filter(pk=ours.guest.pk).update(deleted_at=timezone.now())
    browser = browser_of(ours.admin, proven=False)
    response = browser.post(deleted_url(ours, ours.guest, "delete-for-good"))
    assert "step-up" in response["Location"] or "step_up" in response["Location"]
    assert User.objects.filter(pk=ours.guest.pk).exists()
    assert browser.post(deleted_url(ours, ours.guest, "restore")).status_code == 302
    assert User.objects.get(pk=ours.guest.pk).deleted_at is None


def test_knows_nobody_of_another_tenant(browser: Client, ours: Furnished, theirs: Furnished) -> None:
    User.objects.filter(pk=theirs.guest.pk).update(deleted_at=timezone.now())
    assert not browser.get(deleted_url(ours)).context["cl"].result_list
    for page in ("restore", "delete-for-good"):
        assert browser.get(deleted_url(ours, theirs.guest, page)).status_code == 404
        assert browser.post(deleted_url(ours, theirs.guest, page)).status_code == 404
    assert User.objects.get(pk=theirs.guest.pk).deleted_at is not None


@pytest.mark.parametrize("role", list(Role))
def test_acts_as_its_row_says(ours: Furnished, make_admin: Callable[..., User], role: Role) -> None:
    User.objects.filter(pk=ours.guest.pk).update(deleted_at=timezone.now())
    helper = browser_of(make_admin(ours.tenant, role, mail="one.role@woodgrove.example"))
    may_view, may_delete = (action in PERMISSIONS[role].get("user", frozenset()) for action in ("view", "delete"))
    page = helper.get(deleted_url(ours))
    assert page.status_code == (200 if may_view else 403)
    if may_view:
        assert (deleted_url(ours, ours.guest, "restore") in page.content.decode()) == may_delete
    assert helper.post(deleted_url(ours, ours.guest, "restore")).status_code == (302 if may_delete else 403)
    User.objects.filter(pk=ours.guest.pk).update(deleted_at=timezone.now())
    assert helper.post(deleted_url(ours, ours.guest, "delete-for-good")).status_code == (302 if may_delete else 403)
    assert User.objects.filter(pk=ours.guest.pk).exists() is not may_delete


def test_brings_back_nobody_who_stands_above(ours: Furnished, make_admin: Callable[..., User]) -> None:
    """Restoring an administrator gives a role to somebody who has none at the moment."""
    above = make_admin(ours.tenant, Role.GLOBAL_ADMINISTRATOR, mail="above@woodgrove.example")
    User.objects.filter(pk=above.pk).update(deleted_at=timezone.now())
    helper = browser_of(make_admin(ours.tenant, Role.USER_ADMINISTRATOR, mail="helper@woodgrove.example"))
    for page in ("restore", "delete-for-good"):
        assert helper.post(deleted_url(ours, above, page)).status_code == 403
        assert deleted_url(ours, above, page) not in helper.get(deleted_url(ours)).content.decode()
    assert User.objects.get(pk=above.pk).deleted_at is not None


def test_a_deleted_person_neither_signs_in_nor_up_again(
    tenant: Tenant, relying_party: RelyingParty, stranger: Stranger
) -> None:
    tokens_for(relying_party, stranger)
    User.objects.update(deleted_at=timezone.now())
    again = Stranger().open(relying_party.request_url()).give_email().give_code()
    assert not again.left_to
    assert User.objects.count() == 1


def test_goes_for_good_after_thirty_days(
    ours: Furnished, make_guest: Callable[..., User], theirs: Furnished, capsys: pytest.CaptureFixture[str]
) -> None:
    early = make_guest(ours.tenant, "early@x.example", deleted_at=timezone.now() - timedelta(days=29))
    late = [
        make_guest(furnished.tenant, f"late{i}@x.example", deleted_at=timezone.now() - timedelta(days=30, minutes=i))
        for i, furnished in enumerate((ours, theirs, ours), start=1)
    ]
    entry = SignIn.objects.create(id=late[0].pk, tenant=ours.tenant, mail="late1@x.example", correlation_id=late[0].pk)
    call_command("purge_expired")
    assert not User.objects.filter(pk__in=[user.pk for user in late]).exists()
    assert User.objects.filter(pk__in=[early.pk, ours.guest.pk, theirs.guest.pk]).count() == 3
    entry.refresh_from_db()
    assert entry.mail == ""
    event = AuditEvent.objects.get(target_id=str(late[1].pk))
    assert (event.activity, event.tenant, event.actor_id) == ("user.erased", theirs.tenant, "")
    assert "deleted users: 3" in capsys.readouterr().out
