"""What happened to a person's sign-in lately, from the audit log: their own, in words for them."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from directory.models import AuditEvent, User

SHOWN = 20
SENTENCES: dict[str, str | Promise] = {
    "identity.linked": _("Another way to sign in was added."),
    "identity.removed": _("A way to sign in was removed."),
    "passkey.added": _("A passkey was added."),
    "passkey.removed": _("A passkey was removed."),
    "password.changed": _("The password was changed."),
    "user.disabled": _("The account was switched off."),
    "user.enabled": _("The account was switched on again."),
    "user.mail_changed": _("The email address was changed."),
    "user.password_changed": _("The password was changed."),
    "user.password_removed": _("The password was removed."),
    "user.password_set": _("A password was set."),
    "user.sessions_revoked": _("Signed out everywhere."),
    "user.signed_in": _("Signed in."),
    "user.signed_up": _("The account was created."),
}


@dataclass(frozen=True)
class Happening:
    """`where` names the application, `how` the device or the way it was about; each may be empty."""

    at: datetime
    sentence: str
    where: str
    how: str
    is_by_other: bool


def history_of(user: User) -> list[Happening]:
    """Return the latest things first."""
    own_id = str(user.pk)
    shown = AuditEvent.objects.filter(
        tenant=user.tenant_id, activity__in=SENTENCES, result=AuditEvent.Result.SUCCESS
    ).order_by("-at")
    about_them = Q(target_type="user", target_id=own_id)
    # Two lookups by index, of which none reads the tenant's log.
    events = [*shown.filter(about_them)[:SHOWN], *shown.filter(activity="user.signed_in", actor_id=own_id)[:SHOWN]]
    latest = sorted(events, key=lambda event: event.at, reverse=True)[:SHOWN]
    return [_happening(event, own_id) for event in latest]


def _happening(event: AuditEvent, own_id: str) -> Happening:
    details = event.details
    how = str(details.get("device") or details.get("way") or "")
    if event.activity == "identity.linked":
        how = str(details.get("identity_provider", ""))
    where = event.target_name if event.target_type == "application" else str(details.get("application", ""))
    return Happening(
        at=event.at,
        sentence=str(SENTENCES[event.activity]),
        where=where,
        how=how,
        is_by_other=bool(event.actor_id) and event.actor_id != own_id,
    )
