"""A SAML identity provider that others wrote, pysaml2, as a process of its own; and a browser at its pages."""

import re
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from typing import Any

import requests

from tests.processes import ROOT

START_WITHIN_SECONDS = 60


@dataclass
class SamlIdentityProvider:
    """The tests' handle on the process. `url` is its origin, `entity_id` its name."""

    url: str = ""
    browser: requests.Session = field(default_factory=requests.Session)
    process: subprocess.Popen[bytes] | None = None

    @property
    def entity_id(self) -> str:
        return f"{self.url}/metadata"

    def start(self) -> "SamlIdentityProvider":
        with tempfile.NamedTemporaryFile(suffix=".log") as log:
            self.process = subprocess.Popen(  # noqa: S603
                [sys.executable, "-m", "tests.upstream.saml_server"],
                cwd=ROOT,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
            self.url = self._wait(log.name)
        return self

    def _wait(self, log_name: str) -> str:
        assert self.process
        deadline = time.monotonic() + START_WITHIN_SECONDS
        while True:
            told = Path(log_name).read_text()
            found = re.search(r"^running on (\S+)$", told, re.MULTILINE)
            if found:
                return found[1]
            assert self.process.poll() is None, told
            assert time.monotonic() < deadline, told
            time.sleep(0.05)

    def stop(self) -> None:
        assert self.process
        self.process.kill()
        self.process.wait(timeout=10)
        self.browser.close()

    def meet(self, metadata: bytes) -> None:
        """Take in a service provider by its metadata."""
        self._done(self.browser.post(f"{self.url}/partner", data=metadata, timeout=20))

    def sign_in(self, url: str, **how: Any) -> dict[str, str]:
        """Open a request, sign in as Amina, and return the form that the browser then posts, with its `action`.

        `how`: name_id_format, sign ("assertion", "response"), encrypt, or error (a status code) instead of signing in.
        """
        answer = self._done(self.browser.post(url, json=how, timeout=20))
        fields = re.findall(r'name="(\w+)" value="([^"]*)"', answer.text)
        action = re.search(r'action="([^"]*)"', answer.text)
        assert action, answer.text
        return {"action": unescape(action[1]), **{name: unescape(value) for name, value in fields}}

    def sign_out(self, url: str) -> str:
        """Open a request to sign out, and return where the browser is sent with the answer."""
        answer = self.browser.get(url, allow_redirects=False, timeout=20)
        assert answer.status_code == 303, answer.text
        return str(answer.headers["Location"])

    def sign_out_request(self, partner: str, **how: Any) -> str:
        """Return the address at a service provider to which Amina's browser is sent to sign her out there."""
        answer = self._done(self.browser.post(f"{self.url}/end", json={"partner": partner, **how}, timeout=20))
        return str(answer.json()["location"])

    @staticmethod
    def _done(answer: requests.Response) -> requests.Response:
        assert answer.status_code == 200, answer.text
        return answer
