"""A person with a browser, as the tests play them: follows links and redirects, reads mail, fills in forms."""

import re
from dataclasses import dataclass, field
from html import unescape
from typing import Any
from urllib.parse import urlsplit

from django.core import mail
from django.test import Client

OWN_HOST = "testserver"


@dataclass
class Stranger:
    """`page` is the last answer that was not a redirect, `left_to` the application's URL when the portal let go."""

    email: str = "amina@fabrikam.example"
    http: Client = field(default_factory=lambda: Client(enforce_csrf_checks=True))
    page: Any = None
    path: str = ""
    left_to: str = ""
    own_host: str = OWN_HOST

    def open(self, url: str) -> "Stranger":
        return self._follow(self.http.get(url), url)

    def submit(self, **fields: Any) -> "Stranger":
        """Send the page's main form with its hidden fields."""
        return self._follow(self.http.post(self.path, self.hidden_fields() | fields), self.path)

    def hidden_fields(self) -> dict[str, str]:
        inputs = re.findall(r"<input[^>]*type=\"hidden\"[^>]*>", self.html)
        pairs = [(_attribute(tag, "name"), _attribute(tag, "value")) for tag in inputs]
        return {name: value for name, value in pairs if name in ("csrfmiddlewaretoken", "version")}

    @property
    def html(self) -> str:
        return str(self.page.content.decode())

    @property
    def step(self) -> str:
        """The last segment of the page's path: choose, email_code, attributes."""
        return self.path.split("?")[0].rstrip("/").rpartition("/")[2]

    def give_email(self, email: str = "") -> "Stranger":
        return self.submit(email=email or self.email)

    def give_code(self) -> "Stranger":
        return self.submit(code=self.code())

    def code(self) -> str:
        """The code in the subject of the last mail to this person."""
        letters = [letter for letter in mail.outbox if letter.to[0].lower() == self.email.lower()]
        found = re.match(r"(\d[\d ]+\d)", str(letters[-1].subject))
        assert found, letters[-1].subject
        return found[1]

    def leave_for(self, provider: Any) -> str:
        """Choose a provider, and return the address there to which the page leads."""
        self.submit(way=str(provider.pk))
        assert self.step == "federation", self.html
        return self.provider_url

    def press_link(self) -> "Stranger":
        """Follow the main link of a page without a form."""
        found = re.search(r'<a class="btn" href="([^"]*)"', self.html)
        assert found, self.html
        return self.open(unescape(found[1]))

    @property
    def provider_url(self) -> str:
        refresh = re.search(r'<meta http-equiv="refresh" content="0;\s*url=([^"]*)"', self.html)
        assert refresh, self.html
        return unescape(refresh[1])

    def sign_up(self, url: str, **answers: Any) -> str:
        """Go all the way, and return the application's URL with the answer."""
        self.open(url).give_email().give_code()
        if not self.left_to:
            self.submit(**answers)
        assert self.left_to, self.html
        return self.left_to

    def _follow(self, response: Any, path: str) -> "Stranger":
        self.left_to = ""
        self.path = path
        while response.status_code in (302, 303, 307):
            target = response["Location"]
            if urlsplit(target).scheme and urlsplit(target).hostname != self.own_host:
                self.left_to = target
                break
            self.path = target
            response = self.http.get(target)
        self.page = response
        return self


def _attribute(tag: str, name: str) -> str:
    found = re.search(rf'{name}="([^"]*)"', tag)
    return unescape(found[1]) if found else ""
