"""Changing one's e-mail address: a code proves the new mailbox, the old one is told.

The page that asks keeps what `begin_address_change` returns in the session, under SESSION_KEY. Nothing tells whether an
address is somebody's before its mailbox is proven: the code is mailed in any case.
"""

import json
import secrets
import uuid
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac

from directory import audit
from directory.encryption import UnsealError, seal, unseal
from directory.models import Identity, Tenant, User
from directory.models.identity import MAIL_ISSUER
from directory.people import revoke_sign_in_sessions
from directory.temporary_users import delete_test_user_with_mail
from userflows.errors import MailInUse, TooManyRequests
from userflows.mail import send_mail_in_background
from userflows.mail_code import ADDRESS_LIMIT, MAILBOX_LIMIT, TENANT_LIMIT, CodeCheck
from userflows.rate_limit import Limit, count_attempt, network_of
from userflows.requests import client_address
from userflows.sign_in import stay_signed_in

SESSION_KEY = "address_change"
CONTEXT = "userflows.change_address"
LENGTH = 8
VALIDITY = timedelta(minutes=15)
# In the database: who sends many tries at once has no more of them.
TRY_LIMIT = Limit("address_change.try", count=5, seconds=2 * int(VALIDITY.total_seconds()))
PERSON_LIMIT = Limit("address_change.person", count=20, seconds=24 * 3600)


def count_address_change(request: HttpRequest, user: User, new_mail: str) -> None:
    """For the view that begins one, outside a transaction. Raises TooManyRequests."""
    count_attempt(
        (PERSON_LIMIT, str(user.pk)),
        (ADDRESS_LIMIT, f"{user.tenant_id}|{network_of(client_address(request))}"),
        (MAILBOX_LIMIT, f"{user.tenant_id}|{new_mail.lower()}"),
        (TENANT_LIMIT, str(user.tenant_id)),
    )


def begin_address_change(user: User, new_mail: str) -> str:
    """Mail a code to the new address; return what the session keeps under SESSION_KEY: sealed, for this person."""
    tenant = _tenant_of(user)
    code = f"{secrets.randbelow(10**LENGTH):0{LENGTH}d}"
    change = {
        "id": uuid.uuid4().hex,
        "user": str(user.pk),
        "old": user.mail,
        "new": new_mail,
        "ends_at": (timezone.now() + VALIDITY).timestamp(),
    }
    change["hash"] = _hash(change, code)
    grouped = f"{code[:4]} {code[4:]}"
    send_mail_in_background(
        "change_address",
        to=new_mail,
        tenant=tenant,
        subject_values={"code": grouped, "tenant": tenant.name},
        context={
            "code": grouped,
            "minutes_valid": int(VALIDITY.total_seconds() // 60),
            "tenant_name": tenant.name,
            "support_contact": tenant.support_contact,
        },
    )
    return seal(json.dumps(change), context=CONTEXT)


def address_in_change(request: HttpRequest, user: User) -> str:
    """Return the new address that waits for its code in this browser, "" without one."""
    return str(_kept(request, user).get("new", ""))


def forget_address_change(request: HttpRequest) -> None:
    request.session.pop(SESSION_KEY, None)


def finish_address_change(request: HttpRequest, user: User, code: str) -> CodeCheck:
    """Compare the code and change the address. Call it outside a transaction. Raises MailInUse.

    With RIGHT, this browser stays signed in, all others don't. A wrong code may be tried again; EXPIRED needs another.
    """
    change = _kept(request, user)
    if not change or float(change["ends_at"]) <= timezone.now().timestamp() or change["old"] != user.mail:
        return CodeCheck.EXPIRED
    try:
        count_attempt((TRY_LIMIT, change["id"]))
    except TooManyRequests:
        return CodeCheck.EXPIRED
    if not constant_time_compare(change["hash"], _hash(change, code)):
        return CodeCheck.WRONG
    forget_address_change(request)
    _change(user, str(change["new"]))
    stay_signed_in(request, user)
    return CodeCheck.RIGHT


@transaction.atomic
def _change(user: User, new_mail: str) -> None:
    tenant = _tenant_of(user)
    delete_test_user_with_mail(tenant, new_mail)
    revoke_sign_in_sessions(user, actor=user)
    old_mail = user.mail
    try:
        with transaction.atomic():
            user.mail = new_mail
            user.save(update_fields=["mail"])
            _move_identity(user, old_mail, new_mail)
    except IntegrityError as error:
        # Only who has proven the mailbox is told. The other person's account stays as it is.
        raise MailInUse(mail=new_mail, tenant_name=tenant.name) from error
    change = {"before": {"mail": old_mail}, "after": {"mail": new_mail}}
    audit.record("user.mail_changed", tenant=tenant, actor=user, target=user, details=change)
    tell_old_address(user, old_mail)


def _move_identity(user: User, old_mail: str, new_mail: str) -> None:
    """Code and password work with the new address, and no more with the old one. Raises IntegrityError."""
    of_mail = Identity.objects.filter(tenant=user.tenant_id, issuer=MAIL_ISSUER)
    own = of_mail.filter(user=user, issuer_assigned_id=new_mail.lower())
    if old_mail.lower() != new_mail.lower():
        own.delete()
    moved = of_mail.filter(user=user, issuer_assigned_id=old_mail.lower())
    if not moved.update(issuer_assigned_id=new_mail.lower()) and of_mail.exclude(user=user).filter(
        issuer_assigned_id=new_mail.lower()
    ):
        raise IntegrityError("Somebody signs in with this address.")


def tell_old_address(user: User, old_mail: str) -> None:
    """Mail to the address that is no longer the person's what has happened, and what to do."""
    tenant = _tenant_of(user)
    send_mail_in_background(
        "mail_changed",
        to=old_mail,
        tenant=tenant,
        subject_values={"tenant": tenant.name},
        context={
            "at": timezone.now(),
            "new_mail": _masked(user.mail),
            "tenant_name": tenant.name,
            "support_contact": tenant.support_contact,
        },
    )


def _masked(mail: str) -> str:
    """Enough to recognise one's own, not enough to write to."""
    local, _at, domain = mail.rpartition("@")
    return f"{local[:1]}…@{domain}"


def _kept(request: HttpRequest, user: User) -> dict[str, Any]:
    kept = request.session.get(SESSION_KEY)
    if not kept:
        return {}
    try:
        change = dict(json.loads(unseal(kept, context=CONTEXT)))
    except UnsealError:
        return {}
    return change if change["user"] == str(user.pk) else {}


def _hash(change: dict[str, Any], code: str) -> str:
    what = "|".join(str(change[name]) for name in ("id", "user", "new"))
    return salted_hmac(CONTEXT, f"{what}|{code}", algorithm="sha256").hexdigest()


def _tenant_of(user: User) -> Tenant:
    if user.tenant is None:
        raise ValueError("An operator has no account page.")
    return user.tenant
