"""What is left of somebody who came from a provider and went away: nothing of a person, and no token of theirs ever."""

import logging
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.core import mail
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from directory.encryption import unseal
from directory.models import IdentityProvider, Session, User, UserType
from directory.session_store import SessionStore
from tests.userflows.federation.conftest import Traveller
from userflows.mail import CONTEXT
from userflows.models import Handshake, Journey

# The journey itself, its mail, what the provider publishes, and what is written down of every visit: all of it ends.
OF_A_VISIT = {
    "directory_auditevent",
    "django_tasks_database_dbtaskresult",
    "userflows_journey",
    "userflows_handshake",
    "userflows_providerdocument",
    "userflows_ratecounter",
    "userflows_signin",
}


def rows() -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table, as it stands there."""
    with connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
        stored = {}
        for table in tables:
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")  # noqa: S608
            stored[table] = cursor.fetchall()
    return stored


def grown(before: dict[str, list[tuple[Any, ...]]]) -> set[str]:
    return {table for table, stored in rows().items() if len(stored) > len(before[table])}


def everything_stored() -> Iterator[str]:
    """Every column, as it stands there and opened: sealed ones, sessions, and mail on its way."""
    for stored in rows().values():
        yield from (str(value) for row in stored for value in row)
    for model in apps.get_models():
        yield from (str(value) for row in model._base_manager.values_list() for value in row)
    yield from (str(SessionStore().decode(session.session_data)) for session in Session.objects.all())
    tasks = apps.get_model("django_tasks_database", "DBTaskResult").objects.values_list("args_kwargs", flat=True)
    yield from (unseal(task["kwargs"]["sealed"], context=CONTEXT) for task in tasks if "sealed" in task["kwargs"])


def found_in(secrets: list[str], texts: Iterator[str] | list[str]) -> list[str]:
    return [secret for text in texts for secret in secrets if secret in text]


@pytest.mark.parametrize("kind", ["OpenIdConnect", "Apple", "Facebook"])
def test_leaves_no_person_and_never_a_token(
    kind: str, make_vendor: Callable[..., IdentityProvider], traveller: Traveller, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    provider = make_vendor(kind)
    before = rows()
    stranger = traveller.leave(provider).come_back()
    if stranger.step == "email":
        stranger.email = "open_jygexjs_user@tfbnw.net"
        stranger.give_email().give_code()
    assert stranger.step == "attributes"
    # Code, access token, and where the provider has them ID token and refresh token.
    secrets = list(traveller.vendors.tokens)
    assert len(secrets) == (2 if kind == "Facebook" else 4)
    assert grown(before) <= OF_A_VISIT
    assert found_in(secrets, everything_stored()) == []
    # What is sealed was opened for this: here is what the provider told, and our secret at it.
    assert found_in([str(Journey.objects.get().facts["mail_proven"])], everything_stored())
    assert found_in([provider.secret], everything_stored())

    stranger.submit(GivenName="Amina", Surname="Aziz")
    assert stranger.left_to, stranger.html
    assert User.objects.filter(user_type=UserType.GUEST).count() == 1
    told = [*everything_stored(), caplog.text, *(str(letter.message()) for letter in mail.outbox)]
    assert found_in(secrets, told) == []
    assert found_in(["the-client-secret"], [caplog.text]) == []


def test_forgets_the_visit_when_its_time_is_over(
    make_vendor: Callable[..., IdentityProvider], traveller: Traveller
) -> None:
    traveller.leave(make_vendor()).come_back()
    assert found_in(["Amina Aziz"], everything_stored())
    for model in (Journey, Handshake):
        model.objects.update(expires_at=timezone.now() - timedelta(days=2))
    call_command("purge_expired")
    assert not Journey.objects.exists()
    assert not Handshake.objects.exists()
    # The sign-in log keeps the address that was proven, for its own time.
    assert found_in(["Amina Aziz"], everything_stored()) == []
