"""The demo as a process of its own: what `make demo` runs, on free ports and with a folder of its own."""

import email
import email.policy
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.processes import ROOT, manage, run_python

START_WITHIN_SECONDS = 90


def free_ports(count: int) -> int:
    """Return the first of `count` neighbouring ports that are free, at most ten: no other process has the same ten."""
    for candidate in range(20000 + os.getpid() % 1000 * 10, 60000, 10):
        try:
            for port in range(candidate, candidate + count):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", port))
        except OSError:
            continue
        return candidate
    raise OSError("No free ports.")


@dataclass
class DemoProcess:
    """Start, kill and start again; `told` is var/demo.json."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)
    port: int = field(default_factory=lambda: free_ports(4))
    process: subprocess.Popen[str] | None = None

    @property
    def log(self) -> Path:
        return self.folder / "demo.log"

    @property
    def scheme(self) -> str:
        return "https" if "TLS_CERT" in self.environment else "http"

    @property
    def app_url(self) -> str:
        return f"{self.scheme}://localhost:{self.port + 1}"

    @property
    def second_app_url(self) -> str:
        return f"{self.scheme}://localhost:{self.port + 2}"

    @property
    def told(self) -> dict[str, Any]:
        return dict(json.loads((self.folder / "demo.json").read_text()))

    def start(self) -> float:
        """Start it, wait until it answers, and return the seconds that took."""
        kept = ("PATH", "HOME", "LANG", "VIRTUAL_ENV")
        environment = {name: os.environ[name] for name in kept if name in os.environ}
        environment |= {"VAR_DIR": str(self.folder), "PORT": str(self.port), "APP_PORT": str(self.port + 1)}
        began = time.monotonic()
        self.folder.mkdir(parents=True, exist_ok=True)
        with self.log.open("w") as log:
            self.process = subprocess.Popen(  # noqa: S603
                [sys.executable, "-m", "identity_portal.demo"],
                cwd=ROOT,
                env=environment | self.environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=True,
            )
        self._wait()
        return time.monotonic() - began

    def _wait(self) -> None:
        assert self.process
        deadline = time.monotonic() + START_WITHIN_SECONDS
        while "Stop with Ctrl-C" not in self.log.read_text():
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.1)

    def kill(self) -> None:
        """As by a power cut: nobody gets to say goodbye."""
        assert self.process
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(timeout=20)

    def stop(self) -> int:
        assert self.process
        self.process.terminate()
        return self.process.wait(timeout=30)

    def manage(self, *arguments: str) -> dict[str, Any]:
        """Run one of the portal's commands beside the running demo, and return its answer."""
        done = manage(*arguments, "--json", environment=self._of_portal())
        assert done.returncode == 0, done.stderr
        return dict(json.loads(done.stdout))

    def run_python(self, source: str) -> None:
        """Do beside the running demo what no page and no command does."""
        done = run_python("-c", f"import django; django.setup()\n{source}", environment=self._of_portal())
        assert done.returncode == 0, done.stderr

    def _of_portal(self) -> dict[str, str]:
        keys = json.loads((self.folder / "demo-keys.json").read_text())
        return {
            "PORTAL_MODE": "demo",
            "VAR_DIR": str(self.folder),
            "BASE_URL": f"{self.scheme}://localhost:{self.port}",
            "DATABASE_URL": f"sqlite:///{self.folder / 'demo.sqlite3'}",
            "SECRET_KEY": keys["SECRET_KEY"],
            "ENCRYPTION_KEYS": keys["ENCRYPTION_KEYS"],
        }

    def code_for(self, address: str) -> str:
        """Return the newest code that was mailed to an address."""
        for path in sorted((self.folder / "outbox").glob("*.eml"), reverse=True):
            message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
            found = re.match(r"\d{4} \d{4}", str(message["Subject"]))
            if message["To"] == address and found:
                return found[0]
        raise AssertionError(f"No code was mailed to {address}.")
