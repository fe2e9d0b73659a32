"""Django's database sessions, bound to a tenant and hashed at rest (SESSION_ENGINE)."""

import hashlib
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.db import models
from django.db.models import Q
from django.utils import timezone

from directory.models import Session

# Not at every page: reading a page writes nothing.
SEEN_EVERY = timedelta(minutes=5)


def _as_datetime(seconds: int | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, tz=UTC)


def hashed(session_key: str) -> str:
    return hashlib.sha256(session_key.encode()).hexdigest()


class SessionStore(DatabaseStore):
    """A session is found only by the tenant it was made for: another tenant's cookie opens nothing here.

    `tenant_id` None is the session of a platform operator.
    """

    def __init__(self, session_key: str | None = None, *, tenant_id: uuid.UUID | None = None) -> None:
        super().__init__(session_key)
        self.tenant_id = tenant_id

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
