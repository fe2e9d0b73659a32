"""Believe X-Forwarded-For and X-Forwarded-Proto only from the proxies that the operator listed."""

import ipaddress
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

GetResponse = Callable[[HttpRequest], HttpResponseBase]


class TrustedProxyMiddleware:
    """Set REMOTE_ADDR and the scheme to what the nearest trusted proxy saw; drop the headers of everybody else."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        self.networks = [ipaddress.ip_network(network, strict=False) for network in settings.TRUSTED_PROXIES]

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        forwarded_for = request.META.pop("HTTP_X_FORWARDED_FOR", "")
        forwarded_proto = request.META.pop("HTTP_X_FORWARDED_PROTO", "")
        if self._is_trusted(request.META.get("REMOTE_ADDR", "")):
            if forwarded_proto in ("http", "https"):
                request.META["wsgi.url_scheme"] = forwarded_proto
            self._use_client_address(request, forwarded_for)
        return self.get_response(request)

    def _use_client_address(self, request: HttpRequest, forwarded_for: str) -> None:
        # Read from the right: what stands left of the first stranger was written by that stranger.
        for hop in reversed([part.strip() for part in forwarded_for.split(",") if part.strip()]):
            if not _is_address(hop):
                return
            request.META["REMOTE_ADDR"] = hop
            if not self._is_trusted(hop):
                return

    def _is_trusted(self, address: str) -> bool:
        return _is_address(address) and any(ipaddress.ip_address(address) in network for network in self.networks)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
