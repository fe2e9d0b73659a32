"""Believe X-Forwarded-For and X-Forwarded-Proto only from the proxies that the operator listed."""

import ipaddress
import re
from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest
from django.http.response import HttpResponseBase

GetResponse = Callable[[HttpRequest], HttpResponseBase]
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
WITH_PORT = re.compile(r"(?:\[([^]]+)\]|([0-9.]+)):[0-9]{1,5}")


class TrustedProxyMiddleware:
    """Set REMOTE_ADDR and the scheme to what the nearest trusted proxy saw; drop the headers of everybody else."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        try:
            self.networks = [ipaddress.ip_network(network, strict=False) for network in settings.TRUSTED_PROXIES]
        except ValueError as error:
            raise ImproperlyConfigured(f"TRUSTED_PROXIES lists addresses and networks: {error}") from error

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        forwarded_for = request.META.pop("HTTP_X_FORWARDED_FOR", "")
        forwarded_proto = request.META.pop("HTTP_X_FORWARDED_PROTO", "")
        client = _address(request.META.get("REMOTE_ADDR", ""))
        if client and self._is_trusted(client):
            if forwarded_proto in ("http", "https"):
                request.META["wsgi.url_scheme"] = forwarded_proto
            client = self._nearest_stranger(client, forwarded_for)
        if client:
            request.META["REMOTE_ADDR"] = str(client)
        return self.get_response(request)

    def _nearest_stranger(self, proxy: Address, forwarded_for: str) -> Address:
        # Read from the right: what stands left of the first stranger was written by that stranger.
        nearest = proxy
        for hop in reversed([part for part in forwarded_for.split(",") if part.strip()]):
            address = _address(hop)
            if address is None:
                return nearest
            nearest = address
            if not self._is_trusted(address):
                return nearest
        return nearest

    def _is_trusted(self, address: Address) -> bool:
        return any(address in network for network in self.networks)


def _address(text: str) -> Address | None:
    """Read an address, with or without the port that some proxies add; an IPv4 one in IPv6 clothes is IPv4."""
    match = WITH_PORT.fullmatch(text.strip())
    try:
        address = ipaddress.ip_address(match[1] or match[2] if match else text.strip())
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
