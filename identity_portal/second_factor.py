"""Second factors of administrators: what django-allauth stores and computes, behind one door.

It knows allauth's internals: there is no other way to set a factor up without its pages. Passkeys are those of
userflows.passkey that were made here; one that signs people in on the hosted pages is no second factor.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode

from allauth.core.internal.cryptokit import compare_user_code
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal import auth as totp
from allauth.mfa.utils import decrypt, encrypt
from django.db import transaction
from django.utils import timezone

from directory.encryption import UnsealError, seal, sealing_key_id, unseal
from directory.models import User
from userflows.passkey import PASSKEY, is_for_sign_in, lock_factors

APP = Authenticator.Type.TOTP.value
RECOVERY_CODES = Authenticator.Type.RECOVERY_CODES.value

_owner: ContextVar[str] = ContextVar("second_factor_owner")


class SealingAdapter(DefaultMFAAdapter):
    """Seals what allauth stores, for one person each: a row given to somebody else does not open (MFA_ADAPTER)."""

    def encrypt(self, text: str) -> str:
        return seal(text, context=f"second_factor.{_owner.get()}")

    def decrypt(self, encrypted_text: str) -> str:
        return unseal(encrypted_text, context=f"second_factor.{_owner.get()}")


@contextmanager
def _secrets_of(user_id: Any) -> Iterator[None]:
    token = _owner.set(str(user_id))
    try:
        yield
    finally:
        _owner.reset(token)


class LastFactor(Exception):
    """Without a second factor nobody enters: the last one is replaced, not removed."""


@dataclass(frozen=True)
class Factor:
    """One row of a person's second factors, without its secret."""

    id: int
    kind: str
    name: str
    created_at: datetime
    last_used_at: datetime | None

    @classmethod
    def of(cls, row: Any) -> "Factor":
        return cls(row.pk, row.type, row.data.get("name", ""), row.created_at, row.last_used_at)


def factors_of(user: User) -> list[Factor]:
    """Return the person's factors, without the recovery codes: those only stand in for one."""
    return [Factor.of(row) for row in _rows(user)]


def has_second_factor(user: User) -> bool:
    return bool(_rows(user))


def _rows(user: User) -> list[Any]:
    rows = Authenticator.objects.filter(user=user).exclude(type=RECOVERY_CODES)
    return [row for row in rows.order_by("type", "created_at") if not is_for_sign_in(row)]


@transaction.atomic
def remove_factor(user: User, factor_id: int) -> Factor | None:
    """Remove one of the person's factors; None: there is no such. Raises LastFactor."""
    lock_factors(user)
    rows = _rows(user)
    row = next((row for row in rows if row.pk == factor_id), None)
    if row is None:
        return None
    if len(rows) == 1:
        raise LastFactor
    factor = Factor.of(row)
    row.delete()
    return factor


def remove_all_factors(user: User) -> None:
    """For whoever lost them: at the next sign-in the person sets up a new one.

    Passkeys of the hosted pages stay: they are no second factor, and have a remove button of their own.
    """
    Authenticator.objects.filter(user=user, type=RECOVERY_CODES).delete()
    for row in _rows(user):
        row.delete()


# Codes of an authenticator app (RFC 6238)


def new_app_secret() -> str:
    return str(totp.generate_totp_secret())


def app_url(user: User, secret: str) -> str:
    """Return what the QR code says: the secret, and the words under which the app lists it."""
    issuer = user.tenant.name if user.tenant else "Identity Portal"
    query = urlencode({"secret": secret, "issuer": issuer}, quote_via=quote)
    return f"otpauth://totp/{quote(issuer, safe='')}:{quote(user.mail, safe='')}?{query}"


def app_qr_code(user: User, secret: str) -> str:
    """Return the QR code as SVG."""
    return str(SealingAdapter().build_totp_svg(app_url(user, secret)))


def _counter_of(secret: str, code: str, *, after: int = -1) -> int | None:
    """Return the time step that `code` belongs to, None for a wrong code and for a step that is used up."""
    for counter in totp.yield_hotp_counters_from_time():
        if counter > after and compare_user_code(
            actual=code, expected=totp.format_hotp_value(totp.hotp_value(secret, counter))
        ):
            return int(counter)
    return None


@transaction.atomic
def add_app(user: User, *, secret: str, code: str) -> bool:
    """Keep an authenticator app that shows the right code; it takes the place of the one before."""
    lock_factors(user)
    counter = _counter_of(secret, code)
    if counter is None:
        return False
    Authenticator.objects.filter(user=user, type=APP).delete()
    data = {"last_counter": counter}
    with _secrets_of(user.pk):
        data["secret"] = encrypt(secret)
    Authenticator.objects.create(user=user, type=APP, data=data, last_used_at=timezone.now())
    return True


@transaction.atomic
def app_proves(user: User, code: str) -> bool:
    """Check a code. Each counts once (RFC 6238 5.2), across processes: allauth keeps that in a cache, which forgets."""
    row = Authenticator.objects.select_for_update().filter(user=user, type=APP).first()
    if row is None:
        return False
    with _secrets_of(user.pk):
        secret = decrypt(row.data["secret"])
    counter = _counter_of(secret, code, after=row.data.get("last_counter", -1))
    if counter is None:
        return False
    row.data["last_counter"] = counter
    row.last_used_at = timezone.now()
    row.save(update_fields=["data", "last_used_at"])
    return True


# Recovery codes


@transaction.atomic
def new_recovery_codes(user: User) -> None:
    """Make ten new codes; those from before work no more."""
    lock_factors(user)
    Authenticator.objects.filter(user=user, type=RECOVERY_CODES).delete()
    with _secrets_of(user.pk):
        RecoveryCodes.activate(user)


def unused_recovery_codes(user: User) -> list[str]:
    row = Authenticator.objects.filter(user=user, type=RECOVERY_CODES).first()
    if row is None:
        return []
    with _secrets_of(user.pk):
        return [str(code) for code in RecoveryCodes(row).get_unused_codes()]


@transaction.atomic
def recovery_code_proves(user: User, code: str) -> bool:
    row = Authenticator.objects.filter(user=user, type=RECOVERY_CODES).first()
    if row is None:
        return False
    with _secrets_of(user.pk):
        # Locks the row, so that of two at once only one counts.
        if not RecoveryCodes(row).validate_code(code):
            return False
    Authenticator.objects.filter(pk=row.pk).update(last_used_at=timezone.now())
    return True


# Keys of encryption


def seal_factors_anew() -> tuple[int, list[str]]:
    """Seal with the first key of ENCRYPTION_KEYS what another one sealed; return how many, and what doesn't open."""
    count, problems = 0, []
    for factor_id in list(Authenticator.objects.exclude(type=PASSKEY).values_list("pk", flat=True)):
        try:
            count += _seal_anew(factor_id)
        except UnsealError as error:
            problems.append(str(error))
    return count, problems


@transaction.atomic
def _seal_anew(factor_id: int) -> bool:
    row = Authenticator.objects.select_for_update().filter(pk=factor_id).first()
    if row is None:
        return False
    name = "secret" if row.type == APP else "seed"
    if row.data[name].startswith(f"{sealing_key_id()}."):
        return False
    with _secrets_of(row.user_id):
        row.data[name] = encrypt(decrypt(row.data[name]))
    row.save(update_fields=["data"])
    return True
