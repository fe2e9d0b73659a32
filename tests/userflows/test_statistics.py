"""The numbers of the last days: counted once when a day is over, and alike however often and by whomever."""

import uuid
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from directory.models import Tenant
from userflows.models import DailyCount, Outcome, Reached, SignIn, UserFlow
from userflows.statistics import Numbers, numbers_of, roll_up, roll_up_everywhere, statistics_of

NOON = datetime(2026, 3, 20, 12, tzinfo=UTC)
TODAY = NOON.date()
YESTERDAY = TODAY - timedelta(days=1)


def came(
    flow: UserFlow,
    at: datetime = NOON,
    *,
    reached: Reached = Reached.STARTED,
    outcome: Outcome = Outcome.IN_PROGRESS,
    is_test: bool = False,
) -> SignIn:
    return SignIn.objects.create(
        id=uuid.uuid4(),
        tenant=flow.tenant,
        user_flow=flow,
        reached=reached,
        outcome=outcome,
        is_test=is_test,
        correlation_id=uuid.uuid4(),
        started_at=at,
    )


def signed_up(flow: UserFlow, at: datetime = NOON) -> SignIn:
    return came(flow, at, reached=Reached.COMPLETED, outcome=Outcome.SIGNED_UP)


def on(tenant: Tenant, day: date, now: datetime = NOON) -> Numbers:
    return dict(statistics_of(tenant, now=now).days)[day]


def test_counts_how_far_people_came(user_flow: UserFlow) -> None:
    for reached in (Reached.STARTED, Reached.ADDRESS_GIVEN, Reached.PROVEN, Reached.ANSWERED):
        came(user_flow, reached=reached)
    signed_up(user_flow)
    came(user_flow, reached=Reached.PROVEN, outcome=Outcome.REFUSED)
    assert on(user_flow.tenant, TODAY) == Numbers(6, 5, 4, 2, 1, 0, 1)


def test_keeps_people_who_have_an_account_out_of_the_funnel(user_flow: UserFlow) -> None:
    signed_up(user_flow)
    came(user_flow, reached=Reached.ADDRESS_GIVEN)
    came(user_flow, reached=Reached.COMPLETED, outcome=Outcome.SIGNED_IN)
    total = statistics_of(user_flow.tenant, now=NOON).total
    assert (total.attempts, total.signed_up, total.signed_in, total.finish_rate) == (2, 1, 1, 50)
    assert [count for _step, count in total.funnel()] == [2, 2, 1, 1, 1]


def test_never_counts_test_runs(user_flow: UserFlow) -> None:
    for at in (NOON, NOON - timedelta(days=1)):
        came(user_flow, at, reached=Reached.COMPLETED, outcome=Outcome.SIGNED_UP, is_test=True)
    assert statistics_of(user_flow.tenant, now=NOON).total == Numbers()


def test_has_each_of_thirty_days(user_flow: UserFlow) -> None:
    came(user_flow, NOON - timedelta(days=29))
    came(user_flow, NOON - timedelta(days=30))
    statistics = statistics_of(user_flow.tenant, now=NOON)
    assert [day for day, _numbers in statistics.days] == [TODAY - timedelta(days=29 - n) for n in range(30)]
    assert (statistics.days[0][1].started, statistics.total.started) == (1, 1)


def test_keeps_the_tenants_apart(
    user_flow: UserFlow, make_tenant: Callable[..., Tenant], make_user_flow: Callable[..., UserFlow]
) -> None:
    theirs = make_user_flow(make_tenant("globex"))
    for at in (NOON, NOON - timedelta(days=3)):
        came(theirs, at)
    assert statistics_of(user_flow.tenant, now=NOON).total == Numbers()
    assert statistics_of(theirs.tenant, now=NOON).total.started == 2


def test_keeps_its_numbers_when_the_log_is_purged(user_flow: UserFlow) -> None:
    signed_up(user_flow, NOON - timedelta(days=2))
    signed_up(user_flow)
    before = statistics_of(user_flow.tenant, now=NOON).total
    SignIn.objects.filter(started_at__lt=NOON - timedelta(days=1)).delete()
    assert statistics_of(user_flow.tenant, now=NOON).total == before


def test_counts_a_day_before_its_log_is_purged(user_flow: UserFlow) -> None:
    """The command runs every hour; somebody may look at the numbers only once in a quarter."""
    user_flow.tenant.sign_in_retention_days = 7
    user_flow.tenant.save()
    now = datetime.now(UTC)
    signed_up(user_flow, now - timedelta(days=9))
    call_command("purge_expired", verbosity=0)
    assert not SignIn.objects.exists()
    assert statistics_of(user_flow.tenant, now=now).total.signed_up == 1


