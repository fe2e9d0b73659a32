"""Commands as an operator gives them."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

Run = Callable[..., str]
RunJson = Callable[..., dict[str, Any]]


@pytest.fixture
def run(db: None) -> Run:
    """Run a command, and return what it says to people."""

    def make(*arguments: str) -> str:
        output = StringIO()
        call_command(*arguments, stdout=output)
        return output.getvalue()

    return make


@pytest.fixture
def run_json(run: Run) -> RunJson:
    """Run a command with --json, and return its answer: one object on one line."""

    def make(*arguments: str) -> dict[str, Any]:
        said = run(*arguments, "--json")
        assert said.count("\n") == 1
        return dict(json.loads(said))

    return make


@pytest.fixture
def mail_server() -> Iterator[int]:
    """The port of a server that knows as much SMTP as it takes to say hello."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            client, _address = listener.accept()
            with client:
                client.sendall(b"220 mail.example ready\r\n")
                while client.recv(1024):
                    client.sendall(b"250 fine\r\n")

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield int(listener.getsockname()[1])
        thread.join(timeout=5)
