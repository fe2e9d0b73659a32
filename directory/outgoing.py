"""The only way out: requests to servers that administrators name, and that may lie inside our own network.

A name is looked up once, every address of the answer is judged, and the connection goes to one of those: what DNS says
a moment later counts for nothing. The operator opens inner networks with the setting OUTGOING_NETWORKS.
"""

import io
import ipaddress
import re
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, NoReturn

import requests
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import LocationParseError
from urllib3.util import create_urllib3_context, parse_url

USER_AGENT = "IdentityPortal"
MAX_BYTES = 1_000_000
MAX_REDIRECTS = 3
TOTAL_SECONDS = 10.0
CONNECT_SECONDS = 3.0
# More addresses than this are not tried.
MAX_ADDRESSES = 3

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

REASONS: Mapping[str, str | Promise] = {
    "malformed": _("This is no URL of a server."),
    "scheme": _("The URL must begin with https://."),
    "not_https": _("The URL must begin with https://."),
    "userinfo": _("A URL with a user name or password in it isn't used."),
    "odd_address": _("Write the IP address as four numbers with dots between, or the server's name."),
    "private_address": _("This address is not on the public internet."),
    "port": _("No web server listens on this port."),
    "unresolved": _("There is no server of this name."),
    "redirect": _("The server sent the request elsewhere, where it may not go."),
    "too_large": _("The server's answer is too long."),
    "too_slow": _("The server took too long to answer."),
}
# Whatever the operator opens: these hand out a machine's credentials. Azure's 168.63.129.16 looks public.
NEVER = tuple(
    ipaddress.ip_network(network)
    for network in ("169.254.0.0/16", "fe80::/10", "fd00:ec2::/32", "168.63.129.16/32", "100.100.100.200/32")
) + (ipaddress.ip_network("192.0.0.192/32"),)
# Global by the registries, or by older versions of Python, and yet no place of a partner's server: protocol
# assignments, 6to4 and its relays, Teredo and other special ones, documentation.
NOT_PUBLIC = tuple(
    ipaddress.ip_network(network)
    for network in ("192.0.0.0/24", "192.88.99.0/24", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")
)
GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")
NAT64 = ipaddress.ip_network("64:ff9b::/96")
# The ports above 1023 on which browsers don't talk HTTP either (Fetch Standard, "bad port").
BAD_PORTS = frozenset((1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, *range(6665, 6670)))
BAD_PORTS |= {6679, 6697, 10080}
# Names that lead nowhere outside a house: RFC 6761, 6762, 8375; ICANN keeps .internal free for it.
INNER_NAME = re.compile(r"[^.]+|(?:.+\.)?(?:localhost|local|internal|home\.arpa)")
# What WHATWG's URL parser and inet_aton take for an IPv4 address: "127.1", "0x7f.0.0.1", "2130706433".
NUMERIC_NAME = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)")
UNPRINTABLE = re.compile(r"[\x00-\x20\x7f-\xa0\\]")
# What goes along to where a server redirects us. Nothing that proves who we are is among it.
KEPT_HEADERS = ("Accept", "Accept-Encoding", "Connection", "User-Agent")


@dataclass
class _Exchange:
    """What is left of the time and the bytes of a request with its redirects."""

    ends_at: float
    bytes_left: int = MAX_BYTES

    def seconds_left(self) -> float:
        left = self.ends_at - time.monotonic()
        if left <= 0:
            _stop("too_slow")
        return left

    def receive(self, count: int) -> int:
        self.bytes_left -= count
        if self.bytes_left < 0:
            _stop("too_large")
        return count


_exchange: ContextVar[_Exchange | None] = ContextVar("outgoing_exchange", default=None)


class OutgoingRefused(requests.RequestException):
    """A request that isn't made, or an answer that isn't read. `reason` is a key of REASONS."""

    def __init__(self, reason: str) -> None:
        super().__init__(str(REASONS[reason]))
        self.reason = reason


