"""The audit log: written by one function, never changed, without secrets in it."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from directory import audit
from directory.correlation import set_correlation_id
from directory.models import AuditEvent, Tenant, User
from directory.models.audit_event import AuditEventChanged
from directory.tenants import create_tenant


def test_records_who_did_what_to_what(tenant: Tenant) -> None:
    correlation_id = uuid.uuid4()
    set_correlation_id(correlation_id)
    actor = User.objects.create(tenant=tenant, mail="ada@contoso.example", display_name="Ada Admin")
    event = audit.record("tenant.changed", tenant=tenant, actor=actor, target=tenant, details={"name": "Contoso"})
    event.refresh_from_db()
    assert (event.tenant, event.activity, event.result, event.reason) == (tenant, "tenant.changed", "success", "")
    assert (event.actor_type, event.actor_id, event.actor_name) == ("user", str(actor.pk), "Ada Admin")
    assert (event.target_type, event.target_id, event.target_name) == ("tenant", str(tenant.pk), "Woodgrove")
    assert event.correlation_id == correlation_id
    assert event.details == {"name": "Contoso"}
    assert str(event) == "tenant.changed · Woodgrove"


@pytest.mark.django_db
def test_is_a_failure_with_a_reason() -> None:
    event = audit.record("sign_up.refused", tenant=None, reason="tenant_sign_up_off")
    assert (event.result, event.reason) == ("failure", "tenant_sign_up_off")
    assert (event.actor_name, event.target_name, event.details) == ("", "", {})


@pytest.mark.parametrize(
    ("details", "kept"),
    [
        ({"client_secret": "x"}, {"client_secret": "******"}),
        ({"newPassword": "x", "mail": "a@b.example"}, {"newPassword": "******", "mail": "a@b.example"}),
        ({"code": "12345678"}, {"code": "******"}),
        ({"access_token": "x", "private_jwk": {"d": "x"}}, {"access_token": "******", "private_jwk": "******"}),
        ({"settings": {"api_secret": "x", "url": "y"}}, {"settings": {"api_secret": "******", "url": "y"}}),
        ({"rows": [{"token": "x"}, "y"]}, {"rows": [{"token": "******"}, "y"]}),
    ],
)
@pytest.mark.django_db
def test_blacks_out_secrets_however_deep(details: dict[str, Any], kept: dict[str, Any]) -> None:
    event = audit.record("application.changed", tenant=None, details=details)
    event.refresh_from_db()
    assert event.details == kept


def test_stands_or_falls_with_the_change_it_tells_of(tenant: Tenant) -> None:
    def create_and_fail() -> None:
        with transaction.atomic():
            create_tenant(Tenant(slug="contoso", name="Contoso"))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        create_and_fail()
    assert not AuditEvent.objects.filter(target_name="Contoso").exists()


@pytest.mark.django_db
def test_cannot_be_changed_or_deleted() -> None:
    event = audit.record("tenant.changed", tenant=None)
    event.activity = "nothing.happened"
    everything = AuditEvent.objects.all()
    attempts: list[Callable[[], object]] = [
        event.save,
        lambda: event.save(update_fields=["activity"]),
        event.delete,
        lambda: everything.update(activity="nothing.happened"),
        everything.delete,
        lambda: AuditEvent.objects.filter(pk=event.pk).delete(),
        lambda: AuditEvent.objects.bulk_update([event], ["activity"]),
        lambda: AuditEvent.objects.update_or_create({"activity": "nothing.happened"}, pk=event.pk),
    ]
    for attempt in attempts:
        with pytest.raises(AuditEventChanged), transaction.atomic():
            attempt()
    assert AuditEvent.objects.get().activity == "tenant.changed"


@pytest.mark.django_db
def test_cannot_be_written_over() -> None:
    event = audit.record("tenant.changed", tenant=None)
    again = AuditEvent(pk=event.pk, activity="nothing.happened", correlation_id=event.correlation_id)
    with pytest.raises(IntegrityError), transaction.atomic():
        again.save()
    with pytest.raises(ValueError, match="Cannot force both"):
        again.save(force_update=True)
    assert AuditEvent.objects.get().activity == "tenant.changed"


def test_goes_with_its_tenant_only(tenant: Tenant) -> None:
    user = User.objects.create(tenant=tenant, mail="amina@fabrikam.example")
    audit.record("user.created", tenant=tenant, target=user)
    user.delete()
    assert AuditEvent.objects.filter(activity="user.created", target_name="amina@fabrikam.example").exists()
    tenant.delete()
    assert not AuditEvent.objects.exists()
