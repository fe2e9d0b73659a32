"""The demo, run as `make demo` runs it: real processes, a real client library, mails in a folder."""

import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from urllib.parse import urljoin

import pytest
import requests

from tests.certificates import make_certificate
from tests.demo_process import DemoProcess
from tests.processes import ROOT

pytestmark = pytest.mark.any_database

ANSWERS = {
    "GivenName": "Amina",
    "Surname": "Haddad",
    "extension_BusinessName": "Fabrikam",
    "extension_BusinessRegistrationCode": "HRB 12345",
    "extension_Phone": "+962 79 123 4567",
    "Country": "JO",
}


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoProcess]:
    """One for all, since the first start takes seconds: whoever changes what it says leaves a new one behind."""
    process = DemoProcess(tmp_path_factory.mktemp("demo"))
    process.start()
    yield process
    process.stop()


class Visitor:
    """A browser without JavaScript, made of requests: keeps cookies, follows redirects, sends forms."""

    def __init__(self, verify: str | bool = True) -> None:
        self.http = requests.Session()
        self.http.verify = verify
        self.http.trust_env = False
        self.answer = requests.Response()

    def open(self, url: str) -> "Visitor":
        self.answer = self.http.get(url, timeout=20)
        return self

    def submit(self, **fields: str) -> "Visitor":
        form = next(form for form in re.findall(r"<form.*?</form>", self.answer.text, re.S) if "version" in form)
        hidden = re.findall(r'name="(csrfmiddlewaretoken|version)" value="([^"]*)"', form)
        data = {name: unescape(value) for name, value in hidden} | fields
        self.answer = self.http.post(self.answer.url, data, headers={"Referer": self.answer.url}, timeout=20)
        return self

    def send(self, **fields: str) -> "Visitor":
        """Send the page's only form, one of the admin's."""
        found = re.search(r'name="csrfmiddlewaretoken" value="([^"]*)"', self.answer.text)
        assert found, self.answer.text
        data = {"csrfmiddlewaretoken": found[1], **fields}
        self.answer = self.http.post(self.answer.url, data, headers={"Referer": self.answer.url}, timeout=20)
        return self

    def follow(self, text: str) -> "Visitor":
        found = re.search(rf'<a[^>]*href="([^"]*)"[^>]*>\s*{re.escape(text)}', self.answer.text)
        assert found, self.answer.text
        return self.open(urljoin(self.answer.url, unescape(found[1])))


def test_survives_a_power_cut_between_any_two_steps(demo: DemoProcess) -> None:
    address = "amina@fabrikam.example"
    visitor = Visitor().open(f"{demo.app_url}/").follow("Request your supplier account")
    steps = ({"email": address}, {"code": ""}, ANSWERS)
    for fields in steps:
        demo.kill()
        demo.start()
        if "code" in fields:
            fields = {"code": demo.code_for(address)}
        visitor.submit(**fields)
        assert visitor.answer.status_code == 200, visitor.answer.text
    assert visitor.answer.url == f"{demo.app_url}/account"
    for value in ("Amina Haddad", address, "Fabrikam", "HRB 12345", "+962791234567"):
        assert value in visitor.answer.text
    visitor.open(f"{demo.second_app_url}/sign-in")
    assert visitor.answer.url == f"{demo.second_app_url}/account"


def test_keeps_its_data_and_forgets_it_when_told(demo: DemoProcess) -> None:
    before = demo.told
    assert demo.stop() == 0
    assert demo.start() < 30
    assert demo.told == before
    assert (demo.folder / "demo.json").stat().st_mode & 0o077 == 0
    demo.stop()
    environment = {"VAR_DIR": str(demo.folder), "PATH": ""}
    subprocess.run(  # noqa: S603
        [sys.executable, "-m", "identity_portal.demo", "--reset"], cwd=ROOT, env=environment, check=True
    )
    assert not (demo.folder / "demo.json").exists()
    assert not list(demo.folder.glob("*.sqlite3*"))
    demo.start()
    assert demo.told["admin"]["one_time_link"] != before["admin"]["one_time_link"]


def test_lets_the_administrator_in_by_a_link_that_works_once(demo: DemoProcess) -> None:
    link = demo.told["admin"]["one_time_link"]
    assert link in demo.log.read_text()
    visitor = Visitor().open(link)
    assert visitor.answer.url == f"{demo.told['admin']['url']}set-password/"
    new = "staple battery horse correct"
    visitor.send(new_password1=new, new_password2=new)
    assert visitor.answer.url == f"{demo.told['admin']['url']}set-up/"
    assert "This link works no more" in Visitor().open(link).answer.text
    demo.stop()
    demo.start()
    assert demo.told["admin"]["one_time_link"] == ""
    assert "with the password and the second factor that you have set up" in demo.log.read_text()


def test_says_which_port_is_taken(tmp_path: Path) -> None:
    demo = DemoProcess(tmp_path)
    with socket.socket() as other:
        other.bind(("127.0.0.1", demo.port + 2))
        other.listen()
        with pytest.raises(AssertionError, match=f"Port {demo.port + 2} is taken"):
            demo.start()


def test_answers_on_https(tmp_path: Path) -> None:
    certificate, key = make_certificate(tmp_path)
    demo = DemoProcess(tmp_path / "var", {"TLS_CERT": str(certificate), "TLS_KEY": str(key)})
    demo.start()
    try:
        visitor = Visitor(verify=str(certificate))
        visitor.open(demo.told["issuer"] + "/.well-known/openid-configuration")
        assert visitor.answer.json()["issuer"] == demo.told["issuer"]
        assert demo.told["issuer"].startswith("https://localhost:")
        visitor.open(f"{demo.app_url}/").follow("Request your supplier account")
        address = "tls@fabrikam.example"
        visitor.submit(email=address).submit(code=demo.code_for(address)).submit(**ANSWERS)
        assert visitor.answer.url == f"{demo.app_url}/account"
        assert all(cookie.secure for cookie in visitor.http.cookies if cookie.name.startswith("portal_"))
    finally:
        demo.stop()
