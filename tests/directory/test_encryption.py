"""Secrets at rest: what a thief of the database gets, and how keys are changed."""

import base64
import json
import secrets
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.core.exceptions import FieldError, ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import connection
from pytest_django import Settings

from directory.encryption import UnsealError, seal, sealing_key_id, unseal
from directory.models import Tenant
from identity_portal.oidc.keys import active_key
from identity_portal.oidc.models import SigningKey
from tests.relying_party import RelyingParty
from tests.stranger import Stranger
from userflows.models import Journey


def new_key(key_id: str) -> str:
    return f"{key_id}:{base64.b64encode(secrets.token_bytes(32)).decode()}"


def stored(column: str, table: str) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {column} FROM {table}")  # noqa: S608
        return [row[0] for row in cursor.fetchall()]


def reencrypt() -> dict[str, int]:
    output = StringIO()
    call_command("reencrypt_secrets", "--json", stdout=output)
    return dict(json.loads(output.getvalue()))


def test_opens_what_it_sealed() -> None:
    sealed = seal("Greetings, 世界", context="here")
    # Long enough that chance doesn't put it there: two letters stand in one of sixty sealed values.
    assert "Greetings" not in sealed
    assert b"Greetings" not in base64.urlsafe_b64decode(sealed.partition(".")[2])
    assert unseal(sealed, context="here") == "Greetings, 世界"


def test_seals_the_same_text_differently_each_time() -> None:
    assert seal("secret", context="here") != seal("secret", context="here")


def test_refuses_a_value_that_was_moved_to_another_place() -> None:
    with pytest.raises(UnsealError):
        unseal(seal("secret", context="one"), context="other")


@pytest.mark.parametrize("position", [0, 11, 12, 20, -1])
def test_refuses_a_value_that_was_changed(position: int) -> None:
    key_id, _, encoded = seal("secret", context="here").partition(".")
    raw = bytearray(base64.urlsafe_b64decode(encoded))
    raw[position] ^= 1
    with pytest.raises(UnsealError):
        unseal(f"{key_id}.{base64.urlsafe_b64encode(raw).decode()}", context="here")


@pytest.mark.parametrize("sealed", ["", "plain text", "test.", "test.AAAA", "test.A", "test.é", "other.AAAA", ".AAAA"])
def test_refuses_what_was_never_sealed(sealed: str) -> None:
    with pytest.raises(UnsealError):
        unseal(sealed, context="here")


def test_refuses_a_value_whose_key_is_gone(settings: Settings) -> None:
    sealed = seal("secret", context="here")
    settings.ENCRYPTION_KEYS = [new_key("other")]
    with pytest.raises(UnsealError, match="'test'"):
        unseal(sealed, context="here")


def test_seals_with_the_first_key_and_opens_with_all(settings: Settings) -> None:
    old, new = new_key("old"), new_key("new")
    settings.ENCRYPTION_KEYS = [old]
    sealed = seal("secret", context="here")
    settings.ENCRYPTION_KEYS = [new, old]
    assert unseal(sealed, context="here") == "secret"
    assert seal("secret", context="here").startswith("new.")


@pytest.mark.parametrize(
    "keys",
    [
        [],
        ["k1"],
        ["k1:"],
        ["k1:not base64"],
        ["k1:é"],
        ["k1:" + base64.b64encode(b"too short").decode()],
        ["k 1:" + base64.b64encode(bytes(32)).decode()],
        [":" + base64.b64encode(bytes(32)).decode()],
        [new_key("k1"), new_key("k1")],
    ],
)
def test_refuses_keys_that_cannot_be_read(settings: Settings, keys: list[str]) -> None:
    settings.ENCRYPTION_KEYS = keys
    with pytest.raises(ImproperlyConfigured, match="ENCRYPTION_KEYS"):
        sealing_key_id()


