"""Changing one's address: the new mailbox is proven, the old one is told, and nobody learns who has which address."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core import mail
from django.test import Client, RequestFactory
from freezegun import freeze_time

from directory.models import AuditEvent, Identity, Session, Tenant, User
from directory.session_store import SessionStore
from tests.relying_party import RelyingParty
from tests.stranger import Stranger
from userflows.change_address import (
    SESSION_KEY,
    TRY_LIMIT,
    address_in_change,
    begin_address_change,
    count_address_change,
    finish_address_change,
)
from userflows.errors import MailInUse, TooManyRequests
from userflows.mail_code import MAILBOX_LIMIT, CodeCheck
from userflows.sign_in import sign_in

ANSWERS = {"GivenName": "Amina", "Surname": "Haddad"}
OLD, NEW = "amina@fabrikam.example", "amina@new.example"


@pytest.fixture
def amina(relying_party: RelyingParty) -> User:
    Stranger(email=OLD).sign_up(relying_party.request_url(), **ANSWERS)
    mail.outbox.clear()
    user: User = User.objects.get()
    return user


@pytest.fixture
def request_of(rf: RequestFactory) -> Callable[[User], Any]:
    """A request of a browser in which somebody is signed in."""

    def make(user: User) -> Any:
        request = rf.post("/")
        request.session, request.user = SessionStore(tenant=user.tenant), AnonymousUser()
        sign_in(request, user, methods=["otp"], identity_provider="mail")
        request.session.save()
        return request

    return make


def code() -> str:
    return str(mail.outbox[-1].subject)[:9].replace(" ", "")


def begin(request: Any, user: User, new_mail: str = NEW) -> None:
    request.session[SESSION_KEY] = begin_address_change(user, new_mail)


def test_changes_the_address_and_tells_the_old_one(
    relying_party: RelyingParty, amina: User, request_of: Callable[[User], Any]
) -> None:
    request = request_of(amina)
    begin(request, amina)
    assert address_in_change(request, amina) == NEW
    assert mail.outbox[-1].to == [NEW]
    assert finish_address_change(request, amina, code()) is CodeCheck.RIGHT
    amina.refresh_from_db()
    assert amina.mail == NEW
    assert Identity.objects.get().issuer_assigned_id == NEW
    notice = mail.outbox[-1]
    assert (notice.to, notice.subject) == ([OLD], "Your email address at Woodgrove was changed")
    assert NEW not in str(notice.body)
    assert "a…@new.example" in str(notice.body)
    event = AuditEvent.objects.get(activity="user.mail_changed")
    assert event.details == {"before": {"mail": OLD}, "after": {"mail": NEW}}
    # This browser stays signed in, the one of the sign-up doesn't.
    request.session.save()
    assert Session.objects.filter(user=amina).count() == 1
    assert Stranger(email=NEW).open(relying_party.request_url()).give_email().give_code().left_to
    old = Stranger(email=OLD).open(relying_party.request_url()).give_email().give_code()
    assert old.step == "attributes"


def test_does_not_work_twice(amina: User, request_of: Callable[[User], Any]) -> None:
    request = request_of(amina)
    begin(request, amina)
    assert finish_address_change(request, amina, code()) is CodeCheck.RIGHT
    assert finish_address_change(request, amina, code()) is CodeCheck.EXPIRED


def test_lets_a_code_be_tried_five_times_however_they_come(amina: User, request_of: Callable[[User], Any]) -> None:
    request = request_of(amina)
    begin(request, amina)
    kept = request.session[SESSION_KEY]
    for _ in range(TRY_LIMIT.count):
        request.session[SESSION_KEY] = kept
        assert finish_address_change(request, amina, "x") is CodeCheck.WRONG
    request.session[SESSION_KEY] = kept
    assert finish_address_change(request, amina, code()) is CodeCheck.EXPIRED
    assert User.objects.get().mail == OLD


def test_refuses_a_code_after_fifteen_minutes(amina: User, request_of: Callable[[User], Any]) -> None:
    request = request_of(amina)
    with freeze_time("2026-05-01 10:00:00"):
        begin(request, amina)
    with freeze_time("2026-05-01 10:15:01"):
        assert finish_address_change(request, amina, code()) is CodeCheck.EXPIRED


def test_is_for_the_person_and_the_address_that_it_was_begun_for(
    relying_party: RelyingParty, amina: User, request_of: Callable[[User], Any]
) -> None:
    Stranger(email="boris@fabrikam.example").sign_up(relying_party.request_url(), **ANSWERS)
    boris = User.objects.get(mail="boris@fabrikam.example")
    request = request_of(boris)
    begin(request, amina)
    User.objects.filter(pk=amina.pk).update(mail="changed@since.example")
    amina.refresh_from_db()
    assert finish_address_change(request, amina, code()) is CodeCheck.EXPIRED
    # Nor for who has the old address now.
    User.objects.filter(pk=boris.pk).update(mail=OLD)
    boris.refresh_from_db()
    assert finish_address_change(request, boris, code()) is CodeCheck.EXPIRED


@pytest.mark.parametrize("whose", ["mail", "identity", "identity, and there is none of one's own"])
def test_mails_the_code_in_any_case_and_refuses_somebodys_address_only_after_it(
    relying_party: RelyingParty, amina: User, request_of: Callable[[User], Any], whose: str
) -> None:
    Stranger(email=NEW).sign_up(relying_party.request_url(), **ANSWERS)
    if whose != "mail":
        User.objects.filter(mail=NEW).update(mail="elsewhere@new.example")
    if "none" in whose:
        Identity.objects.filter(user=amina).update(issuer="google.com")
    request = request_of(amina)
    begin(request, amina, NEW.upper())
    assert mail.outbox[-1].to == [NEW.upper()]
    with pytest.raises(MailInUse):
        finish_address_change(request, amina, code())
    assert set(Identity.objects.values_list("issuer_assigned_id", flat=True)) == {OLD, NEW}
    assert User.objects.get(pk=amina.pk).mail == OLD
    assert Session.objects.filter(user=amina).count() == 2


def test_limits_the_codes_of_a_mailbox(amina: User, request_of: Callable[[User], Any]) -> None:
    request = request_of(amina)
    for _ in range(MAILBOX_LIMIT.count):
        count_address_change(request, amina, NEW)
    with pytest.raises(TooManyRequests):
        count_address_change(request, amina, NEW)


def test_changes_the_case_of_an_address(
    amina: User, tenant: Tenant, client: Client, request_of: Callable[[User], Any]
) -> None:
    request = request_of(amina)
    begin(request, amina, "Amina@fabrikam.example")
    assert finish_address_change(request, amina, code()) is CodeCheck.RIGHT
    assert User.objects.get().mail == "Amina@fabrikam.example"
    assert Identity.objects.get().issuer_assigned_id == OLD
