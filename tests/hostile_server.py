"""A server that answers as nobody should: too much, too slowly, somewhere else."""

import gzip
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from directory import outgoing

BOMB = gzip.compress(b"\0" * 50_000_000, compresslevel=1)


class Handler(BaseHTTPRequestHandler):
    """Answers by the path; `server.seen` is what it was asked."""

    protocol_version = "HTTP/1.1"
    server: "Server"

    def do_GET(self) -> None:
        self.server.seen.append((self.command, self.path, dict(self.headers)))
        name, _, argument = self.path.lstrip("/").partition("?")
        getattr(self, f"answer_{name}")(argument)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()

    def answer_hello(self, argument: str) -> None:
        self.give(b"hello", {"Set-Cookie": "a=b"})

    def answer_redirect(self, argument: str) -> None:
        self.give(b"", {"Location": argument}, status=307)

    def answer_loop(self, argument: str) -> None:
        self.give(b"", {"Location": f"/loop?{int(argument) + 1}"}, status=302)

    def answer_slow_loop(self, argument: str) -> None:
        time.sleep(0.12)
        self.give(b"", {"Location": f"/slow_loop?{int(argument) + 1}"}, status=302)

    def answer_large(self, argument: str) -> None:
        self.give(b"x" * (outgoing.MAX_BYTES + 1))

    def answer_endless(self, argument: str) -> None:
        self.send_response(200)
        self.end_headers()
        self.close_connection = True
        while self.write(b"x" * 65_536):
            pass

    def answer_bomb(self, argument: str) -> None:
        self.give(BOMB, {"Content-Encoding": "gzip"})

    def answer_hollow(self, argument: str) -> None:
        """Nothing, packed a million times."""
        self.give(gzip.compress(b"") * 60_000, {"Content-Encoding": "gzip"})

    def answer_drip(self, argument: str) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        while self.write(b"x"):
            time.sleep(0.02)

    def answer_drip_headers(self, argument: str) -> None:
        self.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        while self.write(b"x"):
            time.sleep(0.02)

    def give(self, body: bytes, headers: dict[str, str] | None = None, *, status: int = 200) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.write(body)

    def write(self, body: bytes) -> bool:
        try:
            self.wfile.write(body)
        except OSError:
            self.close_connection = True
            return False
        return True

    def log_message(self, format: str, *arguments: Any) -> None:
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.seen: list[tuple[str, str, dict[str, str]]] = []
        self.certificate = ""

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass


def serve(server: Server) -> Iterator[Server]:
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()
