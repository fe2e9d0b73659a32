"""Secrets at rest: AES-256-GCM with a keyring from the environment.

A sealed value reads `key_id.base64url(nonce + ciphertext)`. The first key of `ENCRYPTION_KEYS` seals, all of them open,
so a key is rotated by putting a new one in front and running `manage.py reencrypt_secrets`.
"""

import base64
import os
from functools import lru_cache
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import models

NONCE_BYTES = 12


class UnsealError(Exception):
    """The value was sealed with a key that is gone, for another place, or was changed."""


@lru_cache(maxsize=4)
def _keyring(encryption_keys: tuple[str, ...]) -> dict[str, AESGCM]:
    keyring = {}
    for entry in encryption_keys:
        key_id, _, encoded = entry.partition(":")
        try:
            key = base64.b64decode(encoded, validate=True)
        except ValueError as error:
            raise ImproperlyConfigured(f"ENCRYPTION_KEYS: the key {key_id!r} is not base64.") from error
        if not (key_id.isascii() and key_id.isalnum()) or len(key) != 32:
            raise ImproperlyConfigured("ENCRYPTION_KEYS: write id:base64 of 32 bytes, the id of letters and digits.")
        if key_id in keyring:
            raise ImproperlyConfigured(f"ENCRYPTION_KEYS has two keys with the id {key_id!r}.")
        keyring[key_id] = AESGCM(key)
    if not keyring:
        raise ImproperlyConfigured("ENCRYPTION_KEYS is empty.")
    return keyring


def sealing_key_id() -> str:
    """Return the id of the key that seals. Raises ImproperlyConfigured when ENCRYPTION_KEYS can't be read."""
    return next(iter(_keyring(tuple(settings.ENCRYPTION_KEYS))))


def seal(plaintext: str, *, context: str) -> str:
    """Encrypt `plaintext` for one place, named by `context`: a value moved to another place does not open."""
    keyring = _keyring(tuple(settings.ENCRYPTION_KEYS))
    key_id = sealing_key_id()
    nonce = os.urandom(NONCE_BYTES)
    ciphertext = keyring[key_id].encrypt(nonce, plaintext.encode(), context.encode())
    return f"{key_id}.{base64.urlsafe_b64encode(nonce + ciphertext).decode()}"


def unseal(sealed: str, *, context: str) -> str:
    """Decrypt what `seal` made for the same `context`. Raises UnsealError."""
    key_id, _, encoded = sealed.partition(".")
    key = _keyring(tuple(settings.ENCRYPTION_KEYS)).get(key_id)
    if key is None:
        raise UnsealError(f"No key {key_id!r} in ENCRYPTION_KEYS.")
    try:
        raw = base64.urlsafe_b64decode(encoded)
        return key.decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], context.encode()).decode()
    except (ValueError, InvalidTag) as error:
        raise UnsealError(f"The value sealed for {context} cannot be opened.") from error


class EncryptedTextField(models.TextField[str, str]):
    """A text column that is sealed in the database. It cannot be searched, only tested for null."""

    @property
    def _context(self) -> str:
        return f"{self.model._meta.label_lower}.{self.attname}"

    def from_db_value(self, value: str | None, *args: Any) -> str | None:
        return value if not value else unseal(value, context=self._context)

    def get_prep_value(self, value: Any) -> Any:
        return value if not value else seal(str(value), context=self._context)

    def get_lookup(self, lookup_name: str) -> Any:
        return super().get_lookup(lookup_name) if lookup_name == "isnull" else None
