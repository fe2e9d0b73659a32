"""The e-mail one-time code: what is sent, what is kept, what is accepted, how often."""

import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.utils import parseaddr
from types import FrameType
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core import mail
from django.core.exceptions import ValidationError
from django.core.mail import EmailMultiAlternatives
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from directory.models import AuditEvent, IdentityProvider, Tenant, User
from tests.relying_party import RelyingParty
from tests.stranger import Stranger
from userflows import mail_code
from userflows.models import Journey, RateCounter, UserFlow
from userflows.publishing import publish
from userflows.rate_limit import Limit


def at_the_code_page(relying_party: RelyingParty, email: str = "amina@fabrikam.example") -> Stranger:
    return Stranger(email=email).open(relying_party.request_url()).give_email()


def test_sends_eight_digits_in_subject_text_and_html(relying_party: RelyingParty) -> None:
    stranger = at_the_code_page(relying_party)
    letter = mail.outbox[0]
    assert isinstance(letter, EmailMultiAlternatives)
    code = stranger.code()
    assert letter.subject == f"{code} is your Woodgrove code"
    assert code in str(letter.body)
    html = letter.alternatives[0][0]
    assert code in str(html)
    assert letter.extra_headers["Auto-Submitted"] == "auto-generated"


def test_keeps_only_a_hash_of_the_code(relying_party: RelyingParty) -> None:
    code = at_the_code_page(relying_party).code().replace(" ", "")
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM userflows_journey")
        stored = str(cursor.fetchall())
    assert code not in stored
    assert "amina" not in stored


@pytest.mark.parametrize("spell", [str, lambda code: code.replace(" ", ""), lambda code: code.replace(" ", "-")])
def test_accepts_the_code_however_it_is_spelled(relying_party: RelyingParty, spell: Callable[[str], str]) -> None:
    stranger = at_the_code_page(relying_party)
    assert stranger.submit(code=spell(stranger.code())).step == "attributes"


def test_accepts_digits_of_another_script(relying_party: RelyingParty) -> None:
    stranger = at_the_code_page(relying_party)
    arabic = stranger.code().translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩"))
    assert stranger.submit(code=arabic).step == "attributes"


@pytest.mark.parametrize("typed", ["", "1234", "abcdefgh", "123456789", "²²²²²²²²"])
def test_says_what_a_code_looks_like_without_costing_a_try(relying_party: RelyingParty, typed: str) -> None:
    stranger = at_the_code_page(relying_party)
    stranger.submit(code=typed)
    assert stranger.step == "email_code"
    assert "Enter the" in stranger.html
    assert Journey.objects.get().code_tries == 0


def test_counts_down_wrong_tries_and_then_wants_a_new_code(relying_party: RelyingParty) -> None:
    stranger = at_the_code_page(relying_party)
    right = stranger.code()
    wrong = "0000 0000" if right != "0000 0000" else "1111 1111"
    stranger.submit(code=wrong)
    assert "4 more tries" in stranger.html
    for _ in range(4):
        stranger.submit(code=wrong)
    assert "no tries left" in stranger.html
    stranger.submit(code=right)
    assert stranger.step == "email_code"
    assert AuditEvent.objects.filter(activity="email_code.verified", result="failure").count() == 6


def test_refuses_a_code_after_fifteen_minutes(relying_party: RelyingParty) -> None:
    stranger = at_the_code_page(relying_party)
    Journey.objects.update(code_sent_at=timezone.now() - timedelta(minutes=15))
    stranger.give_code()
    assert "expired" in stranger.html
    assert stranger.step == "email_code"


def test_takes_a_code_once(relying_party: RelyingParty) -> None:
    stranger = at_the_code_page(relying_party)
    stranger.give_code()
    journey = Journey.objects.get()
    assert journey.code_hash == ""
    assert mail_code.check_code(journey, stranger.code().replace(" ", "")) is mail_code.CodeCheck.EXPIRED


def test_sends_another_code_after_a_minute_and_ends_the_first(relying_party: RelyingParty) -> None:
    stranger = at_the_code_page(relying_party)
    first = stranger.code()
    stranger.submit(action="resend")
    assert len(mail.outbox) == 1
    Journey.objects.update(code_sent_at=timezone.now() - timedelta(seconds=61))
    assert "new code. The earlier one" not in stranger.html
    stranger.submit(action="resend")
    assert "new code. The earlier one" in stranger.html
    assert len(mail.outbox) == 2
    if first != stranger.code():
        assert stranger.submit(code=first).step == "email_code"
    assert stranger.give_code().step == "attributes"


def test_binds_the_code_to_the_address(relying_party: RelyingParty) -> None:
    stranger = at_the_code_page(relying_party)
    first = stranger.code()
    journey = Journey.objects.get()
    stranger.open(f"/woodgrove/journey/{journey.pk}/choose/")
    stranger.email = "other@fabrikam.example"
    stranger.give_email()
    if first != stranger.code():
        assert stranger.submit(code=first).step == "email_code"
    stranger.give_code()
    assert Journey.objects.get().facts["mail_proven"] == "other@fabrikam.example"


