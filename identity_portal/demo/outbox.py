"""Where the demo's mail goes: `.eml` files in a folder, and a page that shows them."""

import email
import email.policy
import re
import time
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.core.mail.backends.base import BaseEmailBackend

SHOWN = 30


class OutboxBackend(BaseEmailBackend):
    """Writes each message to a file of its own (RFC 5322), named by its time."""

    def send_messages(self, email_messages: list[EmailMultiAlternatives]) -> int:  # type: ignore[override]
        settings.OUTBOX_DIR.mkdir(parents=True, exist_ok=True)
        for number, message in enumerate(email_messages):
            path = settings.OUTBOX_DIR / f"{time.time_ns()}-{number}.eml"
            unfinished = path.with_suffix(".part")
            unfinished.write_bytes(message.message().as_bytes())
            unfinished.rename(path)
        return len(email_messages)


@dataclass(frozen=True)
class Letter:
    to: str
    subject: str
    date: str
    text: str
    code: str


def newest_letters() -> list[Letter]:
    """Return the newest mails, the newest first."""
    paths = sorted(settings.OUTBOX_DIR.glob("*.eml"), reverse=True)[:SHOWN]
    return [_letter(path) for path in paths]


def _letter(path: Path) -> Letter:
    message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    body = message.get_body(("plain",)) if isinstance(message, EmailMessage) else None
    subject = str(message["Subject"])
    code = re.match(r"\d{4} \d{4}", subject)
    return Letter(
        to=str(message["To"]),
        subject=subject,
        date=str(message["Date"]),
        text=body.get_content() if body else "",
        code=code[0] if code else "",
    )
