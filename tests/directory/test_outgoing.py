"""The guarded client against real servers, and against every way around it that has a name."""

import socket
import ssl
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from django.core.exceptions import ValidationError

from directory import outgoing
from directory.outgoing import OutgoingRefused, check_url
from tests.certificates import make_certificate
from tests.hostile_server import Handler, Server, serve
from tests.hostile_urls import ALWAYS_HOSTILE_URLS, FRIENDLY_URLS, HOSTILE_URLS

pytestmark = pytest.mark.any_database

LOOPBACK = ["127.0.0.0/8", "::1/128"]


@pytest.fixture(scope="module")
def running() -> Iterator[Server]:
    yield from serve(Server())


@pytest.fixture(scope="module")
def running_with_tls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    certificate, key = make_certificate(tmp_path_factory.mktemp("tls"))
    server = Server()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    # The handshake belongs to the connection's own thread.
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    server.certificate = str(certificate)
    yield from serve(server)


@pytest.fixture
def server(running: Server, settings: Any) -> Server:
    settings.OUTGOING_NETWORKS = LOOPBACK
    running.seen.clear()
    return running


@pytest.fixture
def tls_server(running_with_tls: Server, settings: Any) -> Server:
    settings.OUTGOING_NETWORKS = LOOPBACK
    running_with_tls.seen.clear()
    return running_with_tls


