from typing import Any

from django.http import HttpRequest

from directory.correlation import current_correlation_id


def portal(request: HttpRequest) -> dict[str, Any]:
    """What every page shows: whose it is, and the reference to quote."""
    return {"tenant": getattr(request, "tenant", None), "correlation_id": str(current_correlation_id())}
