"""A passkey made of software: what a browser and its authenticator answer (WebAuthn 6, "none" attestation)."""

import base64
import hashlib
import json
import secrets
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from fido2 import cbor

PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40


def encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


@dataclass
class SoftPasskey:
    """`origin`, `verified` and `count` may be bent, to see who notices."""

    origin: str = "http://localhost"
    verified: bool = True
    count: int = 0
    # Whose it is, as a browser says when it was asked for anybody's.
    handle: bytes = b""
    id: bytes = field(default_factory=lambda: secrets.token_bytes(16))
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def make(self, options: str) -> str:
        """Answer navigator.credentials.create()."""
        asked = json.loads(options)
        self.handle = self.handle or base64.urlsafe_b64decode(asked["user"]["id"] + "==")
        numbers = self.key.public_key().public_numbers()
        x, y = numbers.x.to_bytes(32, "big"), numbers.y.to_bytes(32, "big")
        public_key = cbor.encode({1: 2, 3: -7, -1: 1, -2: x, -3: y})
        attested = bytes(16) + len(self.id).to_bytes(2, "big") + self.id + public_key
        data = self._data(asked["rp"]["id"], ATTESTED) + attested
        attestation = cbor.encode({"fmt": "none", "attStmt": {}, "authData": data})
        client = self._client_data("webauthn.create", asked)
        return self._answer(client, attestationObject=encoded(attestation))

    def use(self, options: str) -> str:
        """Answer navigator.credentials.get()."""
        asked = json.loads(options)
        client = self._client_data("webauthn.get", asked)
        data = self._data(asked["rpId"], 0)
        handle = {"userHandle": encoded(self.handle)} if self.handle else {}
        signature = self.key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        return self._answer(client, authenticatorData=encoded(data), signature=encoded(signature), **handle)

    def _data(self, relying_party: str, flags: int) -> bytes:
        flags |= PRESENT | (VERIFIED if self.verified else 0)
        return hashlib.sha256(relying_party.encode()).digest() + bytes([flags]) + self.count.to_bytes(4, "big")

    def _client_data(self, kind: str, asked: dict[str, Any]) -> bytes:
        return json.dumps({"type": kind, "challenge": asked["challenge"], "origin": self.origin}).encode()

    def _answer(self, client: bytes, **response: str) -> str:
        own_id = encoded(self.id)
        response["clientDataJSON"] = encoded(client)
        return json.dumps({"id": own_id, "rawId": own_id, "type": "public-key", "response": response})
