"""Passkeys (WebAuthn): made, listed, used. What django-allauth stores and python-fido2 computes, behind one door.

A passkey is for one of two things, and never for the other. One made on the hosted pages signs its owner in there
(`data["sign_in"]`): whoever has the mailbox can make one, so it is no second factor of an administrator. One made in
the admin is a second factor: behind a password only, and nothing to find a person by.
"""

import json
import struct
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.internal.auth import WebAuthn
from django.conf import settings
from django.db import transaction
from django.utils import timezone
from fido2.cose import CoseKey
from fido2.server import Fido2Server
from fido2.utils import websafe_encode
from fido2.webauthn import (
    AuthenticationResponse,
    PublicKeyCredentialRpEntity,
    PublicKeyCredentialUserEntity,
    RegistrationResponse,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from directory.models import Tenant, User

PASSKEY = Authenticator.Type.WEBAUTHN.value
# What hostile bytes make of python-fido2's parsers.
UNREADABLE = (ValueError, TypeError, KeyError, IndexError, AttributeError, struct.error, RecursionError)
# Of each of the two uses.
MAX_PASSKEYS = 20
MAX_NAME_LENGTH = 60
# An authenticator keeps one passkey for each user handle: two uses with one handle would overwrite each other.
SIGN_IN_HANDLE = b"sign-in:"


@dataclass(frozen=True)
class Passkey:
    """One passkey that signs a person in, without its key."""

    id: int
    name: str
    created_at: datetime
    last_used_at: datetime | None

    @classmethod
    def of(cls, row: Any) -> "Passkey":
        return cls(row.pk, row.data.get("name", ""), row.created_at, row.last_used_at)


def may_have_passkeys() -> bool:
    """Browsers offer passkeys to names only, not to IP addresses (WebAuthn 5.1.3), and to https or localhost."""
    host = urlsplit(settings.BASE_URL).hostname or ""
    return not host.replace(".", "").isdigit() and ":" not in host and (settings.IS_HTTPS or host == "localhost")


def passkeys_of(user: User) -> list[Passkey]:
    """Return those by which the person signs in, the oldest first."""
    rows = _rows(user, for_sign_in=True)
    return [Passkey.of(row) for row in sorted(rows, key=lambda row: row.created_at)]


def is_for_sign_in(row: Any) -> bool:
    return row.data.get("sign_in") is True


def lock_factors(user: User) -> None:
    """One change at a time to a person's factors and passkeys."""
    User.objects.select_for_update().get(pk=user.pk)


# Making one


def passkey_to_make(user: User, *, for_sign_in: bool) -> tuple[str, dict[str, Any]]:
    """Return what the browser is asked for when it makes a passkey (JSON), and what to keep until it answers."""
    options, state = _server().register_begin(
        _owner_in_browser(user) if for_sign_in else _administrator_in_browser(user),
        credentials=[_credential_of(row) for row in _rows(user, for_sign_in=for_sign_in)],
        # Discoverable: the browser must find it though nobody has said who they are.
        resident_key_requirement=(
            ResidentKeyRequirement.REQUIRED if for_sign_in else ResidentKeyRequirement.DISCOURAGED
        ),
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return json.dumps(dict(options)["publicKey"]), state


def _administrator_in_browser(user: User) -> PublicKeyCredentialUserEntity:
    return PublicKeyCredentialUserEntity(id=user.pk.bytes, name=user.mail, display_name=str(user))


def _owner_in_browser(user: User) -> PublicKeyCredentialUserEntity:
    """The tenants of one host share their browsers' list of passkeys: each is named with its tenant."""
    tenant = user.tenant.name if user.tenant else ""
    return PublicKeyCredentialUserEntity(
        id=SIGN_IN_HANDLE + user.pk.bytes, name=f"{user.mail} ({tenant})", display_name=f"{user} ({tenant})"
    )


@transaction.atomic
def add_passkey(user: User, *, name: str, state: dict[str, Any], answer: str, for_sign_in: bool) -> bool:
    """Keep the passkey that the browser made, if its answer fits what was asked."""
    lock_factors(user)
    rows = _rows(user)
    try:
        response = RegistrationResponse.from_dict(json.loads(answer))
        made = response.response.attestation_object.auth_data.credential_data
        if made is None or made.public_key[3] not in CoseKey.supported_algorithms():
            return False
        _server().register_complete(state, response)
    except UNREADABLE:
        return False
    is_full = len([row for row in rows if is_for_sign_in(row) is for_sign_in]) >= MAX_PASSKEYS
    if is_full or any(_credential_of(row).credential_id == made.credential_id for row in rows):
        return False
    row = WebAuthn.add(user, name, _credential_to_keep(response)).instance
    row.data["sign_count"] = response.response.attestation_object.auth_data.counter
    if for_sign_in:
        row.data["sign_in"] = True
    row.save(update_fields=["data"])
    return True


def _credential_to_keep(response: RegistrationResponse) -> dict[str, Any]:
    """Return what was understood, in allauth's shape: nothing else that the browser sent is stored."""
    raw_id = websafe_encode(response.raw_id)
    inner = {
        "clientDataJSON": websafe_encode(response.response.client_data),
        "attestationObject": websafe_encode(response.response.attestation_object),
    }
    return {"id": raw_id, "rawId": raw_id, "type": "public-key", "response": inner}


# Using one, as a second factor


def passkey_to_use(user: User) -> tuple[str, dict[str, Any]]:
    """Return what the browser is asked for (JSON: only this person's passkeys will do), and what to keep meanwhile."""
    credentials = [_credential_of(row) for row in _rows(user, for_sign_in=False)]
    options, state = _server().authenticate_begin(credentials, user_verification=UserVerificationRequirement.REQUIRED)
    return json.dumps(dict(options)["publicKey"]), state


@transaction.atomic
def passkey_proves(user: User, *, state: dict[str, Any], answer: str) -> bool:
    try:
        response = AuthenticationResponse.from_dict(json.loads(answer))
    except UNREADABLE:
        return False
    return _used(_rows(user, for_sign_in=False, lock=True), state, response)


# Using one, to sign in


def passkey_of_anybody(challenge: bytes) -> str:
    """Return what the browser is asked for (JSON): any passkey of this host, so that nothing tells who has one."""
    options, _state = _server().authenticate_begin(
        challenge=challenge, user_verification=UserVerificationRequirement.REQUIRED
    )
    return json.dumps(dict(options)["publicKey"])


def challenge_in(answer: str) -> bytes:
    """Return the challenge that the browser says it was given: the caller must know it. Empty for rubbish."""
    try:
        return bytes(AuthenticationResponse.from_dict(json.loads(answer)).response.client_data.challenge)
    except UNREADABLE:
        return b""


@transaction.atomic
def person_with_passkey(tenant: Tenant, *, challenge: bytes, answer: str) -> User | None:
    """Return whose passkey answered the challenge. None: nobody's of this tenant, or the answer isn't right.

    The handle says whose it is, and only that person's passkeys count: it is not signed, their key's signature is.
    """
    try:
        response = AuthenticationResponse.from_dict(json.loads(answer))
        handle = response.response.user_handle or b""
    except UNREADABLE:
        return None
    user = _person_with_handle(tenant, handle)
    if user is None:
        return None
    _options, state = _server().authenticate_begin(
        challenge=challenge, user_verification=UserVerificationRequirement.REQUIRED
    )
    return user if _used(_rows(user, for_sign_in=True, lock=True), state, response) else None


def _person_with_handle(tenant: Tenant, handle: bytes) -> User | None:
    id_ = handle.removeprefix(SIGN_IN_HANDLE)
    if not handle.startswith(SIGN_IN_HANDLE) or len(id_) != 16:
        return None
    person: User | None = User.objects.filter(tenant=tenant, is_test=False, pk=id_.hex()).first()
    return person


# Changing what there is


@transaction.atomic
def rename_passkey(user: User, passkey_id: int, *, name: str) -> Passkey | None:
    """Give one of the person's passkeys another name. None: there is no such."""
    row = _row_of(user, passkey_id)
    if row is None:
        return None
    row.data["name"] = name[:MAX_NAME_LENGTH]
    row.save(update_fields=["data"])
    return Passkey.of(row)


@transaction.atomic
def remove_passkey(user: User, passkey_id: int) -> Passkey | None:
    """Remove one of the person's passkeys. None: there is no such."""
    row = _row_of(user, passkey_id)
    if row is None:
        return None
    passkey = Passkey.of(row)
    row.delete()
    return passkey


def _row_of(user: User, passkey_id: int) -> Any | None:
    rows = _rows(user, for_sign_in=True, lock=True)
    return next((row for row in rows if row.pk == passkey_id), None)


# The library


def _server() -> Fido2Server:
    host = urlsplit(settings.BASE_URL).hostname or ""
    relying_party = PublicKeyCredentialRpEntity(id=host, name="Identity Portal")
    # To the letter: python-fido2's own rule takes every port, and every host below ours.
    return Fido2Server(relying_party, verify_origin=lambda origin: origin == settings.BASE_URL)


def _rows(user: User, *, for_sign_in: bool | None = None, lock: bool = False) -> list[Any]:
    """Return the person's passkeys of one use, or of both."""
    rows = Authenticator.objects.filter(user=user, type=PASSKEY)
    if lock:
        rows = rows.select_for_update()
    return [row for row in rows if for_sign_in is None or is_for_sign_in(row) is for_sign_in]


def _credential_of(row: Any) -> Any:
    return WebAuthn(row).authenticator_data.credential_data


def _used(rows: list[Any], state: dict[str, Any], response: AuthenticationResponse) -> bool:
    """Check an answer against these passkeys, and note the use of the one that gave it."""
    credentials = {_credential_of(row).credential_id: row for row in rows}
    try:
        used = _server().authenticate_complete(state, [_credential_of(row) for row in rows], response)
        count = response.response.authenticator_data.counter
    except UNREADABLE:
        return False
    row = credentials[used.credential_id]
    # WebAuthn 6.1.1: a counter that doesn't grow tells of a copied key. Synchronised passkeys always say 0.
    if count and count <= row.data.get("sign_count", 0):
        return False
    row.data["sign_count"] = count
    row.last_used_at = timezone.now()
    row.save(update_fields=["data", "last_used_at"])
    return True
