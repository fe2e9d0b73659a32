from datetime import timedelta
from typing import Any

from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from directory.audit import purge_audit_events
from directory.management.verb_command import VerbCommand
from directory.models import Session
from directory.people import RESTORABLE_FOR
from directory.temporary_users import purge_test_users
from identity_portal.oidc.models import AccessToken, Grant, RefreshToken
from identity_portal.oidc.tokens import refresh_token_lifetime
from userflows.erasure import purge_deleted_users
from userflows.models import Handshake, Journey, RateCounter
from userflows.sign_in_log import purge_sign_ins
from userflows.statistics import roll_up_everywhere

# Long enough that a person who comes back late is told that the page expired, and a replayed code is recognised.
KEPT_FOR = timedelta(hours=24)
# The same for who comes back late from an identity provider.
HANDSHAKES_KEPT_FOR = timedelta(hours=1)


class Command(VerbCommand):
    help = (
        "Delete what has ended: sessions, journeys, codes, tokens, test users, sent mail and more. Run it every hour."
    )

    def run(self, options: dict[str, Any]) -> dict[str, Any]:
        now = timezone.now()
        # Before the log forgets them.
        roll_up_everywhere(now)
        return {
            "sessions": Session.objects.filter(expire_date__lt=now).delete()[0],
            "journeys": Journey.objects.filter(expires_at__lt=now - KEPT_FOR).delete()[0],
            "handshakes": Handshake.objects.filter(expires_at__lt=now - HANDSHAKES_KEPT_FOR).delete()[0],
            "rate_counters": RateCounter.objects.filter(window_ends_at__lt=now).delete()[0],
            # Rotated tokens are kept as long as live ones: their coming back is what reveals a theft.
            "refresh_tokens": RefreshToken.objects.filter(created__lt=now - refresh_token_lifetime()).delete()[0],
            "access_tokens": AccessToken.objects.filter(expires__lt=now, refresh_token=None).delete()[0],
            "grants": Grant.objects.filter(expires__lt=now - KEPT_FOR).delete()[0],
            "deleted_users": purge_deleted_users(before=now - RESTORABLE_FOR),
            "test_users": purge_test_users(before=now - KEPT_FOR),
            # Each tenant says how long its logs are kept.
            "audit_events": purge_audit_events(now),
            "sign_ins": purge_sign_ins(now),
            # Their arguments are sealed mail, with addresses and codes in it.
            "tasks": DBTaskResult.objects.finished().filter(finished_at__lt=now - KEPT_FOR).delete()[0],
        }
