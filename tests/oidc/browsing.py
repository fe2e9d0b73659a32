"""What most tests of the protocol begin with: a person in front of an application."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any, TypeVar

from django.db import connection, transaction
from django.db.models import QuerySet

from tests.relying_party import RelyingParty
from tests.stranger import Stranger

ANSWERS = {"GivenName": "Amina", "Surname": "Haddad"}
T = TypeVar("T")


def answer_for(relying_party: RelyingParty, person: Stranger, **changes: str | None) -> dict[str, str]:
    """Return with what the application gets the person back: after signing up or in, where that is asked for."""
    person.open(relying_party.request_url(**changes))
    if not person.left_to:
        person.give_email().give_code()
    if not person.left_to:
        person.submit(**ANSWERS)
    return relying_party.answer(person.left_to)


def code_for(relying_party: RelyingParty, person: Stranger, **changes: str | None) -> str:
    return answer_for(relying_party, person, **changes)["code"]


def tokens_for(relying_party: RelyingParty, person: Stranger, **changes: str | None) -> dict[str, Any]:
    response = relying_party.redeem(code_for(relying_party, person, **changes))
    assert response.status_code == 200, response.content
    return dict(response.json())


def error_of(response: Any, status: int = 400) -> str:
    """Return the error of a refused call of an endpoint for machines; it must have everything that errors have."""
    assert response.status_code == status, response.content
    assert response["Cache-Control"] == "no-store"
    body = response.json()
    assert body["correlation_id"] == response["X-Correlation-ID"]
    return str(body["error"])


def assert_error_page(response: Any, code: str) -> str:
    """The page that is shown where no redirect can be trusted; returns its text."""
    assert response.status_code == 400
    assert "Location" not in response
    assert "no-store" in response["Cache-Control"]
    html = str(response.content.decode())
    assert code in html
    assert response["X-Correlation-ID"] in html
    return html


def at_once(count: int, work: Callable[[int], T]) -> list[T]:
    """Do `work` in `count` threads that begin together, each with a database connection of its own."""
    barrier = Barrier(count)

    def one(number: int) -> T:
        try:
            barrier.wait(timeout=20)
            return work(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as threads:
        return list(threads.map(one, range(count)))


def race(rows: QuerySet[Any], count: int, work: Callable[[int], T]) -> list[T]:
    """Do `work` in `count` threads that all stand at the same locked `rows` before the first may go on (PostgreSQL)."""
    with ThreadPoolExecutor(1) as starter:
        with transaction.atomic():
            list(rows.select_for_update(of=("self",)))
            running = starter.submit(at_once, count, work)
            _wait_until_waiting(count)
        return running.result()


def _wait_until_waiting(count: int) -> None:
    deadline = time.monotonic() + 20
    query = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
    with connection.cursor() as cursor:
        while time.monotonic() < deadline:
            cursor.execute("select pg_stat_clear_snapshot()")
            cursor.execute(query)
            if cursor.fetchone()[0] >= count:
                return
            time.sleep(0.05)
    raise TimeoutError("The threads did not reach the lock.")
