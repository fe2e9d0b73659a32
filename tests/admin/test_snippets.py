"""The code that an application's page offers: with the application's own values, without its secret, and it works."""

import ast
import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.test import Client

from directory.models import Application, ApplicationKind, Tenant
from identity_portal.authority import Authority
from identity_portal.oidc.models import AccessToken
from identity_portal.snippets import snippets_for
from identity_portal.snippets.values import SECRET_VARIABLE, Snippet
from tests.admin.conftest import Furnished
from tests.relying_party import RelyingParty
from tests.stranger import Stranger
from userflows.models import UserFlow

pytestmark = pytest.mark.any_database

MakeApplication = Callable[..., Application]
REDIRECT_URIS = {
    "web": "https://app.example.com/signin-oidc",
    "spa": "https://app.example.com/callback",
    "native": "com.example.app:/callback",
    "daemon": "",
}
# allauth's redirect URI is its own; MSAL for Python listens where it likes.
OWN_REDIRECT_URI = {"Python: Django with allauth", "Python: MSAL, for the command line"}
HOSTILE = 'https://app.example.com/"+alert(1)+"\'/$(id)/${x}/`id`/{{y}}/%s/'


def snippets(tenant: Tenant, kind: str, uri: str | None = None) -> list[Snippet]:
    registered = REDIRECT_URIS[kind] if uri is None else uri
    application = Application(tenant=tenant, name="App", kind=kind, redirect_uris=registered)
    application.full_clean()
    return snippets_for(application, Authority(tenant=tenant))


def one(found: list[Snippet], title: str) -> str:
    return next(snippet.text for snippet in found if snippet.title == title)


@pytest.mark.parametrize("kind", ApplicationKind.values)
def test_has_the_applications_own_values(tenant: Tenant, kind: str) -> None:
    application = Application(tenant=tenant, name="App", kind=kind, redirect_uris=REDIRECT_URIS[kind])
    authority = Authority(tenant=tenant)
    found = snippets_for(application, authority)
    assert len({snippet.title for snippet in found}) == len(found) > 1
    for snippet in found:
        assert application.client_id in snippet.text, snippet.title
        assert authority.url in snippet.text, snippet.title
        if snippet.title not in OWN_REDIRECT_URI:
            assert REDIRECT_URIS[kind] in snippet.text, snippet.title


@pytest.mark.parametrize("kind", ApplicationKind.values)
def test_never_has_a_secret(tenant: Tenant, make_application: MakeApplication, kind: str) -> None:
    application = make_application(tenant, kind=kind, redirect_uris=REDIRECT_URIS[kind])
    for snippet in snippets_for(application, Authority(tenant=tenant)):
        assert "ip_cs_" not in snippet.text
        # Where there is a secret, it is read from the environment.
        assert (SECRET_VARIABLE in snippet.text) == application.keeps_secret, snippet.title


@pytest.mark.parametrize("kind", ApplicationKind.values)
def test_stands_on_the_applications_page(
    browser: Client, ours: Furnished, make_application: MakeApplication, kind: str
) -> None:
    application = make_application(ours.tenant, kind=kind, redirect_uris="")
    page = browser.get(f"{ours.admin_url}directory/application/{application.pk}/change/")
    for snippet in snippets_for(application, Authority(tenant=ours.tenant)):
        assert f">{snippet.title}</summary>" in page.content.decode()
    assert ("the one in the code is an example" in page.content.decode()) == (kind != "daemon")
    assert page.context["snippets"] == snippets_for(application, Authority(tenant=ours.tenant))


@pytest.mark.parametrize("kind", ["web", "spa", "native"])
def test_quotes_what_people_registered(tenant: Tenant, kind: str) -> None:
    literal = json.dumps(HOSTILE)
    in_code = {
        **dict.fromkeys(("javascript", "go", "swift", "java"), literal),
        "csharp": json.dumps(urlsplit(HOSTILE).path),
        "kotlin": literal.replace("$", "\\$"),
        "php": "'" + HOSTILE.replace("'", "\\'") + "'",
    }
    for snippet in snippets(tenant, kind, HOSTILE):
        if snippet.language != "python":
            assert in_code[snippet.language] in snippet.text, snippet.title
        elif snippet.title not in OWN_REDIRECT_URI:
            strings = [node.value for node in ast.walk(ast.parse(snippet.text)) if isinstance(node, ast.Constant)]
            assert HOSTILE in strings, snippet.title
        code = [line for line in snippet.text.splitlines() if not line.lstrip().startswith(("//", "#"))]
        assert HOSTILE not in "\n".join(code), snippet.title


