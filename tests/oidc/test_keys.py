"""Signing keys: made once, rotated without a failed verification, sealed at rest, each tenant's its own."""

import json
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.utils import timezone
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, OctKey

from directory.models import Application, AuditEvent, Tenant
from identity_portal.oidc.keys import (
    JWKS_MAX_AGE,
    PUBLISHED_AFTER_RETIREMENT,
    KeyTooYoung,
    active_key,
    published_keys,
    rotate_keys,
    sign,
    verified_claims,
)
from identity_portal.oidc.models import SigningKey
from tests.oidc.browsing import at_once, tokens_for
from tests.oidc.forging import forged, kid_of
from tests.relying_party import RelyingParty
from tests.stranger import Stranger

ES256, RS256 = SigningKey.Algorithm.ES256, SigningKey.Algorithm.RS256
PRIVATE_PARTS = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}


def age_keys(by: timedelta = JWKS_MAX_AGE) -> None:
    """Let time pass since the keys were made."""
    SigningKey.objects.update(created_at=timezone.now() - by)


def jwk_set(tenant: str = "woodgrove") -> list[dict[str, Any]]:
    return list(Client().get(f"/{tenant}/discovery/v2.0/keys").json()["keys"])


def test_verifies_before_during_and_after_a_rotation(
    tenant: Tenant, relying_party: RelyingParty, stranger: Stranger
) -> None:
    before = tokens_for(relying_party, stranger)["id_token"]
    held = relying_party.key_set()
    age_keys()
    rotate_keys(tenant, algorithm=ES256)
    after = tokens_for(relying_party, stranger)["id_token"]
    assert kid_of(before) != kid_of(after)
    # Who fetched the set before the rotation knows the new key, who fetches it now knows the old one.
    for keys in (held, relying_party.key_set()):
        for token in (before, after):
            assert relying_party.verified(token, keys)["sub"]
    held = relying_party.key_set()
    age_keys()
    rotate_keys(tenant, algorithm=ES256)
    third = tokens_for(relying_party, stranger)["id_token"]
    assert len({kid_of(token) for token in (before, after, third)}) == 3
    assert relying_party.verified(third, held)["sub"]


def test_still_takes_a_hint_that_a_retired_key_signed(
    tenant: Tenant, relying_party: RelyingParty, stranger: Stranger
) -> None:
    tokens = tokens_for(relying_party, stranger)
    age_keys()
    rotate_keys(tenant, algorithm=ES256)
    SigningKey.objects.filter(state="retired").update(retired_at=timezone.now() - timedelta(days=30))
    claims = verified_claims(tokens["id_token"], tenant=tenant)
    assert claims is not None
    assert claims["aud"] == relying_party.application.client_id
    assert relying_party.userinfo(tokens["access_token"]).status_code == 200


def test_does_not_rotate_to_a_key_that_nobody_has_seen_yet(tenant: Tenant) -> None:
    active_key(tenant, ES256)
    age_keys(JWKS_MAX_AGE - timedelta(seconds=10))
    with pytest.raises(KeyTooYoung):
        rotate_keys(tenant, algorithm=ES256)
    assert set(SigningKey.objects.values_list("state", flat=True)) == {"active", "next"}
    age_keys()
    rotate_keys(tenant, algorithm=ES256)
    with pytest.raises(KeyTooYoung):
        rotate_keys(tenant, algorithm=ES256)


def test_rotates_at_once_by_force(tenant: Tenant) -> None:
    old = active_key(tenant, ES256)
    signed_before = sign({"sub": "amina"}, key=old)
    assert verified_claims(signed_before, tenant=tenant)
    old_pk = old.pk
    new = rotate_keys(tenant, algorithm=ES256, force=True)
    assert active_key(tenant, ES256) == new
    # After a theft nobody may find, or believe, the stolen key any more.
    assert not SigningKey.objects.filter(pk=old_pk).exists()
    assert verified_claims(signed_before, tenant=tenant) is None
    assert old.kid not in {key["kid"] for key in jwk_set()}
    event = AuditEvent.objects.get(activity="signing_key.rotated")
    assert event.details == {"algorithm": "ES256", "kid": new.kid, "retired_kid": old.kid, "forced": True}


def test_rotates_by_command(tenant: Tenant) -> None:
    active_key(tenant, ES256)
    with pytest.raises(CommandError, match="--force"):
        call_command("rotate_keys", "woodgrove", "--algorithm", "ES256")
    output = StringIO()
    call_command("rotate_keys", "woodgrove", "--algorithm", "ES256", "--force", "--json", stdout=output)
    assert json.loads(output.getvalue())["kid"] == active_key(tenant, ES256).kid


def test_rotates_one_algorithm_and_leaves_the_other(tenant: Tenant) -> None:
    rsa, ec = active_key(tenant, RS256), active_key(tenant, ES256)
    age_keys()
    rotate_keys(tenant, algorithm=ES256)
    assert active_key(tenant, RS256) == rsa
    assert active_key(tenant, ES256) != ec


def test_publishes_a_retired_key_for_a_day(tenant: Tenant) -> None:
    old = active_key(tenant, ES256)
    age_keys()
    rotate_keys(tenant, algorithm=ES256)
    assert old.kid in {key["kid"] for key in jwk_set()}
    retired = SigningKey.objects.filter(pk=old.pk)
    retired.update(retired_at=timezone.now() - PUBLISHED_AFTER_RETIREMENT + timedelta(minutes=1))
    assert old.kid in {key["kid"] for key in jwk_set()}
    retired.update(retired_at=timezone.now() - PUBLISHED_AFTER_RETIREMENT)
    assert old.kid not in {key["kid"] for key in jwk_set()}
    assert len(jwk_set()) == 2