def test_waits_until_those_who_began_before_midnight_have_ended(user_flow: UserFlow) -> None:
    midnight = datetime(2026, 3, 20, tzinfo=UTC)
    late = came(user_flow, midnight - timedelta(minutes=5))
    assert on(user_flow.tenant, YESTERDAY, now=midnight + timedelta(minutes=10)).signed_up == 0
    assert not DailyCount.objects.filter(day=YESTERDAY).exists()

    SignIn.objects.filter(pk=late.pk).update(outcome=Outcome.SIGNED_UP, reached=Reached.COMPLETED)
    for minutes in (20, 59, 61, 600):
        assert on(user_flow.tenant, YESTERDAY, now=midnight + timedelta(minutes=minutes)).signed_up == 1
    assert DailyCount.objects.get(day=YESTERDAY).signed_up == 1


def test_counts_each_day_once(user_flow: UserFlow) -> None:
    for days in range(5):
        signed_up(user_flow, NOON - timedelta(days=days))
    for _again in range(3):
        assert statistics_of(user_flow.tenant, now=NOON).total.signed_up == 5
    assert DailyCount.objects.filter(signed_up=1).count() == 4


def test_keeps_what_was_first_written_when_two_count_at_once(user_flow: UserFlow) -> None:
    """The second one began to count before the first had written."""
    signed_up(user_flow, NOON - timedelta(days=1))
    roll_up(user_flow.tenant, now=NOON)
    row = DailyCount.objects.get(day=YESTERDAY, user_flow=user_flow)
    DailyCount.objects.bulk_create(
        [DailyCount(tenant=row.tenant, user_flow=user_flow, day=YESTERDAY, signed_up=1)], ignore_conflicts=True
    )
    assert statistics_of(user_flow.tenant, now=NOON).total.signed_up == 1


def test_looks_at_a_quiet_day_once(user_flow: UserFlow) -> None:
    came(user_flow, NOON - timedelta(days=9))
    roll_up(user_flow.tenant, now=NOON)
    with CaptureQueriesContext(connection) as queries:
        assert roll_up(user_flow.tenant, now=NOON) == YESTERDAY
    assert len(queries) == 1


def test_names_the_flow_that_most_people_begin_to_sign_up_by(
    user_flow: UserFlow, make_user_flow: Callable[..., UserFlow]
) -> None:
    other = make_user_flow(user_flow.tenant, "Partners")
    for _person in range(3):
        came(user_flow, reached=Reached.COMPLETED, outcome=Outcome.SIGNED_IN)
    came(other, NOON - timedelta(days=2))
    came(other)
    came(user_flow)
    busiest = statistics_of(user_flow.tenant, now=NOON).busiest
    assert busiest == (other, Numbers(started=2))
    assert numbers_of(other, now=NOON) == Numbers(started=2)
    assert numbers_of(user_flow, now=NOON).attempts == 1


def test_names_no_flow_when_nobody_came(user_flow: UserFlow) -> None:
    statistics = statistics_of(user_flow.tenant, now=NOON)
    assert (statistics.busiest, statistics.total.finish_rate) == (None, None)


def test_does_without_any_flow(tenant: Tenant) -> None:
    assert statistics_of(tenant, now=NOON).total == Numbers()
    assert not DailyCount.objects.exists()
    assert roll_up_everywhere(NOON) == 0


def test_survives_a_flow_that_is_deleted(user_flow: UserFlow, make_user_flow: Callable[..., UserFlow]) -> None:
    other = make_user_flow(user_flow.tenant, "Partners")
    came(other, NOON - timedelta(days=1))
    came(user_flow, NOON - timedelta(days=3))
    statistics_of(user_flow.tenant, now=NOON)
    other.delete()
    assert statistics_of(user_flow.tenant, now=NOON).total.started == 1


@pytest.mark.parametrize("ready", [False, True])
def test_takes_as_many_queries_for_many_rows(
    user_flow: UserFlow, make_user_flow: Callable[..., UserFlow], ready: bool
) -> None:
    def queries() -> int:
        if ready:
            roll_up(user_flow.tenant, now=NOON)
        else:
            DailyCount.objects.all().delete()
        with CaptureQueriesContext(connection) as captured:
            statistics_of(user_flow.tenant, now=NOON)
        return len(captured)

    came(user_flow, NOON - timedelta(days=1))
    few = queries()
    for number in range(8):
        flow = make_user_flow(user_flow.tenant, f"Flow_{number}")
        for days in range(6):
            came(flow, NOON - timedelta(days=days))
    assert queries() == few <= 9
