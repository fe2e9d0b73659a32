"""How many came, how far, and where they gave up: numbers of the last days, without test runs.

Days that are over are counted once, from the sign-in log into DailyCount; what came since is counted when asked.
A person who has an account and signs in is no sign-up that was begun: Numbers tells the two apart.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Count, Max, Q, QuerySet, Sum
from django.db.models.functions import TruncDate
from django.utils import timezone

from directory.models import Tenant
from userflows.models import DailyCount, Outcome, Reached, SignIn, UserFlow

DAYS = 30
# Longer than a journey may take: what began before midnight has ended when its day is counted.
SETTLED_AFTER = timedelta(hours=1)
# Among so many, the flow that most people came through is looked for.
CANDIDATES = 20
COUNTED: dict[str, Q] = {
    "started": Q(),
    "address_given": Q(reached__gte=Reached.ADDRESS_GIVEN),
    "proven": Q(reached__gte=Reached.PROVEN),
    "answered": Q(reached__gte=Reached.ANSWERED),
    "signed_up": Q(outcome=Outcome.SIGNED_UP),
    "signed_in": Q(outcome=Outcome.SIGNED_IN),
    "refused": Q(outcome=Outcome.REFUSED),
}
SUMS = {f"sum_of_{name}": Sum(name, default=0) for name in COUNTED}


@dataclass(frozen=True)
class Numbers:
    """Journeys that came at least so far (as DailyCount has them), and what follows from that."""

    started: int = 0
    address_given: int = 0
    proven: int = 0
    answered: int = 0
    signed_up: int = 0
    signed_in: int = 0
    refused: int = 0

    def __add__(self, other: "Numbers") -> "Numbers":
        return Numbers(**{name: getattr(self, name) + getattr(other, name) for name in COUNTED})

    @property
    def attempts(self) -> int:
        """Sign-ups that were begun."""
        return max(self.started - self.signed_in, 0)

    @property
    def finish_rate(self) -> int | None:
        """How many of a hundred attempts became an account; None where nobody tried."""
        return round(100 * self.signed_up / self.attempts) if self.attempts else None

    def funnel(self) -> list[tuple[Reached, int]]:
        """Return how many attempts came to each step."""
        steps = (self.started, self.address_given, self.proven, self.answered)
        attempts = [max(count - self.signed_in, 0) for count in steps]
        return list(zip(Reached, [*attempts, self.signed_up], strict=True))


@dataclass(frozen=True)
class Statistics:
    """`days` has every day of the period, oldest first; `busiest` the flow that most people began to sign up by."""

    days: list[tuple[date, Numbers]]
    busiest: tuple[UserFlow, Numbers] | None

    @property
    def total(self) -> Numbers:
        return sum((numbers for _day, numbers in self.days), Numbers())


def statistics_of(tenant: Tenant, *, now: datetime | None = None) -> Statistics:
    """Return the numbers of the last DAYS days, today among them. In a fixed number of queries."""
    now = now or timezone.now()
    rolled_up_to = roll_up(tenant, now=now)
    first = _first_day(now)
    kept = DailyCount.objects.filter(tenant=tenant, day__range=(first, rolled_up_to))
    recent = list(_counted(_entries(tenant, since=rolled_up_to + timedelta(days=1))))
    flows = kept.values("user_flow").annotate(**SUMS).order_by("-sum_of_started", "user_flow")[:CANDIDATES]
    by_day = {row["day"]: _summed(row) for row in kept.values("day").annotate(**SUMS).order_by("day")}
    by_flow = {row["user_flow"]: _summed(row) for row in flows}
    for row in recent:
        by_day[row["day"]] = by_day.get(row["day"], Numbers()) + _numbers(row)
        by_flow[row["user_flow"]] = by_flow.get(row["user_flow"], Numbers()) + _numbers(row)
    days = [first + timedelta(days=number) for number in range(DAYS)]
    return Statistics([(day, by_day.get(day, Numbers())) for day in days], _busiest(by_flow))


def numbers_of(user_flow: UserFlow, *, now: datetime | None = None) -> Numbers:
    """Return one flow's numbers of the last DAYS days."""
    now = now or timezone.now()
    rolled_up_to = roll_up(user_flow.tenant, now=now)
    first = _first_day(now)
    kept = DailyCount.objects.filter(tenant=user_flow.tenant, user_flow=user_flow, day__range=(first, rolled_up_to))
    sums = kept.aggregate(**SUMS)
    recent = _entries(user_flow.tenant, since=rolled_up_to + timedelta(days=1)).filter(user_flow=user_flow)
    return sum((_numbers(row) for row in _counted(recent)), _summed(sums))


