"""The sign-in log: one entry for each journey, written as it goes on. It outlives the journey."""

import uuid
from typing import Any

from django.utils import timezone

from userflows.models import Journey, Outcome, Reached, SignIn

# More than anybody needs: a machine that tries codes for ever fills no table.
MAX_STEPS = 60


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
    )


def note(journey: Journey, step: str, *, reached: Reached | None = None, reason: str = "", **details: Any) -> None:
    """Add a step that was done or, with a `reason`, refused. Steps of an ended journey are still noted."""
    entry = SignIn.objects.filter(pk=journey.pk).first()
    if entry is None:
        return
    _append(entry, _step(step, "refused" if reason else "done", reason, **details))
    entry.reached = max(entry.reached, reached or Reached.STARTED)
    entry.mail = journey.facts.get("mail_proven", "") or entry.mail
    entry.save(update_fields=["steps", "reached", "mail"])


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
    entry.save(update_fields=["steps", "outcome", "reason", "ended_at"])


def _append(entry: SignIn, step: dict[str, Any]) -> None:
    if len(entry.steps) < MAX_STEPS:
        entry.steps.append(step)


def _step(name: str, outcome: str, reason: str, **details: Any) -> dict[str, Any]:
    step = {"at": timezone.now().isoformat(timespec="seconds"), "step": name, "outcome": outcome}
    return step | ({"reason": reason} if reason else {}) | details
