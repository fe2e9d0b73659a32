"""The e-mail one-time code: made, sent, checked. It stands on the journey, hashed."""

import enum
import secrets
from dataclasses import asdict, dataclass
from datetime import timedelta

from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac

from directory import audit
from directory.models import EMAIL_CODE, IdentityProvider
from userflows.mail import send_mail_in_background
from userflows.models import Journey
from userflows.proofs import take_mail
from userflows.rate_limit import Attempts, Limit, network_of
from userflows.requests import TenantRequest, client_address

LENGTH = 8
MINUTES = 15
RESEND_AFTER = timedelta(seconds=60)
MAX_TRIES = 5

MAILBOX_LIMIT = Limit("email_code.mailbox", count=6, seconds=3600)
ADDRESS_LIMIT = Limit("email_code.address", count=100, seconds=3600)
TENANT_LIMIT = Limit("email_code.tenant", count=5000, seconds=3600)


def attempts_to_send(request: TenantRequest, mail: str) -> Attempts:
    """Return what mailing a code counts against, whichever page asks for it: mailbox, network, tenant. "": nothing."""
    if not mail:
        return ()
    tenant = request.tenant.pk
    return (
        (ADDRESS_LIMIT, f"{tenant}|{network_of(client_address(request))}"),
        (MAILBOX_LIMIT, f"{tenant}|{mail.lower()}"),
        (TENANT_LIMIT, str(tenant)),
    )


@dataclass(frozen=True)
class CodeSettings:
    """How many digits a code has, for how many minutes it works, and whose name its mail bears."""

    length: int
    minutes: int
    sender: str


def code_settings(journey: Journey) -> CodeSettings:
    """Return those of the code that was mailed last; before the first, those that it will have."""
    sent = journey.facts.get("code")
    return CodeSettings(**sent) if sent else _settings_now(journey)


def _settings_now(journey: Journey) -> CodeSettings:
    """What the flow says, or else the tenant's identity provider, whether people can choose it or not."""
    flow = journey.definition.get("code", {})
    provider = IdentityProvider.objects.filter(tenant=journey.tenant_id, kind=EMAIL_CODE).first()
    settings = provider.settings if provider else {}
    return CodeSettings(
        length=flow.get("length") or settings.get("code_length") or LENGTH,
        minutes=flow.get("minutes") or settings.get("code_minutes") or MINUTES,
        sender=flow.get("sender") or settings.get("sender_name") or journey.tenant.name,
    )


class CodeCheck(enum.Enum):
    RIGHT = "right"
    WRONG = "wrong"
    EXPIRED = "expired"


def send_code(journey: Journey) -> None:
    """Mail a new code to the journey's address; an older one stops working. The caller saves the journey.

    The same for an address that has an account and for one that has none: nobody has looked yet.
    """
    settings = _settings_now(journey)
    code = f"{secrets.randbelow(10**settings.length):0{settings.length}d}"
    facts = journey.facts
    mail = facts["mail"]
    # What it was mailed with stays true for it, whatever is changed meanwhile.
    journey.learn(codes_sent=facts.get("codes_sent", 0) + 1, code=asdict(settings))
    journey.code_hash = _hash(journey, mail, code)
    journey.code_sent_at = timezone.now()
    journey.code_tries = 0
    # The page that asks for a code is there for as long as the code works.
    journey.expires_at = max(journey.expires_at, journey.code_sent_at + timedelta(minutes=settings.minutes))
    grouped = _grouped(code)
    send_mail_in_background(
        "email_code",
        to=mail,
        tenant=journey.tenant,
        sender=settings.sender,
        subject_values={"code": grouped, "tenant": journey.tenant.name},
        context={
            "code": grouped,
            "minutes_valid": settings.minutes,
            "tenant_name": journey.tenant.name,
            "application_name": journey.application_name,
            "support_contact": journey.tenant.support_contact,
        },
    )
    audit.record("email_code.sent", tenant=journey.tenant, target=journey.application)


def _grouped(code: str) -> str:
    """Return the digits in groups of three or four, ten of them in two of five: how people read them."""
    size = 3 if len(code) % 3 == 0 else -(-len(code) // 2)
    return " ".join(code[start : start + size] for start in range(0, len(code), size))


def check_code(journey: Journey, typed: str) -> CodeCheck:
    """Compare a typed code and note the outcome on the journey: a right one is used up, a wrong one costs a try.

    The caller saves the journey.
    """
    usable = journey.code_hash and journey.code_sent_at and journey.code_tries < MAX_TRIES
    validity = timedelta(minutes=code_settings(journey).minutes)
    if not usable or timezone.now() >= journey.code_sent_at + validity:  # type: ignore[operator]
        return CodeCheck.EXPIRED
    mail = journey.facts["mail"]
    if not constant_time_compare(journey.code_hash, _hash(journey, mail, typed)):
        journey.code_tries += 1
        return CodeCheck.WRONG
    journey.code_hash = ""
    take_mail(journey, mail)
    return CodeCheck.RIGHT


def seconds_until_resend(journey: Journey) -> int:
    """Return how long the person must wait before they may ask for another code; 0 is now."""
    if journey.code_sent_at is None:
        return 0
    wait = (journey.code_sent_at + RESEND_AFTER - timezone.now()).total_seconds()
    return max(0, -(-int(wait * 1000) // 1000))


def _hash(journey: Journey, mail: str, code: str) -> str:
    # A few digits are guessable from a plain hash: the key is not in the database.
    return salted_hmac("userflows.email_code", f"{journey.pk}|{mail}|{code}", algorithm="sha256").hexdigest()