@pytest.fixture
def resolve(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Answer look-ups of names with these addresses, one list after the other, and return what was asked for."""

    def answer_with(*answers: list[str]) -> list[str]:
        asked: list[str] = []

        def getaddrinfo(host: str, port: int, *args: Any, **kwargs: Any) -> list[Any]:
            addresses = answers[min(len(asked), len(answers) - 1)]
            asked.append(host)
            return [
                (socket.AF_INET6, socket.SOCK_STREAM, 6, "", (address, port, 0, 0))
                if ":" in address
                else (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))
                for address in addresses
            ]

        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
        return asked

    return answer_with


def refusal(call: Callable[[], Any]) -> str:
    with pytest.raises(OutgoingRefused) as refused:
        call()
    assert str(refused.value) == str(outgoing.REASONS[refused.value.reason])
    return refused.value.reason


# What a URL's looks tell


@pytest.mark.parametrize("url", HOSTILE_URLS)
def test_refuses_hostile_urls(url: str, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.OUTGOING_NETWORKS = []
    # Not even a look-up is made of what looks hostile already.
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: pytest.fail("looked a name up"))
    with pytest.raises(ValidationError) as refused:
        check_url(url)
    assert refused.value.code in outgoing.REASONS
    with pytest.raises(requests.RequestException):
        outgoing.session().get(url)


@pytest.mark.parametrize("url", ALWAYS_HOSTILE_URLS)
def test_refuses_what_no_setting_opens(url: str, settings: Any) -> None:
    settings.OUTGOING_NETWORKS = ["0.0.0.0/0", "::/0"]
    with pytest.raises(ValidationError):
        check_url(url)
    with pytest.raises(requests.RequestException):
        outgoing.session().get(url)


@pytest.mark.parametrize("url", FRIENDLY_URLS)
@pytest.mark.parametrize("networks", [[], LOOPBACK])
def test_accepts_public_servers(url: str, networks: list[str], settings: Any) -> None:
    settings.OUTGOING_NETWORKS = networks
    check_url(url)


@pytest.mark.parametrize(
    ("networks", "url", "code"),
    [
        (["10.0.0.0/8"], "https://10.1.2.3/x", None),
        (["10.0.0.0/8"], "http://10.1.2.3:8080/x", None),
        (["10.0.0.0/8"], "http://keycloak:8080/realms/staff", None),
        (["10.0.0.0/8"], "https://[::ffff:10.1.2.3]/x", None),
        (["10.0.0.0/8"], "https://11.0.0.1/x", None),
        (["10.0.0.0/8"], "http://11.0.0.1/x", "not_https"),
        (["10.0.0.0/8"], "https://192.168.0.1/x", "private_address"),
        (["10.0.0.0/8"], "https://127.0.0.1/x", "private_address"),
        (["fd12::/16"], "https://[fd12::1]/x", None),
        (["fd12::/16"], "https://[fd13::1]/x", "private_address"),
    ],
)
def test_opens_what_the_operator_allows_and_no_more(
    networks: list[str], url: str, code: str | None, settings: Any
) -> None:
    settings.OUTGOING_NETWORKS = networks
    if code is None:
        check_url(url)
        return
    with pytest.raises(ValidationError) as refused:
        check_url(url)
    assert refused.value.code == code


# Names


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["::1"],
        ["10.0.0.1"],
        ["169.254.169.254"],
        ["fe80::1%2"],
        ["::ffff:127.0.0.1"],
        ["64:ff9b::7f00:1"],
        ["8.8.8.8", "127.0.0.1"],
        ["2606:4700:4700::1111", "::1"],
    ],
)
def test_judges_every_address_of_a_name(
    addresses: list[str], settings: Any, resolve: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.OUTGOING_NETWORKS = []
    resolve(addresses)
    monkeypatch.setattr(outgoing._CountingSocket, "connect", lambda *args: pytest.fail("connected"))
    assert refusal(lambda: outgoing.session().get("https://partner.example/x")) == "private_address"


def test_connects_to_what_was_judged(server: Server, resolve: Callable[..., list[str]]) -> None:
    """A name that changes its mind is asked once; the server still hears its own name."""
    asked = resolve(["127.0.0.1"], ["169.254.169.254"])
    answer = outgoing.session().get(f"http://partner.example:{server.port}/hello")
    assert (answer.text, asked) == ("hello", ["partner.example"])
    assert server.seen[0][2]["Host"] == f"partner.example:{server.port}"
    assert server.seen[0][2]["User-Agent"] == "IdentityPortal"


def test_judges_again_when_a_name_is_asked_for_again(server: Server, resolve: Callable[..., list[str]]) -> None:
    resolve(["127.0.0.1"], ["169.254.169.254"])
    for _number in range(2):
        session = outgoing.session()
        url = f"http://partner.example:{server.port}/hello"
        if _number == 0:
            assert session.get(url).status_code == 200
        else:
            assert refusal(lambda session=session, url=url: session.get(url)) == "private_address"  # type: ignore[misc]


def test_tries_the_next_address(server: Server, resolve: Callable[..., list[str]]) -> None:
    resolve(["127.0.0.2", "127.0.0.1"])
    assert outgoing.session().get(f"http://partner.example:{server.port}/hello").text == "hello"


def test_says_that_a_name_leads_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    def getaddrinfo(*args: Any, **kwargs: Any) -> None:
        raise socket.gaierror("no such name")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    assert refusal(lambda: outgoing.session().get("https://partner.example/x")) == "unresolved"


def test_speaks_http_only_within_allowed_networks(
    server: Server, settings: Any, resolve: Callable[..., list[str]]
) -> None:
    resolve(["8.8.8.8"])
    assert refusal(lambda: outgoing.session().get("http://partner.example/x")) == "not_https"


# TLS


def test_checks_the_certificate_against_the_name(tls_server: Server, resolve: Callable[..., list[str]]) -> None:
    resolve(["127.0.0.1"])
    url = f"https://localhost:{tls_server.port}/hello"
    assert outgoing.session().get(url, verify=tls_server.certificate).text == "hello"
    for verify in (True, False, None):
        # Nobody gets around it, and this one is nobody's that we trust.
        with pytest.raises(requests.exceptions.SSLError):
            outgoing.session().get(url, verify=verify)
    with pytest.raises(requests.exceptions.SSLError, match="doesn't match|not valid for"):
        outgoing.session().get(f"https://partner.example:{tls_server.port}/hello", verify=tls_server.certificate)


def test_never_goes_from_https_to_http(tls_server: Server, running: Server) -> None:
    session = outgoing.session()
    target = f"http://127.0.0.1:{running.port}/hello"
    running.seen.clear()
    url = f"https://localhost:{tls_server.port}/redirect?{target}"
    assert refusal(lambda: session.get(url, verify=tls_server.certificate)) == "redirect"
    assert running.seen == []


# Redirects


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("http://169.254.169.254/latest/meta-data/", "private_address"),
        ("http://10.0.0.1/x", "private_address"),
        ("https://127.1/x", "odd_address"),
        ("file:///etc/passwd", "scheme"),
        ("gopher://127.0.0.1/x", "scheme"),
        ("//169.254.169.254/x", "private_address"),
        ("http://user:password@127.0.0.1/x", "userinfo"),
        ("https://127.0.0.1:22/x", "port"),
    ],
)
def test_judges_where_a_redirect_leads(server: Server, target: str, reason: str) -> None:
    url = f"http://127.0.0.1:{server.port}/redirect?{target}"
    assert refusal(lambda: outgoing.session().get(url)) == reason
    assert len(server.seen) == 1


def test_carries_nothing_secret_along_a_redirect(server: Server) -> None:
    session = outgoing.session()
    headers = {"Authorization": "Bearer secret", "X-Api-Key": "secret", "Cookie": "c=secret", "Accept": "text/json"}
    answer = session.get(f"http://127.0.0.1:{server.port}/redirect?/hello", headers=headers)
    assert answer.text == "hello"
    first, second = (str(seen[2]) for seen in server.seen)
    assert first.count("secret") == 3
    assert "secret" not in second
    assert "text/json" in second
    assert "IdentityPortal" in second


def test_sends_what_was_posted_to_nobody_else(server: Server) -> None:
    url = f"http://127.0.0.1:{server.port}/redirect?/hello"
    assert refusal(lambda: outgoing.session().post(url, data={"client_secret": "s"})) == "redirect"
    assert [seen[0] for seen in server.seen] == ["POST"]
    assert outgoing.session().post(url, data={"a": "b"}, allow_redirects=False).status_code == 307


def test_follows_three_redirects(server: Server) -> None:
    assert refusal(lambda: outgoing.session().get(f"http://127.0.0.1:{server.port}/loop?0")) == "redirect"
    assert len(server.seen) == 1 + outgoing.MAX_REDIRECTS


# Sizes and times


@pytest.mark.parametrize("path", ["large", "endless", "bomb", "hollow"])
def test_reads_no_more_than_it_wants(server: Server, path: str) -> None:
    assert refusal(lambda: outgoing.session().get(f"http://127.0.0.1:{server.port}/{path}", stream=True)) == "too_large"


@pytest.mark.parametrize("path", ["drip", "drip_headers", "redirect?/drip", "slow_loop?0"])
def test_waits_no_longer_than_it_said(server: Server, path: str) -> None:
    begun = time.monotonic()
    url = f"http://127.0.0.1:{server.port}/{path}"
    assert refusal(lambda: outgoing.session(seconds=0.3).get(url, timeout=60)) == "too_slow"
    assert time.monotonic() - begun < 2


def test_waits_no_longer_with_tls(tls_server: Server) -> None:
    url = f"https://localhost:{tls_server.port}/drip"
    begun = time.monotonic()
    assert refusal(lambda: outgoing.session(seconds=0.3).get(url, verify=tls_server.certificate)) == "too_slow"
    assert time.monotonic() - begun < 2


def test_waits_no_longer_for_a_server_that_says_nothing(server: Server) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        port = deaf.getsockname()[1]
        for scheme in ("http", "https"):
            url = f"{scheme}://127.0.0.1:{port}/"
            assert refusal(lambda url=url: outgoing.session(seconds=0.2).get(url)) == "too_slow"  # type: ignore[misc]


def test_tells_a_server_that_is_down_from_one_that_is_refused(server: Server) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(requests.ConnectionError):
        outgoing.session().get(f"http://127.0.0.1:{port}/")


# The environment


def test_knows_no_proxy_and_no_netrc(server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password secret\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    session = outgoing.session()
    session.proxies = {"http": "http://127.0.0.1:9"}
    url = f"http://127.0.0.1:{server.port}/hello"
    assert session.get(url, proxies={"http": "http://127.0.0.1:9"}).text == "hello"
    assert "Authorization" not in server.seen[0][2]


def test_gives_an_answer_like_any_other(server: Server) -> None:
    session = outgoing.session()
    url = f"http://127.0.0.1:{server.port}/hello"
    answers = [session.get(url), session.get(url, stream=True), session.post(url, data={"a": "b"})]
    assert [answer.content for answer in answers] == [b"hello"] * 3
    assert answers[0].ok
    assert list(answers[1].iter_content(2)) == [b"he", b"ll", b"o"]
    # One exchange knows nothing of the one before.
    assert all("Cookie" not in seen[2] for seen in server.seen)


def test_opens_other_compressed_answers(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        Handler, "answer_hello", lambda self, _: self.give(zlib.compress(b"hello"), {"Content-Encoding": "deflate"})
    )
    assert outgoing.session().get(f"http://127.0.0.1:{server.port}/hello").text == "hello"
