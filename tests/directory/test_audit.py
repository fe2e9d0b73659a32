"""The audit log: written by one function, never changed, without secrets in it."""

import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, models, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.translation import gettext_lazy

from directory import audit
from directory.correlation import set_correlation_id
from directory.models import AuditEvent, Tenant, User
from directory.models.audit_event import AuditEventChanged
from directory.tenants import create_tenant
from identity_portal.oidc.keys import active_key


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


def test_keeps_what_is_no_json_as_text(tenant: Tenant) -> None:
    moment = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
    details = {
        "after": {"at": moment, "id": tenant.pk, "tenant": tenant, "rows": Tenant.objects.all(), "NUL": "a\0b"},
        "label": gettext_lazy("Yes"),
        "several": {1},
    }
    event = audit.record("tenant.changed", tenant=tenant, details=details)
    event.refresh_from_db()
    after = event.details["after"]
    assert (after["at"], after["id"], after["tenant"], after["rows"], after["NUL"]) == (
        "2026-01-02T03:04:00Z",
        str(tenant.pk),
        "Woodgrove",
        ["Woodgrove"],
        "ab",
    )
    assert (event.details["label"], event.details["several"]) == ("Yes", [1])


def test_is_found_by_words_but_not_by_secrets_or_ids(tenant: Tenant) -> None:
    details = {"mail": "Amina@Fabrikam.example", "after": {"name": "Ünal"}, "api_secret": "hush", "id": str(tenant.pk)}
    event = audit.record("sign_up.refused", tenant=tenant, target=tenant, reason="tenant_sign_up_off", details=details)
    assert event.search_text.split("\n") == [
        "sign_up.refused",
        "tenant_sign_up_off",
        "woodgrove",
        "amina@fabrikam.example",
        "ünal",
    ]


def test_knows_the_values_of_a_row_without_its_secrets(tenant: Tenant) -> None:
    user = User.objects.create(tenant=tenant, mail="amina@fabrikam.example", postal_code="8010", password="hash")
    values = audit.record("user.deleted", tenant=tenant, details={"before": audit.values_of(user)}).details["before"]
    assert (values["mail"], values["postal_code"], values["password"]) == ("amina@fabrikam.example", "8010", "******")
    assert not {"search_text", "id", "tenant"} & set(values)
    key = active_key(tenant, "ES256")
    assert audit.values_of(key)["private_jwk"] == "******"


def aged(days: float, tenant: Tenant | None) -> AuditEvent:
    event = audit.record("user.created", tenant=tenant)
    models.QuerySet.update(AuditEvent.objects.filter(pk=event.pk), at=timezone.now() - timedelta(days=days))
    return event


def test_is_deleted_when_its_tenants_time_is_over(make_tenant: Callable[..., Tenant]) -> None:
    short, long = make_tenant("short", audit_retention_days=90), make_tenant("long", audit_retention_days=3650)
    odd = make_tenant("odd")
    Tenant.objects.filter(pk=odd.pk).update(audit_retention_days=17)
    kept = [aged(89.9, short), aged(3649, long), aged(3649, None), audit.record("user.created", tenant=short)]
    for days, tenant in ((90.1, short), (400, short), (3651, long), (3651, None), (18, odd)):
        aged(days, tenant)
    before = AuditEvent.objects.count()
    assert audit.purge_audit_events(timezone.now()) == 5
    assert AuditEvent.objects.count() == before - 5
    assert set(kept) <= set(AuditEvent.objects.all())
    assert audit.purge_audit_events(timezone.now()) == 0


def test_is_deleted_in_batches(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "PURGED_AT_ONCE", 2)
    for _number in range(5):
        aged(500, tenant)
    with CaptureQueriesContext(connection) as queries:
        assert audit.purge_audit_events(timezone.now()) == 5
    assert len([query for query in queries if query["sql"].startswith("DELETE")]) >= 4