class _Stop(Exception):
    """OutgoingRefused from within a connection: an OSError, as that is, would be taken for the network's."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def session(*, seconds: float = TOTAL_SECONDS) -> requests.Session:
    """Return a session for one exchange or several with a server, each of which takes at most `seconds` in all.

    Raises OutgoingRefused, and requests' own errors for what is wrong with the network or the server.
    """
    return _GuardedSession(seconds)


def check_url(url: str) -> None:
    """Refuse a URL to which no request would be made, for forms. Raises ValidationError.

    Names aren't looked up: today's answer says nothing of tomorrow's.
    """
    prepared = requests.PreparedRequest()
    try:
        _check_text(url)
        prepared.prepare_url(url, None)
        _check_shape(prepared.url or "")
    except (requests.RequestException, _Stop) as error:
        reason = error.reason if isinstance(error, _Stop) else "malformed"
        raise ValidationError(str(REASONS[reason]), code=reason) from error


def _stop(reason: str) -> NoReturn:
    raise _Stop(reason)


def _check_text(url: str) -> None:
    """What one parser takes for the end of the host and another doesn't; what requests passes on unread."""
    if UNPRINTABLE.search(url):
        _stop("malformed")
    if not url.lower().startswith(("http://", "https://")):
        _stop("scheme")


def _check_shape(url: str) -> None:
    """What a URL itself can tell, as the HTTP client reads it."""
    try:
        parts = parse_url(url)
    except LocationParseError:
        _stop("malformed")
    host = (parts.host or "").strip("[]").rstrip(".").lower()
    if parts.scheme not in ("http", "https"):
        _stop("scheme")
    if not host or "%" in host:
        _stop("malformed")
    if parts.auth is not None:
        _stop("userinfo")
    port = parts.port if parts.port is not None else 443
    if port in BAD_PORTS or (port < 1024 and port not in (80, 443)):
        _stop("port")
    is_https = parts.scheme == "https"
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        _check_name(host, is_https=is_https)
        return
    _judge(address, is_https=is_https)


def _check_name(host: str, *, is_https: bool) -> None:
    if ":" in host or NUMERIC_NAME.fullmatch(host):
        _stop("odd_address")
    # With inner networks allowed, only its address tells whether a name leads there.
    if settings.OUTGOING_NETWORKS:
        return
    if INNER_NAME.fullmatch(host):
        _stop("private_address")
    if not is_https:
        _stop("not_https")


def _judge(address: Address, *, is_https: bool) -> None:
    address = _plain(address)
    if _is_in(address, NEVER):
        _stop("private_address")
    if _is_in(address, _allowed(tuple(settings.OUTGOING_NETWORKS))):
        return
    if not _is_public(address):
        _stop("private_address")
    if not is_https:
        _stop("not_https")