def roll_up(tenant: Tenant, *, now: datetime) -> date:
    """Count the days that are over and not yet counted. Returns the last day that stands in DailyCount.

    Several may do it at once: they count the same, and the first to write is kept.
    """
    last = (now - SETTLED_AFTER).astimezone(UTC).date() - timedelta(days=1)
    counted_to = DailyCount.objects.filter(tenant=tenant).aggregate(day=Max("day"))["day"]
    if counted_to is not None and counted_to >= last:
        return counted_to  # type: ignore[no-any-return]
    entries = _entries(tenant, since=counted_to and counted_to + timedelta(days=1), until=last)
    counts = [
        DailyCount(tenant=tenant, user_flow_id=row["user_flow"], day=row["day"], **_values(row))
        for row in _counted(entries)
    ]
    if not any(count.day == last for count in counts):
        # So that a quiet day isn't looked at again.
        flow = UserFlow.objects.filter(tenant=tenant).order_by("name").first()
        counts += [DailyCount(tenant=tenant, user_flow=flow, day=last)] if flow else []
    with transaction.atomic():
        DailyCount.objects.bulk_create(counts, ignore_conflicts=True, batch_size=1000)
    return last


def roll_up_everywhere(now: datetime) -> int:
    """Count the days that are over in every tenant, before its log forgets them; returns for how many tenants."""
    tenants = Tenant.objects.filter(user_flows__isnull=False).distinct()
    for tenant in tenants.iterator(chunk_size=1000):
        roll_up(tenant, now=now)
    return tenants.count()


def _entries(tenant: Tenant, *, since: date | None, until: date | None = None) -> QuerySet[SignIn]:
    entries = SignIn.objects.filter(tenant=tenant, is_test=False, user_flow__isnull=False)
    if since:
        entries = entries.filter(started_at__gte=_midnight(since))
    if until:
        entries = entries.filter(started_at__lt=_midnight(until + timedelta(days=1)))
    return entries


def _counted(entries: QuerySet[SignIn]) -> Iterable[dict[str, Any]]:
    # The date of a day depends on where one stands; the counts are UTC's.
    days = entries.annotate(day=TruncDate("started_at", tzinfo=UTC)).order_by().values("user_flow", "day")
    return days.annotate(**{name: Count("pk", filter=condition) for name, condition in COUNTED.items()})


def _busiest(by_flow: dict[Any, Numbers]) -> tuple[UserFlow, Numbers] | None:
    tried = {flow_id: numbers for flow_id, numbers in by_flow.items() if numbers.attempts}
    if not tried:
        return None
    flow_id = max(tried, key=lambda flow_id: (tried[flow_id].attempts, str(flow_id)))
    flow = UserFlow.objects.filter(pk=flow_id).first()
    return (flow, tried[flow_id]) if flow else None


def _values(row: dict[str, Any]) -> dict[str, int]:
    return {name: row[name] for name in COUNTED}


def _numbers(row: dict[str, Any]) -> Numbers:
    return Numbers(**_values(row))


def _summed(row: dict[str, Any]) -> Numbers:
    return Numbers(**{name: row[f"sum_of_{name}"] for name in COUNTED})


def _first_day(now: datetime) -> date:
    return now.astimezone(UTC).date() - timedelta(days=DAYS - 1)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, tzinfo=UTC)