def test_shell_sees_one_command(tenant: Tenant) -> None:
    words = shlex.split(one(snippets(tenant, "daemon"), "curl").replace("\\\n", ""))
    assert words[0] == "curl"
    assert words[-1] == "http://testserver/woodgrove/oauth2/v2.0/token"
    assert len(words) == 6


def test_tells_allauth_what_it_asks_for(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SECRET_VARIABLE, "secret")
    text = one(snippets(tenant, "web"), "Python: Django with allauth")
    settings: dict[str, dict[str, dict[str, object]]] = {}
    exec(text, settings)  # noqa: S102 - our own
    provider = settings["SOCIALACCOUNT_PROVIDERS"]["openid_connect"]
    assert provider["OAUTH_PKCE_ENABLED"] is True
    assert "https://app.example.com/accounts/oidc/portal/login/callback/" in text


# --- run as a developer runs them ----------------------------------------------------------------------------------

FLASK_DRIVER = """
import sys, json
exec(compile(open(sys.argv[1]).read(), "snippet", "exec"), globals())
browser = app.test_client()
print(browser.get("/sign-in", base_url="https://app.example.com").headers["Location"], flush=True)
answer = browser.get(input(), base_url="https://app.example.com")
print(json.dumps(answer.get_json()))
"""
TOKEN_DRIVER = """
import sys
exec(compile(open(sys.argv[1]).read(), "snippet", "exec"), globals())
print(access_token)
"""


@pytest.fixture
def portal_url(live_server: object, settings: object) -> str:
    """A portal that listens, of this process."""
    url = str(live_server).replace("127.0.0.1", "localhost")
    settings.BASE_URL = url  # type: ignore[attr-defined]
    return url


def start(tmp_path: Path, driver: str, snippet: str, secret: str | None) -> subprocess.Popen[str]:
    for name, text in (("driver.py", driver), ("snippet.py", snippet)):
        (tmp_path / name).write_text(text)
    environment = {
        **{"PATH": os.environ["PATH"], "NO_PROXY": "*", "SECRET_KEY": "x"},
        # Authlib takes https only; here it is this machine.
        **{SECRET_VARIABLE: secret or "", "AUTHLIB_INSECURE_TRANSPORT": "1"},
    }
    return subprocess.Popen(  # noqa: S603
        [sys.executable, "-I", str(tmp_path / "driver.py"), str(tmp_path / "snippet.py")],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.mark.django_db(transaction=True)
def test_the_flask_snippet_signs_a_stranger_up(
    portal_url: str,
    make_tenant: Callable[..., Tenant],
    make_user_flow: Callable[..., UserFlow],
    make_relying_party: Callable[..., RelyingParty],
    tmp_path: Path,
) -> None:
    tenant = make_tenant()
    party = make_relying_party(tenant, make_user_flow(tenant))
    text = one(snippets_for(party.application, Authority(tenant=tenant)), "Python: Flask with Authlib")
    with start(tmp_path, FLASK_DRIVER, text, party.secret) as process:
        assert process.stdout
        location = process.stdout.readline().strip()
        assert location.startswith(f"{portal_url}/woodgrove/oauth2/v2.0/authorize?")
        sent = urlsplit(location)
        returned = Stranger().sign_up(f"{sent.path}?{sent.query}", GivenName="Amina", Surname="Haddad")
        back = urlsplit(returned)
        said, _nothing = process.communicate(f"{back.path}?{back.query}\n", timeout=30)
    claims = json.loads(said)
    assert (claims["email"], claims["given_name"]) == ("amina@fabrikam.example", "Amina")
    assert claims["aud"] == party.application.client_id
    assert claims["iss"] == f"{portal_url}/woodgrove/v2.0"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("title", ["Python: requests", "Python: Authlib", "curl"])
def test_a_daemons_snippet_gets_a_token(
    portal_url: str,
    make_tenant: Callable[..., Tenant],
    make_relying_party: Callable[..., RelyingParty],
    tmp_path: Path,
    title: str,
) -> None:
    tenant = make_tenant()
    party = make_relying_party(tenant, None, kind=ApplicationKind.DAEMON, redirect_uris="")
    text = one(snippets_for(party.application, Authority(tenant=tenant)), title)
    if title == "curl":
        if shutil.which("curl") is None:
            pytest.skip("There is no curl here.")
        environment = {"PATH": os.environ["PATH"], SECRET_VARIABLE: str(party.secret), "NO_PROXY": "*"}
        shell = ["/bin/sh", "-c", text]
        said = subprocess.run(shell, env=environment, capture_output=True, check=True, timeout=30)  # noqa: S603
        token = json.loads(said.stdout)["access_token"]
    else:
        with start(tmp_path, TOKEN_DRIVER, text, party.secret) as process:
            token = process.communicate(timeout=30)[0].strip()
    assert AccessToken.objects.get(application=party.application).user is None
    assert token.count(".") == 2