def _plain(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 one leads to, where the machine itself or its network translates."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return address.ipv4_mapped
        if address in NAT64:
            return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def _is_public(address: Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address) and address not in GLOBAL_UNICAST:
        return False
    if address.is_multicast or _is_in(address, NOT_PUBLIC):
        return False
    return address.is_global


def _is_in(address: Address, networks: tuple[Network, ...]) -> bool:
    return any(address in network for network in networks)


@lru_cache(maxsize=8)
def _allowed(networks: tuple[str, ...]) -> tuple[Network, ...]:
    return tuple(ipaddress.ip_network(network) for network in networks)


def _current() -> _Exchange:
    return _exchange.get() or _Exchange(ends_at=time.monotonic() + TOTAL_SECONDS)


def _receive(connection: socket.socket, receive: Callable[[], int]) -> int:
    """Read what has come, however small the pieces in which it comes, until the exchange's time is over."""
    exchange = _current()
    connection.settimeout(exchange.seconds_left())
    try:
        return exchange.receive(receive())
    except TimeoutError:
        _stop("too_slow")


class _CountingSocket(socket.socket):
    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        return _receive(self, partial(super().recv_into, *args, **kwargs))


class _CountingSSLSocket(ssl.SSLSocket):
    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        return _receive(self, partial(super().recv_into, *args, **kwargs))


def _connect(host: str, port: int, *, is_https: bool) -> socket.socket:
    """Look the name up, once; judge all of the answer; connect to what was judged."""
    try:
        answer = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        _stop("unresolved")
    for _family, _type, _protocol, _name, where in answer:
        # One bad address among good ones is how a name is made to change its mind.
        _judge(ipaddress.ip_address(where[0]), is_https=is_https)
    failure: OSError = OSError("no address")
    for family, kind, protocol, _name, where in answer[:MAX_ADDRESSES]:
        connection = _CountingSocket(family, kind, protocol)
        try:
            connection.settimeout(min(CONNECT_SECONDS, _current().seconds_left()))
            connection.connect(where)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            # For the TLS handshake and for sending; reading counts by itself.
            connection.settimeout(_current().seconds_left())
        except OSError as error:
            connection.close()
            failure = error
        except _Stop:
            connection.close()
            raise
        else:
            return connection
    raise failure


class _PlainConnection(HTTPConnection):
    # urllib3's one place where a name becomes a socket. Host header, SNI and certificate stay those of the name.
    def _new_conn(self) -> socket.socket:
        return _connect(self.host, self.port or 80, is_https=False)


class _TLSConnection(HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        return _connect(self.host, self.port or 443, is_https=True)


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _PlainConnection


class _TLSPool(HTTPSConnectionPool):
    ConnectionCls = _TLSConnection


class _GuardedAdapter(HTTPAdapter):
    """Requests' transport over the connections above. It knows no proxies: they would connect where they like."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        context = create_urllib3_context()
        context.sslsocket_class = _CountingSSLSocket
        super().init_poolmanager(*args, **kwargs, ssl_context=context)
        self.poolmanager.pool_classes_by_scheme = {"http": _PlainPool, "https": _TLSPool}

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        # By name or by place (stream, timeout, verify, cert, proxies): only the certificates' file is the caller's.
        verify = kwargs.get("verify") or True
        response = super().send(request, stream=True, timeout=_current().seconds_left(), verify=verify)
        try:
            body = _read(response)
        finally:
            response.close()
        response.raw = io.BytesIO(body)
        return response


def _read(response: requests.Response) -> bytes:
    """Return the body, unpacked: what comes over the wire was counted there, what it unpacks to is here."""
    # A response whose content was iterated over can't be read a second time: another one reads for it.
    reader, body = requests.Response(), io.BytesIO()
    reader.raw = response.raw
    for piece in reader.iter_content(16_384):
        body.write(piece)
        if body.tell() > MAX_BYTES:
            _stop("too_large")
    return body.getvalue()


class _GuardedSession(requests.Session):
    def __init__(self, seconds: float) -> None:
        super().__init__()
        # No proxies, no .netrc, no certificates from the environment.
        self.trust_env = False
        self.max_redirects = MAX_REDIRECTS
        self.headers["User-Agent"] = USER_AGENT
        self._seconds = seconds
        self.adapters.clear()
        self.mount("https://", _GuardedAdapter())
        self.mount("http://", _GuardedAdapter())

    def prepare_request(self, request: requests.Request) -> requests.PreparedRequest:
        try:
            _check_text(str(request.url))
        except _Stop as stop:
            raise OutgoingRefused(stop.reason) from stop
        return super().prepare_request(request)

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        # Redirects come through here again, within the time of the first request.
        token = None
        if _exchange.get() is None:
            token = _exchange.set(_Exchange(ends_at=time.monotonic() + self._seconds))
        try:
            _check_shape(request.url or "")
            follows = kwargs.pop("allow_redirects", True)
            # What is posted, a client secret for one, goes to nobody else.
            kwargs |= {"allow_redirects": follows and request.method == "GET", "stream": False}
            response = super().send(request, **kwargs)
            if follows and response.is_redirect:
                _stop("redirect")
        except _Stop as stop:
            raise OutgoingRefused(stop.reason) from stop
        except requests.TooManyRedirects as error:
            raise OutgoingRefused("redirect") from error
        except requests.Timeout as error:
            raise OutgoingRefused("too_slow") from error
        finally:
            if token:
                _exchange.reset(token)
        return response

    def rebuild_auth(self, prepared_request: requests.PreparedRequest, response: requests.Response) -> None:
        """Requests' hook between a redirect and the request that follows it."""
        was_https = (response.url or "").lower().startswith("https:")
        if was_https and not (prepared_request.url or "").lower().startswith("https:"):
            _stop("redirect")
        for name in [name for name in prepared_request.headers if name.title() not in KEPT_HEADERS]:
            del prepared_request.headers[name]