def test_publishes_no_private_parts(tenant: Tenant) -> None:
    active_key(tenant, RS256)
    active_key(tenant, ES256)
    keys = jwk_set()
    assert sorted(key["alg"] for key in keys) == ["ES256", "ES256", "RS256", "RS256"]
    for key in keys:
        assert not PRIVATE_PARTS & key.keys()
        assert key["use"] == "sig"


def test_seals_private_keys(tenant: Tenant) -> None:
    key = active_key(tenant, ES256)
    private = json.loads(key.private_jwk)["d"]
    with connection.cursor() as cursor:
        cursor.execute("select private_jwk from oidc_signingkey where kid = %s", [key.kid])
        sealed = cursor.fetchone()[0]
    assert sealed.startswith("test.")
    assert private not in sealed


def test_publishes_keys_before_the_first_token(tenant: Tenant) -> None:
    assert len(jwk_set()) == 2
    assert jwk_set() == published_keys(tenant)


def test_gives_each_tenant_its_own_keys(tenant: Tenant, make_tenant: Callable[..., Tenant]) -> None:
    globex = make_tenant("globex")
    for owner in (tenant, globex):
        active_key(owner, ES256)
    kids = {slug: {key["kid"] for key in jwk_set(slug)} for slug in ("woodgrove", "globex")}
    assert not kids["woodgrove"] & kids["globex"]
    rotate_keys(globex, algorithm=ES256, force=True)
    assert {key["kid"] for key in jwk_set("woodgrove")} == kids["woodgrove"]


def test_signs_with_what_the_application_asks_for(relying_party: RelyingParty, stranger: Stranger) -> None:
    for algorithm in (ES256, RS256):
        Application.objects.update(algorithm=algorithm)
        token = tokens_for(relying_party, stranger)["id_token"]
        assert SigningKey.objects.get(kid=kid_of(token)).algorithm == algorithm
        relying_party.verified(token)


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_makes_one_active_key_when_eight_need_the_first(tenant: Tenant) -> None:
    kids = at_once(8, lambda _: active_key(tenant, ES256).kid)
    assert len(set(kids)) == 1
    assert sorted(SigningKey.objects.values_list("state", flat=True)) == ["active", "next"]


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_rotates_once_when_eight_ask_at_once(tenant: Tenant) -> None:
    active_key(tenant, ES256)
    age_keys()

    def rotate(_: int) -> bool:
        try:
            rotate_keys(tenant, algorithm=ES256)
        except KeyTooYoung:
            return False
        return True

    assert sorted(at_once(8, rotate)) == [False] * 7 + [True]
    assert sorted(SigningKey.objects.values_list("state", flat=True)) == ["active", "next", "retired"]


def test_believes_no_forged_token(
    tenant: Tenant, relying_party: RelyingParty, stranger: Stranger, make_tenant: Callable[..., Tenant]
) -> None:
    token = tokens_for(relying_party, stranger)["id_token"]
    claims = relying_party.verified(token)
    assert verified_claims(token, tenant=tenant) == claims
    head, body, signature = token.split(".")
    kid = kid_of(token)
    public = next(key for key in jwk_set() if key["kid"] == kid)
    hmac = {"typ": "JWT", "alg": "HS256", "kid": kid}
    with_public_key = jwt.encode(hmac, claims, OctKey.import_key(json.dumps(public)), algorithms=["HS256"])
    other_body = forged({}, claims | {"sub": "somebody else"}).split(".")[1]
    forgeries = [
        forged({"typ": "JWT", "alg": "none", "kid": kid}, claims),
        forged({"typ": "JWT", "alg": "none"}, claims),
        forged({"typ": "JWT", "alg": "ES256", "kid": kid}, claims, b"\x00" * 64),
        forged({"typ": "JWT", "alg": "RS256", "kid": kid}, claims, b"\x00" * 256),
        forged({"typ": "JWT", "alg": "ES256", "kid": "unknown"}, claims),
        forged({"typ": "JWT", "alg": "ES256", "kid": ["x"]}, claims),
        forged({"typ": "JWT", "alg": "ES256", "kid": "a\x00b"}, claims),
        forged({"typ": "JWT", "alg": "ES256", "kid": "\ud800"}, claims),
        forged({"typ": "JWT", "alg": "ES256", "kid": None}, claims),
        forged({"typ": "JWT", "alg": "ES256"}, claims),
        with_public_key,
        f"{head}.{other_body}.{signature}",
        f"{head}.{body}.",
        f"{head}.{body}",
        f"{head}.{body}.{signature[:-4]}AAAA",
        token[:-1],
        "..",
        "",
        "a.b.c",
        "☃",
        json.dumps({"payload": body, "signatures": [{"protected": head, "signature": signature}]}),
        "{}",
        "[]",
    ]
    for forgery in forgeries:
        assert verified_claims(forgery, tenant=tenant) is None, forgery
    assert verified_claims(token, tenant=make_tenant("globex")) is None


def test_takes_an_access_token_for_no_id_token(tenant: Tenant, relying_party: RelyingParty, stranger: Stranger) -> None:
    """The same key signs both; an access token is shown to others than who it was issued to."""
    assert verified_claims(tokens_for(relying_party, stranger)["access_token"], tenant=tenant) is None


def test_is_not_verified_with_another_tenants_keys(
    relying_party: RelyingParty, stranger: Stranger, make_tenant: Callable[..., Tenant]
) -> None:
    token = tokens_for(relying_party, stranger)["id_token"]
    active_key(make_tenant("globex"), ES256)
    with pytest.raises((JoseError, ValueError)):
        jwt.decode(token, KeySet.import_key_set({"keys": jwk_set("globex")}), algorithms=["ES256"])
