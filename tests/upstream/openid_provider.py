"""An OpenID Provider that others wrote, oidc-provider-mock, as a process of its own; and a browser at its one page."""

import json
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from typing import Any

import requests

from tests.processes import ROOT

START_WITHIN_SECONDS = 30
ADDRESS = re.compile(r"running on (http://127\.0\.0\.1:\d+)")
AMINA = {
    "sub": "amina",
    "name": "Amina Aziz",
    "given_name": "Amina",
    "family_name": "Aziz",
    "email": "amina@fabrikam.example",
    "email_verified": True,
}


@dataclass
class OpenIdProvider:
    """`people` are whom it knows, by their claims. Whoever else signs in there has an id only."""

    people: tuple[dict[str, Any], ...] = (AMINA,)
    issuer: str = ""
    browser: requests.Session = field(default_factory=requests.Session)
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> "OpenIdProvider":
        known = [part for claims in self.people for part in ("--user-claims", json.dumps(claims))]
        command = [sys.executable, "-m", "oidc_provider_mock", "--port", "0", "--require-nonce", *known]
        with tempfile.NamedTemporaryFile(suffix=".log") as log:
            self.process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT)  # noqa: S603
            self.issuer = self._wait(log.name)
        return self

    def _wait(self, log_name: str) -> str:
        assert self.process
        deadline = time.monotonic() + START_WITHIN_SECONDS
        while True:
            with open(log_name) as log:
                told = log.read()
            found = ADDRESS.search(told)
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

    def sign_in(self, url: str, subject: str = "amina") -> str:
        """Open an authorization request, sign in, and return where the provider sends the browser."""
        return self._press(url, {"sub": subject})

    def cancel(self, url: str) -> str:
        return self._press(url, {"action": "deny"})

    def tell(self, subject: str, **claims: Any) -> None:
        """Change what it tells of a person from now on."""
        answer = requests.put(f"{self.issuer}/users/{subject}", json=claims, timeout=10)
        assert answer.status_code == 204, answer.text

    def _press(self, url: str, form: dict[str, str]) -> str:
        page = self.browser.get(url, timeout=10)
        assert page.status_code == 200, page.text
        answer = self.browser.post(url, data=form, allow_redirects=False, timeout=10)
        assert answer.status_code in (302, 303), answer.text
        return answer.headers["Location"]
