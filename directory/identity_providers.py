"""The verbs on identity providers. None of them writes a secret into the audit log, nor a certificate's whole text."""

from datetime import date
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from directory import audit
from directory.identity_provider_settings import check_provider, fingerprint, missing_fields
from directory.models import IdentityProvider

# What is written to a row from outside: nothing but these.
FIELDS = (
    *("name", "client_id", "settings", "domains", "trusted_domains", "may_create_accounts", "claims_mapping"),
    *("signs_out_there", "secret_expires_on"),
)
# What a test of the connection speaks of: when one of them changes, it has to be tested again.
TESTED_FIELDS = ("client_id", "settings", "secret")
TEST_PASSED = "passed"


@transaction.atomic
def create_identity_provider(provider: IdentityProvider, *, actor: models.Model | None = None) -> IdentityProvider:
    """Save a new identity provider. Raises ValidationError: a second one of a kind of which there can be one."""
    check_provider(provider)
    provider.full_clean(exclude=["secret"])
    provider.save(force_insert=True)
    audit.record(
        "identity_provider.created",
        tenant=provider.tenant,
        actor=actor,
        target=provider,
        details={"after": _values_of(provider)},
    )
    return provider


@transaction.atomic
def update_identity_provider(provider: IdentityProvider, *, actor: models.Model | None = None) -> list[str]:
    """Save what `provider` says in memory, but for its secret and whether it is switched on.

    Returns the names of the fields that changed; nothing is written when none did. Raises ValidationError.
    """
    check_provider(provider)
    provider.full_clean(exclude=["secret"])
    saved = IdentityProvider.objects.select_for_update().get(pk=provider.pk)
    changed = [name for name in FIELDS if getattr(saved, name) != getattr(provider, name)]
    if not changed:
        return []
    provider.save(update_fields=changed)
    _forget_test(provider, changed)
    _record(
        provider,
        actor,
        before={name: _shown(getattr(saved, name)) for name in changed},
        after={name: _shown(getattr(provider, name)) for name in changed},
        changed=changed,
    )
    return changed


@transaction.atomic
def replace_secret(
    provider: IdentityProvider, secret: str, *, expires_on: date | None = None, actor: models.Model | None = None
) -> None:
    """Keep another client secret (Apple: another key) from now on. The one before is gone."""
    provider.secret, provider.secret_expires_on = secret, expires_on
    provider.save(update_fields=["secret", "secret_expires_on"])
    _forget_test(provider, ["secret"])
    audit.record(
        "identity_provider.secret_replaced",
        tenant=provider.tenant,
        actor=actor,
        target=provider,
        details={"ends_on": expires_on} if expires_on else {},
    )


@transaction.atomic
def set_enabled(provider: IdentityProvider, *, enabled: bool, actor: models.Model | None = None) -> None:
    """Switch it on or off, in every user flow, from now on. Raises ValidationError where something is missing."""
    provider = IdentityProvider.objects.select_for_update().get(pk=provider.pk)
    if provider.is_enabled == enabled:
        return
    if enabled and (missing := missing_fields(provider)):
        raise ValidationError(_("It can't be switched on yet: something is missing."), params={"missing": missing})
    provider.is_enabled = enabled
    provider.save(update_fields=["is_enabled"])
    _record(provider, actor, before={"is_enabled": not enabled}, after={"is_enabled": enabled}, changed=["is_enabled"])


@transaction.atomic
def delete_identity_provider(provider: IdentityProvider, *, actor: models.Model | None = None) -> None:
    """Delete it for good. The identities of people stay, and nobody can prove them until it is set up again."""
    audit.record(
        "identity_provider.deleted",
        tenant=provider.tenant,
        actor=actor,
        target=provider,
        details={"before": _values_of(provider)},
    )
    provider.delete()


def _forget_test(provider: IdentityProvider, changed: list[str]) -> None:
    """What was tested is not what is there now."""
    if set(changed) & set(TESTED_FIELDS):
        provider.tested_at, provider.test_outcome = None, ""
        provider.save(update_fields=["tested_at", "test_outcome"])


def _values_of(provider: IdentityProvider) -> dict[str, Any]:
    return {name: _shown(value) for name, value in audit.values_of(provider).items()}


def _shown(value: Any) -> Any:
    """Settings with certificates in the form in which people compare them."""
    if not isinstance(value, dict) or not {"certificates", "sp_certificate"} & set(value):
        return value
    shown = {name: inner for name, inner in value.items() if name != "sp_certificate"}
    return shown | {"certificates": [fingerprint(pem) for pem in value.get("certificates", [])]}


def _record(provider: IdentityProvider, actor: models.Model | None, **details: Any) -> None:
    audit.record("identity_provider.updated", tenant=provider.tenant, actor=actor, target=provider, details=details)


def record_test(provider: IdentityProvider, outcome: str) -> None:
    """Keep how the last test ended: TEST_PASSED, or the code of what went wrong."""
    provider.tested_at, provider.test_outcome = timezone.now(), outcome[:100]
    provider.save(update_fields=["tested_at", "test_outcome"])
