"""Django's database sessions, bound to a tenant, hashed at rest and of a fixed length (SESSION_ENGINE).

A sign-in lasts as long as the tenant says, counted from the proof and however much it is used. The tenant is asked at
every request, so that a shorter time holds at once for the sessions that are open, too.
"""

import hashlib
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.db import models
from django.db.models import Q
from django.utils import timezone

from directory.models import Session, Tenant

# In the session: the person wants to stay signed in.
KEPT = "is_kept"
# Not at every page: reading a page writes nothing.
SEEN_EVERY = timedelta(minutes=5)


def _as_datetime(seconds: int | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, tz=UTC)


def hashed(session_key: str) -> str:
    return hashlib.sha256(session_key.encode()).hexdigest()


class SessionStore(DatabaseStore):
    """A session is found only by the tenant it was made for: another tenant's cookie opens nothing here.

    `tenant_id` None is the session of a platform operator. With `tenant`, its settings decide how long a sign-in lasts.
    """

    def __init__(
        self, session_key: str | None = None, *, tenant_id: uuid.UUID | None = None, tenant: Tenant | None = None
    ) -> None:
        super().__init__(session_key)
        self.tenant_id = tenant.pk if tenant else tenant_id
        self.tenant = tenant

    @classmethod
    def get_model_class(cls) -> type[Session]:
        return Session

    def _get_session_from_db(self) -> Session | None:
        if not self.session_key:
            return None
        session = self._own(self.session_key).filter(expire_date__gt=timezone.now()).first()
        if session is None:
            self._session_key = None
        elif session.user_id and (session.last_seen_at is None or timezone.now() - session.last_seen_at > SEEN_EVERY):
            Session.objects.filter(pk=session.pk).update(last_seen_at=timezone.now())
        return session

    def load(self) -> dict[str, Any]:
        data: dict[str, Any] = super().load()
        ends_at = self._ends_at(data)
        if ends_at is not None and ends_at <= timezone.now():
            self._session_key = None
            return {}
        return data

    def get_expiry_date(self, **kwargs: Any) -> datetime:
        return self._ends_at(self._session) or super().get_expiry_date(**kwargs)  # type: ignore[attr-defined]

    def get_expiry_age(self, **kwargs: Any) -> int:
        ends_at = self._ends_at(self._session)  # type: ignore[attr-defined]
        return max(0, int((ends_at - timezone.now()).total_seconds())) if ends_at else super().get_expiry_age(**kwargs)

    def get_expire_at_browser_close(self) -> bool:
        """The cookie outlives the browser only for those who asked for it."""
        return not self.get(KEPT)

    def _ends_at(self, data: dict[str, Any]) -> datetime | None:
        """Return when the sign-in in this session ends; None where nobody is signed in, or no tenant says it."""
        # `auth_time` moves when the person ends all other sign-ins, which proves nothing.
        signed_in_at = _as_datetime(data.get("proven_at", data.get("auth_time")))
        if signed_in_at is None or self.tenant is None:
            return None
        lifetime = self.tenant.session_lifetime(is_kept=bool(data.get(KEPT)))
        if "mfa" in data.get("amr", ()):
            # Whoever administrates the tenant is asked again every day, whatever its guests are allowed.
            lifetime = min(lifetime, timedelta(seconds=settings.SESSION_COOKIE_AGE))
        return signed_in_at + lifetime

    def exists(self, session_key: str) -> bool:
        return Session.objects.filter(session_key=hashed(session_key)).exists()

    def create_model_instance(self, data: dict[str, Any]) -> Session:
        return Session(
            session_key=hashed(self._get_or_create_session_key()),  # type: ignore[attr-defined]
            session_data=self.encode(data),
            expire_date=self.get_expiry_date(),
            tenant_id=self.tenant_id,
            user_id=data.get(SESSION_KEY),
            signed_in_at=_as_datetime(data.get("auth_time")),
            last_seen_at=timezone.now(),
            user_agent=data.get("user_agent", ""),
            address=data.get("address"),
        )

    def delete(self, session_key: str | None = None) -> None:
        session_key = session_key or self.session_key
        if session_key is not None:
            self._own(session_key).delete()

    def _own(self, session_key: str) -> models.QuerySet[Session]:
        of_tenant = Q(tenant_id=self.tenant_id) if self.tenant_id else Q(tenant__isnull=True)
        return Session.objects.filter(of_tenant, session_key=hashed(session_key))
