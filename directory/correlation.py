"""The id that ties one request to its audit events, log lines and error pages."""

import uuid
from contextvars import ContextVar

_correlation_id: ContextVar[uuid.UUID | None] = ContextVar("correlation_id", default=None)


def current_correlation_id() -> uuid.UUID:
    """Return the id of the work in progress; a new one outside any request, such as in a command."""
    correlation_id = _correlation_id.get()
    if correlation_id is None:
        correlation_id = uuid.uuid4()
        _correlation_id.set(correlation_id)
    return correlation_id


def set_correlation_id(correlation_id: uuid.UUID | None) -> None:
    """Make `correlation_id` current: the middleware for each request, a journey when it is taken up again."""
    _correlation_id.set(correlation_id)