def test_keeps_no_readable_secret_in_the_database(tenant: Tenant, relying_party: RelyingParty) -> None:
    key = active_key(tenant, "ES256")
    Stranger().open(relying_party.request_url()).give_email()
    columns = stored("private_jwk", "oidc_signingkey") + stored("collected", "userflows_journey")
    assert len(columns) == 3
    for column in columns:
        assert column.startswith("test.")
        assert "amina" not in column
        assert '"d"' not in column
    assert '"d"' in key.private_jwk


@pytest.mark.django_db
@pytest.mark.parametrize("lookup", [{"private_jwk": "x"}, {"private_jwk__contains": "x"}, {"private_jwk__in": ["x"]}])
def test_cannot_be_searched(lookup: dict[str, Any]) -> None:
    with pytest.raises(FieldError):
        SigningKey.objects.filter(**lookup).exists()


@pytest.mark.django_db
def test_can_be_tested_for_null() -> None:
    assert not SigningKey.objects.filter(private_jwk__isnull=True).exists()


def test_seals_everything_anew_so_that_the_old_key_can_go(
    settings: Settings, tenant: Tenant, relying_party: RelyingParty
) -> None:
    private = active_key(tenant, "ES256").private_jwk
    stranger = Stranger().open(relying_party.request_url()).give_email()
    new = new_key("new")
    settings.ENCRYPTION_KEYS = [new, *settings.ENCRYPTION_KEYS]
    sealed = {name: count for name, count in reencrypt().items() if count}
    assert sealed == {"oidc.SigningKey.private_jwk": 2, "userflows.Journey.collected": 1}

    settings.ENCRYPTION_KEYS = [new]
    assert active_key(tenant, "ES256").private_jwk == private
    stranger.give_code()
    assert stranger.step == "attributes"


def test_seals_nothing_twice(settings: Settings, tenant: Tenant) -> None:
    active_key(tenant, "ES256")
    before = stored("private_jwk", "oidc_signingkey")
    assert set(reencrypt().values()) == {0}
    assert stored("private_jwk", "oidc_signingkey") == before


def test_leaves_what_is_empty_empty(settings: Settings, tenant: Tenant) -> None:
    settings.ENCRYPTION_KEYS = [new_key("new"), *settings.ENCRYPTION_KEYS]
    reencrypt()
    assert stored("secret", "directory_identityprovider") == [""]


def test_says_which_secrets_do_not_open_and_seals_the_others(
    settings: Settings, make_tenant: Callable[..., Tenant]
) -> None:
    key = active_key(make_tenant(), "ES256")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE oidc_signingkey SET private_jwk = 'lost.AAAA' WHERE kid = %s", [key.kid])
    settings.ENCRYPTION_KEYS = [new_key("new"), *settings.ENCRYPTION_KEYS]
    with pytest.raises(CommandError, match="'lost'"):
        reencrypt()
    assert sorted(value.partition(".")[0] for value in stored("private_jwk", "oidc_signingkey")) == ["lost", "new"]


def test_keeps_what_a_journey_learns_while_it_is_sealed_anew(
    settings: Settings, relying_party: RelyingParty, stranger: Stranger
) -> None:
    stranger.open(relying_party.request_url()).give_email()
    settings.ENCRYPTION_KEYS = [new_key("new"), *settings.ENCRYPTION_KEYS]
    waiting = [True]

    def learn_after_the_count(execute: Any, sql: str, parameters: Any, many: bool, context: Any) -> Any:
        result = execute(sql, parameters, many, context)
        if waiting and "LIKE" in sql and "userflows_journey" in sql:
            waiting.clear()
            journey = Journey.objects.get()
            journey.learn(answers={"GivenName": "Amina"})
            Journey.objects.filter(pk=journey.pk).update(collected=journey.collected)
        return result

    with connection.execute_wrapper(learn_after_the_count):
        reencrypt()
    assert not waiting
    assert Journey.objects.get().facts["answers"] == {"GivenName": "Amina"}
