"""The sign-in log: one entry for each journey, written as it goes on. It outlives the journey."""

import uuid
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from django.db import models
from django.utils import timezone

from directory.models import Tenant, User
from userflows.models import Journey, Outcome, Reached, SignIn

# More than anybody needs: a machine that tries codes for ever fills no table.
MAX_STEPS = 60
AT_ONCE = 500
PURGED_AT_ONCE = 5000


def begin(journey: Journey) -> None:
    """Open the entry of a journey that was just saved."""
    SignIn.objects.create(
        id=journey.pk,
        tenant=journey.tenant,
        user_flow=journey.user_flow,
        flow_version=journey.flow_version,
        application=journey.application,
        correlation_id=journey.correlation_id,
        is_test=journey.is_test,
        steps=[_step("started", "done", "")],
        search_text=_searched(journey.user_flow, journey.application),
    )


def note(journey: Journey, step: str, *, reached: Reached | None = None, reason: str = "", **details: Any) -> None:
    """Add a step that was done or, with a `reason`, refused. Steps of an ended journey are still noted."""
    entry = SignIn.objects.filter(pk=journey.pk).first()
    if entry is None:
        return
    _append(entry, _step(step, "refused" if reason else "done", reason, **details))
    entry.reached = max(entry.reached, reached or Reached.STARTED)
    # In lower case: so it is found by its index, whatever its case was.
    entry.mail = journey.facts.get("mail_proven", "").lower() or entry.mail
    entry.search_text = _searched(journey.user_flow, journey.application, entry.mail)
    entry.save(update_fields=["steps", "reached", "mail", "search_text"])


def finish(journey: Journey, *, outcome: Outcome, identity_provider: str = "") -> None:
    """Close the entry: signed up, signed in or cancelled."""
    entry = SignIn.objects.filter(pk=journey.pk).first()
    if entry is None:
        return
    _append(entry, _step(outcome.value, "done", ""))
    if outcome is not Outcome.CANCELLED:
        entry.reached = Reached.COMPLETED
    entry.outcome = outcome
    entry.reason = ""
    entry.user = journey.user
    entry.identity_provider = identity_provider
    entry.ended_at = timezone.now()
    entry.search_text = _searched(journey.user_flow, journey.application, entry.mail, journey.user, identity_provider)
    entry.save()


def refuse(journey_id: uuid.UUID, *, reason: str) -> None:
    """Note that the person came to a dead end. Called after the transaction of the request was rolled back."""
    entry = SignIn.objects.filter(pk=journey_id).first()
    if entry is None or entry.outcome in (Outcome.SIGNED_UP, Outcome.SIGNED_IN, Outcome.CANCELLED):
        return
    _append(entry, _step("refused", "refused", reason))
    entry.outcome = Outcome.REFUSED
    entry.reason = reason[:100]
    entry.ended_at = timezone.now()
    entry.search_text = f"{entry.search_text}\n{entry.reason}"
    entry.save(update_fields=["steps", "outcome", "reason", "ended_at", "search_text"])


def forget(people: Collection[User]) -> None:
    """Take out who it was, for people who are deleted for good. That somebody came, when and how far, stays."""
    tenants = {user.tenant_id for user in people}
    theirs = models.Q(user__in=people) | models.Q(mail__in={user.mail.lower() for user in people})
    entries = SignIn.objects.filter(theirs, tenant__in=tenants).select_related("user_flow", "application")
    forgotten = []
    for entry in entries.iterator(chunk_size=AT_ONCE):
        entry.mail, entry.user = "", None
        entry.search_text = _searched(entry.user_flow, entry.application, entry.reason)
        forgotten.append(entry)
    SignIn.objects.bulk_update(forgotten, ["mail", "user", "search_text"], batch_size=AT_ONCE)


def purge_sign_ins(now: datetime) -> int:
    """Delete the entries that are older than their tenant keeps them, in batches; returns how many."""
    deleted = 0
    for days in set(Tenant.objects.values_list("sign_in_retention_days", flat=True)):
        expired = SignIn.objects.filter(
            tenant__sign_in_retention_days=days, started_at__lt=now - timedelta(days=days)
        ).order_by("started_at")
        while batch := SignIn.objects.filter(pk__in=expired.values("pk")[:PURGED_AT_ONCE]).delete()[0]:
            deleted += batch
    return deleted


def _searched(*things: object) -> str:
    """Return what a search finds an entry by: one thing on each line."""
    words = []
    for thing in things:
        words += [thing.mail, str(thing)] if isinstance(thing, User) else [str(thing or "")]
    return "\n".join(dict.fromkeys(word.lower() for word in words if word))


def _append(entry: SignIn, step: dict[str, Any]) -> None:
    if len(entry.steps) < MAX_STEPS:
        entry.steps.append(step)


def _step(name: str, outcome: str, reason: str, **details: Any) -> dict[str, Any]:
    step = {"at": timezone.now().isoformat(timespec="seconds"), "step": name, "outcome": outcome}
    return step | ({"reason": reason} if reason else {}) | details
