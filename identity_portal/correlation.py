"""A correlation id for each request: in the answer's header, on error pages, in audit events and log lines."""

import json
import logging
import uuid
from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from directory.correlation import current_correlation_id, set_correlation_id


class CorrelationMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        set_correlation_id(uuid.uuid4())
        response = self.get_response(request)
        # A journey that was taken up again has put its own id in the place of this request's.
        response["X-Correlation-ID"] = str(current_correlation_id())
        return response


class CorrelationFilter(logging.Filter):
    """Adds `correlation_id` to each log record."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.correlation_id = str(current_correlation_id())
        return True


class JsonFormatter(logging.Formatter):
    """One JSON object for each line."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": self.formatTime(record),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "correlation_id": getattr(record, "correlation_id", ""),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line)