def test_limits_the_codes_of_one_mailbox(relying_party: RelyingParty) -> None:
    for _ in range(mail_code.MAILBOX_LIMIT.count):
        assert at_the_code_page(relying_party).step == "email_code"
    refused = at_the_code_page(relying_party, email="AMINA@fabrikam.example")
    assert refused.page.status_code == 429
    assert int(refused.page["Retry-After"]) > 0
    assert refused.page["X-Correlation-ID"] in refused.html
    assert len(mail.outbox) == mail_code.MAILBOX_LIMIT.count
    assert at_the_code_page(relying_party, email="other@fabrikam.example").step == "email_code"


@pytest.mark.parametrize("name", ["ADDRESS_LIMIT", "TENANT_LIMIT"])
def test_limits_one_sender_and_one_tenant(
    relying_party: RelyingParty, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    limit = Limit(f"test.{name}", count=2, seconds=3600)
    monkeypatch.setattr(f"userflows.mail_code.{name}", limit)
    for number in range(2):
        assert at_the_code_page(relying_party, email=f"p{number}@example.com").step == "email_code"
    assert at_the_code_page(relying_party, email="p3@example.com").page.status_code == 429


def test_keeps_no_address_in_the_counters(relying_party: RelyingParty) -> None:
    at_the_code_page(relying_party)
    assert RateCounter.objects.count() >= 3
    assert "amina" not in str(list(RateCounter.objects.values()))


def test_does_not_count_one_tenant_against_another(
    relying_party: RelyingParty,
    make_tenant: Callable[..., Tenant],
    make_user_flow: Callable[..., UserFlow],
    make_relying_party: Callable[..., RelyingParty],
) -> None:
    for _ in range(mail_code.MAILBOX_LIMIT.count):
        at_the_code_page(relying_party)
    other = make_tenant("fourthcoffee")
    assert at_the_code_page(make_relying_party(other, make_user_flow(other))).step == "email_code"


@contextmanager
def count_hashes() -> Iterator[Counter[str]]:
    """Count the calls into the hash functions of Python and of the password hasher, whoever makes them."""
    counted: Counter[str] = Counter()

    def note(frame: FrameType, event: str, called: Any) -> None:
        module = getattr(called, "__module__", None) or type(getattr(called, "__self__", None)).__module__
        if event == "c_call" and module in ("_hashlib", "_hmac", "_sha2", "_argon2_cffi_bindings._ffi", "_ffi.lib"):
            counted[called.__name__] += 1

    sys.setprofile(note)
    try:
        yield counted
    finally:
        sys.setprofile(None)


def test_answers_known_and_unknown_addresses_alike(relying_party: RelyingParty) -> None:
    """Byte for byte the same pages but for address, ids and CSRF token; the same statements, the same hashes."""
    known, unknown = "amina@fabrikam.example", "nobody@fabrikam.example"
    Stranger(email=known).sign_up(relying_party.request_url(), GivenName="Amina", Surname="Haddad")
    assert User.objects.count() == 1
    answers = []
    for email in (known, unknown):
        stranger = Stranger(email=email).open(relying_party.request_url())
        with CaptureQueriesContext(connection) as queries, count_hashes() as hashes:
            stranger.give_email()
        journey = Journey.objects.order_by("-created_at")[0]
        page = stranger.html.replace(email, "ADDRESS").replace(str(journey.pk), "JOURNEY")
        page = page.replace(stranger.hidden_fields()["csrfmiddlewaretoken"], "TOKEN")
        page = re.sub(r'name="csrfmiddlewaretoken" value="[^"]*"', "TOKEN", page)
        page = page.replace(str(journey.correlation_id), "CORRELATION")
        values = re.compile(r" (?:WHERE|VALUES|SET|SELECT \* FROM UNNEST)|SAVEPOINT")
        statements = [values.split(query["sql"])[0] for query in queries]
        answers.append((page, stranger.page.status_code, statements, hashes))
        assert mail.outbox[-1].to == [email]
        assert sum(hashes.values()) > 3
    for one, other in zip(*answers, strict=True):
        assert one == other


@pytest.fixture
def say(user_flow: UserFlow) -> Callable[..., None]:
    """Say how codes are: the tenant's identity provider by its settings, the flow by its columns."""

    def make(settings: dict[str, Any], **flow: Any) -> None:
        IdentityProvider.objects.filter(tenant=user_flow.tenant, kind="EmailOTP").update(settings=settings)
        for name, value in flow.items():
            setattr(user_flow, name, value)
        user_flow.full_clean()
        user_flow.save()
        publish(user_flow)

    return make


@pytest.mark.parametrize(
    ("settings", "flow", "shape", "minutes"),
    [
        ({}, {}, r"\d{4} \d{4}", 15),
        ({"code_length": 6}, {}, r"\d{3} \d{3}", 15),
        ({"code_length": 7, "code_minutes": 5}, {}, r"\d{4} \d{3}", 5),
        ({"code_length": 6, "code_minutes": 60}, {"code_length": 9}, r"\d{3} \d{3} \d{3}", 60),
        ({"code_length": 6, "code_minutes": 60}, {"code_length": 10, "code_minutes": 20}, r"\d{5} \d{5}", 20),
    ],
)
def test_asks_for_a_code_as_the_flow_or_the_tenant_wants_it(
    relying_party: RelyingParty,
    say: Callable[..., None],
    settings: dict[str, Any],
    flow: dict[str, Any],
    shape: str,
    minutes: int,
) -> None:
    say(settings, **flow)
    stranger = at_the_code_page(relying_party)
    code = stranger.code()
    assert re.fullmatch(shape, code)
    digits = len(code.replace(" ", ""))
    assert f"We sent a code of {digits} digits to" in stranger.html
    letter = mail.outbox[0]
    assert isinstance(letter, EmailMultiAlternatives)
    for text in (stranger.html, str(letter.body), str(letter.alternatives[0][0])):
        assert f"It works for {minutes} minutes." in text
    for wrong in (digits - 1, digits + 1):
        assert f"Enter the {digits} digits of the code." in stranger.submit(code="1" * wrong).html
    Journey.objects.update(code_sent_at=timezone.now() - timedelta(minutes=minutes, seconds=-5))
    assert stranger.give_code().step == "attributes"


def test_ends_a_code_when_its_mail_said_so(relying_party: RelyingParty, say: Callable[..., None]) -> None:
    say({"code_length": 6, "code_minutes": 60})
    stranger = at_the_code_page(relying_party)
    # What is changed meanwhile is for the next code.
    say({"code_length": 8, "code_minutes": 5})
    journey = Journey.objects.get()
    assert journey.expires_at >= timezone.now() + timedelta(minutes=59)
    assert "6 digits" in stranger.submit(code="1").html
    Journey.objects.update(code_sent_at=timezone.now() - timedelta(minutes=60))
    assert "expired" in stranger.give_code().html
    stranger.submit(action="resend")
    assert re.fullmatch(r"\d{4} \d{4}", stranger.code())
    assert "It works for 5 minutes." in stranger.html
    assert stranger.give_code().step == "attributes"


def test_meets_the_version_that_was_published(
    relying_party: RelyingParty, say: Callable[..., None], user_flow: UserFlow
) -> None:
    say({}, code_length=6)
    UserFlow.objects.filter(pk=user_flow.pk).update(code_length=10)
    assert len(at_the_code_page(relying_party).code()) == 7


@pytest.mark.parametrize(
    ("settings", "flow", "name"),
    [
        ({}, {}, "Woodgrove"),
        ({"sender_name": "Woodgrove Bank"}, {}, "Woodgrove Bank"),
        ({"sender_name": "Woodgrove Bank"}, {"code_sender": "Suppliers, Woodgrove"}, "Suppliers, Woodgrove"),
        ({"sender_name": "Größe 100 %"}, {}, "Größe 100 %"),
    ],
)
def test_mails_under_the_name_that_was_given(
    relying_party: RelyingParty, say: Callable[..., None], settings: dict[str, Any], flow: dict[str, Any], name: str
) -> None:
    say(settings, **flow)
    at_the_code_page(relying_party)
    header = str(make_header(decode_header(mail.outbox[0].message()["From"])))
    assert parseaddr(header) == (name, parseaddr(django_settings.DEFAULT_FROM_EMAIL)[1])


@pytest.mark.parametrize(
    "name",
    ["A\r\nBcc: eve@evil.example", 'A" <eve@evil.example>', "eve@evil.example", "A\x00B", "A, B <c>"],
)
def test_puts_nothing_but_a_name_before_the_address(
    relying_party: RelyingParty, user_flow: UserFlow, name: str
) -> None:
    user_flow.code_sender = name
    with pytest.raises(ValidationError):
        user_flow.full_clean()
    # Whatever a row may hold: the mail's header is safe by itself.
    IdentityProvider.objects.filter(kind="EmailOTP").update(settings={"sender_name": name.replace("\x00", "\x7f")})
    at_the_code_page(relying_party)
    message = message_from_bytes(mail.outbox[0].message().as_bytes(), policy=policy.default)
    [address] = message["From"].addresses
    assert f"{address.username}@{address.domain}" == parseaddr(django_settings.DEFAULT_FROM_EMAIL)[1]
    assert message["Bcc"] is None
    assert message["To"] == "amina@fabrikam.example"
