"""Sessions: hashed at rest, bound to a tenant, new at sign-in."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from directory.models import Session, Tenant, User
from directory.session_store import SessionStore, hashed
from tests.relying_party import RelyingParty
from tests.stranger import Stranger
from userflows.models import UserFlow

MakeTenant = Callable[..., Tenant]
ANSWERS = {"GivenName": "Amina", "Surname": "Haddad"}


def saved(tenant: Tenant | None) -> SessionStore:
    store = SessionStore(tenant_id=tenant.pk if tenant else None)
    store["colour"] = "green"
    store.save()
    return store


def cookie(stranger: Stranger) -> str:
    return stranger.http.cookies[settings.SESSION_COOKIE_NAME].value


def test_keeps_only_a_hash_of_the_cookie(relying_party: RelyingParty, stranger: Stranger) -> None:
    stranger.sign_up(relying_party.request_url(), **ANSWERS)
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM directory_session")
        stored = str(cursor.fetchall())
    assert cookie(stranger) not in stored
    assert hashed(cookie(stranger)) in stored


def test_tells_the_directory_whose_session_it_is(relying_party: RelyingParty, stranger: Stranger) -> None:
    stranger.sign_up(relying_party.request_url(), **ANSWERS)
    session = Session.objects.get()
    assert (session.user, session.tenant) == (User.objects.get(), relying_party.application.tenant)
    assert session.signed_in_at is not None
    assert abs(session.signed_in_at - timezone.now()) < timedelta(minutes=1)
    assert timedelta(hours=23) < session.expire_date - timezone.now() <= timedelta(hours=24)


@pytest.mark.django_db
def test_is_opened_by_its_own_key(make_tenant: MakeTenant) -> None:
    for tenant in (make_tenant("contoso"), None):
        store = saved(tenant)
        again = SessionStore(store.session_key, tenant_id=store.tenant_id)
        assert again["colour"] == "green"


def test_is_not_opened_by_the_hash_from_a_stolen_table(make_tenant: MakeTenant) -> None:
    tenant = make_tenant("contoso")
    saved(tenant)
    stolen = Session.objects.get().session_key
    assert SessionStore(stolen, tenant_id=tenant.pk).load() == {}


def test_is_not_opened_in_another_tenant(make_tenant: MakeTenant) -> None:
    one, other = make_tenant("contoso"), make_tenant("fabrikam")
    store, operators = saved(one), saved(None)
    for key, tenant_id in (
        (store.session_key, other.pk),
        (store.session_key, None),
        (operators.session_key, one.pk),
    ):
        foreign = SessionStore(key, tenant_id=tenant_id)
        assert foreign.get("colour") is None
        # Neither taken over nor ended from there.
        assert foreign.session_key is None
        SessionStore(tenant_id=tenant_id).delete(key)
    assert Session.objects.count() == 2


def test_never_takes_a_key_that_the_browser_chose(make_tenant: MakeTenant) -> None:
    store = SessionStore("chosenbytheattacker0000000000000", tenant_id=make_tenant("contoso").pk)
    store["colour"] = "red"
    store.save()
    assert store.session_key != "chosenbytheattacker0000000000000"


def test_ends_at_its_time(make_tenant: MakeTenant) -> None:
    tenant = make_tenant("contoso")
    store = saved(tenant)
    Session.objects.update(expire_date=timezone.now())
    assert SessionStore(store.session_key, tenant_id=tenant.pk).load() == {}
    SessionStore.clear_expired()
    assert not Session.objects.exists()


def test_gets_a_new_key_at_sign_in(relying_party: RelyingParty, stranger: Stranger) -> None:
    """Session fixation: a key that somebody planted before is worth nothing after."""
    tenant = relying_party.application.tenant
    planted = str(saved(tenant).session_key)
    stranger.http.cookies[settings.SESSION_COOKIE_NAME] = planted
    stranger.sign_up(relying_party.request_url(), **ANSWERS)
    assert cookie(stranger) != planted
    assert not Session.objects.filter(session_key=hashed(planted)).exists()
    assert Session.objects.get().session_key == hashed(cookie(stranger))


def test_ends_with_its_user_and_its_tenant(relying_party: RelyingParty, stranger: Stranger) -> None:
    stranger.sign_up(relying_party.request_url(), **ANSWERS)
    User.objects.get().delete()
    assert not Session.objects.exists()


def test_carries_nobody_into_another_tenant(
    relying_party: RelyingParty,
    stranger: Stranger,
    make_tenant: MakeTenant,
    make_user_flow: Callable[..., UserFlow],
    make_relying_party: Callable[..., RelyingParty],
) -> None:
    stranger.sign_up(relying_party.request_url(), **ANSWERS)
    other = make_tenant("fabrikam")
    there = make_relying_party(other, make_user_flow(other))
    # A browser would not send it: the cookie is bound to the first tenant's path.
    stranger.http.cookies[settings.SESSION_COOKIE_NAME]["path"] = "/"
    stranger.open(there.request_url())
    assert stranger.step == "choose"
