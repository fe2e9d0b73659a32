"""Counting attempts, in the database, so that a limit holds across processes and restarts."""

import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime

from django.db.models import F
from django.utils import timezone
from django.utils.crypto import salted_hmac

from userflows.errors import TooManyRequests
from userflows.models import RateCounter


@dataclass(frozen=True)
class Limit:
    """At most `count` times in `seconds`, for each value of what `name` says."""

    name: str
    count: int
    seconds: int


# What counts against which limit, for whom.
Attempts = tuple[tuple[Limit, str], ...]


def count_attempt(*limits_and_subjects: tuple[Limit, str]) -> None:
    """Count one attempt against each limit. Raises TooManyRequests when one of them is used up.

    Call it outside a transaction: an attempt counts also when what follows is rolled back.
    """
    now = int(timezone.now().timestamp())
    counters = [(limit, _counter(limit, subject, now)) for limit, subject in limits_and_subjects]
    RateCounter.objects.bulk_create([counter for _, counter in counters], ignore_conflicts=True)
    for limit, counter in counters:
        # One statement tests and counts: two processes can't both take the last one.
        taken = RateCounter.objects.filter(pk=counter.pk, count__lt=limit.count).update(count=F("count") + 1)
        if not taken:
            raise TooManyRequests(retry_after=max(1, int(counter.window_ends_at.timestamp()) - now))


def give_back(*limits_and_subjects: tuple[Limit, str]) -> None:
    """Take back what was counted: where only what fails is limited, but must be counted before it is judged."""
    now = int(timezone.now().timestamp())
    keys = [_counter(limit, subject, now).pk for limit, subject in limits_and_subjects]
    RateCounter.objects.filter(pk__in=keys, count__gt=0).update(count=F("count") - 1)


def _counter(limit: Limit, subject: str, now: int) -> RateCounter:
    window = now // limit.seconds
    key = salted_hmac("userflows.rate_limit", f"{limit.name}|{window}|{subject}", algorithm="sha256").hexdigest()
    return RateCounter(key=key, window_ends_at=datetime.fromtimestamp((window + 1) * limit.seconds, tz=UTC))


def network_of(address: str) -> str:
    """Return what counts as one sender: an IPv4 address, or the /64 network that one IPv6 subscriber has."""
    ip = ipaddress.ip_address(address.partition("%")[0] or "0.0.0.0")  # noqa: S104 - no socket: none is known
    if ip.version == 4:
        return str(ip)
    # An IPv4 address in IPv6 clothes is one sender, not one of a network that holds all of IPv4.
    return str(ip.ipv4_mapped or ipaddress.ip_network((ip, 64), strict=False))
