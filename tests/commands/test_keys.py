"""rotate_keys, reencrypt_secrets: the keys that sign, and the keys that seal."""

import base64
from datetime import timedelta

import pytest
from django.core.management import CommandError
from django.utils import timezone
from pytest_django import Settings

from directory.models import AuditEvent, Tenant
from identity_portal.oidc.keys import active_key
from identity_portal.oidc.models import SigningKey
from tests.commands.conftest import Run, RunJson

ROTATE = ("rotate_keys", "woodgrove", "--algorithm=ES256")


def let_keys_age() -> None:
    SigningKey.objects.update(created_at=timezone.now() - timedelta(minutes=5))


def states() -> list[str]:
    return sorted(SigningKey.objects.values_list("state", flat=True))


def test_lets_the_next_key_sign(run_json: RunJson, tenant: Tenant) -> None:
    old = active_key(tenant, "ES256")
    following = SigningKey.objects.get(state="next")
    let_keys_age()
    answer = run_json(*ROTATE)
    assert answer == {"tenant": "woodgrove", "algorithm": "ES256", "kid": following.kid}
    assert active_key(tenant, "ES256") == following
    old.refresh_from_db()
    assert old.state == "retired"
    assert states() == ["active", "next", "retired"]
    assert AuditEvent.objects.get(activity="signing_key.rotated").details["forced"] is False


def test_tells_people_which_key_signs(run: Run, tenant: Tenant) -> None:
    active_key(tenant, "ES256")
    let_keys_age()
    said = run(*ROTATE)
    assert said == f"tenant: woodgrove\nalgorithm: ES256\nkid: {active_key(tenant, 'ES256').kid}\n"


def test_waits_until_every_client_can_know_the_next_key(run: Run, tenant: Tenant) -> None:
    old = active_key(tenant, "ES256")
    with pytest.raises(CommandError, match=r"Wait until \d\d:\d\d:\d\d UTC.* Or say --force"):
        run(*ROTATE)
    assert active_key(tenant, "ES256") == old
    assert states() == ["active", "next"]


def test_does_not_wait_after_a_theft(run_json: RunJson, tenant: Tenant) -> None:
    old = active_key(tenant, "ES256")
    assert run_json(*ROTATE, "--force")["kid"] != old.kid
    assert AuditEvent.objects.get(activity="signing_key.rotated").details["forced"] is True


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["contoso"], "There is no tenant contoso"),
        (["woodgrove", "--algorithm=HS256"], "invalid choice: 'HS256'"),
        ([], "tenant"),
    ],
)
def test_rotates_nothing_that_there_is_not(run: Run, tenant: Tenant, arguments: list[str], words: str) -> None:
    with pytest.raises(CommandError, match=words):
        run("rotate_keys", *arguments)
    assert not SigningKey.objects.exists()


def test_tells_how_many_secrets_were_sealed_anew(run: Run, settings: Settings, tenant: Tenant) -> None:
    active_key(tenant, "ES256")
    new = "new:" + base64.b64encode(bytes(32)).decode()
    settings.ENCRYPTION_KEYS = [new, *settings.ENCRYPTION_KEYS]
    assert "oidc.SigningKey.private jwk: 2\n" in run("reencrypt_secrets")
    assert "oidc.SigningKey.private jwk: 0\n" in run("reencrypt_secrets")
