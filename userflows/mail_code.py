"""The e-mail one-time code: made, sent, checked. It stands on the journey, hashed."""

import enum
import secrets
from datetime import timedelta

from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac

from directory import audit
from userflows.mail import send_mail_in_background
from userflows.models import Journey
from userflows.rate_limit import Limit

LENGTH = 8
VALIDITY = timedelta(minutes=15)
RESEND_AFTER = timedelta(seconds=60)
MAX_TRIES = 5

MAILBOX_LIMIT = Limit("email_code.mailbox", count=6, seconds=3600)
ADDRESS_LIMIT = Limit("email_code.address", count=100, seconds=3600)
TENANT_LIMIT = Limit("email_code.tenant", count=5000, seconds=3600)


class CodeCheck(enum.Enum):
    RIGHT = "right"
    WRONG = "wrong"
    EXPIRED = "expired"


def send_code(journey: Journey) -> None:
    """Mail a new code to the journey's address; an older one stops working. The caller saves the journey.

    The same for an address that has an account and for one that has none: nobody has looked yet.
    """
    code = f"{secrets.randbelow(10**LENGTH):0{LENGTH}d}"
    facts = journey.facts
    mail = facts["mail"]
    journey.learn(codes_sent=facts.get("codes_sent", 0) + 1)
    journey.code_hash = _hash(journey, mail, code)
    journey.code_sent_at = timezone.now()
    journey.code_tries = 0
    grouped = f"{code[:4]} {code[4:]}"
    send_mail_in_background(
        "email_code",
        to=mail,
        tenant=journey.tenant,
        subject_values={"code": grouped, "tenant": journey.tenant.name},
        context={
            "code": grouped,
            "minutes_valid": int(VALIDITY.total_seconds() // 60),
            "tenant_name": journey.tenant.name,
            "application_name": journey.application_name,
            "support_contact": journey.tenant.support_contact,
        },
    )
    audit.record("email_code.sent", tenant=journey.tenant, target=journey.application)


def check_code(journey: Journey, typed: str) -> CodeCheck:
    """Compare a typed code and note the outcome on the journey: a right one is used up, a wrong one costs a try.

    The caller saves the journey.
    """
    usable = journey.code_hash and journey.code_sent_at and journey.code_tries < MAX_TRIES
    if not usable or timezone.now() >= journey.code_sent_at + VALIDITY:  # type: ignore[operator]
        return CodeCheck.EXPIRED
    mail = journey.facts["mail"]
    if not constant_time_compare(journey.code_hash, _hash(journey, mail, typed)):
        journey.code_tries += 1
        return CodeCheck.WRONG
    journey.code_hash = ""
    journey.learn(mail_proven=mail)
    return CodeCheck.RIGHT


def seconds_until_resend(journey: Journey) -> int:
    """Return how long the person must wait before they may ask for another code; 0 is now."""
    if journey.code_sent_at is None:
        return 0
    wait = (journey.code_sent_at + RESEND_AFTER - timezone.now()).total_seconds()
    return max(0, -(-int(wait * 1000) // 1000))


def _hash(journey: Journey, mail: str, code: str) -> str:
    # Eight digits are guessable from a plain hash: the key is not in the database.
    return salted_hmac("userflows.email_code", f"{journey.pk}|{mail}|{code}", algorithm="sha256").hexdigest()
