"""What may be registered as a redirect URI by which kind of application, and what a registered one lets through."""

import pytest
from django.core.exceptions import ValidationError

from directory.models import Application, ApplicationKind, Tenant
from directory.redirect_uris import Remark, examine_redirect_uris, form_action_source, is_registered

pytestmark = pytest.mark.any_database

KINDS_WITH_PAGES = (ApplicationKind.WEB, ApplicationKind.SPA, ApplicationKind.NATIVE)
OTHER_KINDS = (ApplicationKind.WEB, ApplicationKind.SPA, ApplicationKind.DAEMON)


def problems(kind: ApplicationKind, uri: str, field: str = "redirect_uris") -> list[str]:
    application = Application(tenant=Tenant(), name="App", kind=kind, **{field: uri})
    try:
        application.clean()
    except ValidationError as error:
        return list(error.message_dict[field])
    return []


@pytest.mark.parametrize("kind", KINDS_WITH_PAGES)
@pytest.mark.parametrize(
    "uri",
    [
        "https://app.example.com/signin-oidc",
        "https://app.example.com",
        "https://app.example.com:8443/cb?tenant=1&x=%20",
        "https://xn--bcher-kva.example/cb",
        "https://[2001:db8::1]/cb",
        "http://localhost/cb",
        "http://localhost:3000/cb",
        "http://127.0.0.1:5000",
        "http://[::1]:5000/cb",
    ],
)
@pytest.mark.parametrize("field", ["redirect_uris", "post_logout_redirect_uris"])
def test_takes_a_uri_of_the_web(kind: ApplicationKind, uri: str, field: str) -> None:
    assert problems(kind, uri, field) == []


@pytest.mark.parametrize("kind", KINDS_WITH_PAGES)
@pytest.mark.parametrize(
    ("uri", "word"),
    [
        ("http://app.example.com/cb", "https://"),
        ("http://localhost.example.com/cb", "https://"),
        ("http://127.0.0.2/cb", "https://"),
        ("http://2130706433/cb", "https://"),
        ("https:///cb", "host name"),
        ("https://", "host name"),
        ("https:cb", "host name"),
        ("https://a.example;script-src/cb", "host name"),
        ("https://a.example,b.example/cb", "host name"),
        ("https://*.example.com/cb", "wildcard"),
        ("https://app.example.com/*", "wildcard"),
        ("https://app.example.com/cb#part", "fragment"),
        ("https://app.example.com/cb#", "fragment"),
        ("https://user@app.example.com/cb", "user name"),
        ("https://user:password@app.example.com/cb", "user name"),
        ("https://@app.example.com/cb", "user name"),
        ("https://app.example.com\\@other.example/cb", "backslash"),
        ("https://app.example.com:99999/cb", "not a URI"),
        ("https://app.example.com:port/cb", "not a URI"),
        ("https://[::1/cb", "not a URI"),
        ("https://bücher.example/cb", "percent-encoded"),
        ("https://app.example.com/\x00", "percent-encoded"),
        ("https://app.example.com/\u202ecb", "percent-encoded"),
        ("javascript:alert(1)", "https://"),
        ("data:text/html,x", "https://"),
        ("myapp:/cb", "https://"),
        ("urn:ietf:wg:oauth:2.0:oob", "https://"),
        ("//app.example.com/cb", "https://"),
        ("/cb", "https://"),
        ("app.example.com/cb", "https://"),
        ("https://app.example.com/" + "a" * 233, "256 characters"),
    ],
)
def test_refuses_the_rest_in_words_that_help(kind: ApplicationKind, uri: str, word: str) -> None:
    found = problems(kind, uri)
    assert len(found) == 1
    assert word in found[0]


@pytest.mark.parametrize("uri", ["com.example.app:/cb", "com.example.app://cb", "msauth.com.example.app://auth"])
def test_takes_a_scheme_of_its_own_from_mobile_and_desktop_applications_only(uri: str) -> None:
    assert problems(ApplicationKind.NATIVE, uri) == []
    for kind in OTHER_KINDS:
        assert "https://" in problems(kind, uri)[0]


def test_names_each_wrong_uri() -> None:
    found = problems(ApplicationKind.WEB, "https://good.example/cb\nhttp://bad.example/cb\nhttps://worse.example/*")
    assert len(found) == 2
    assert "http://bad.example/cb" in found[0]
    assert "https://worse.example/*" in found[1]


def test_names_the_line_where_there_are_several() -> None:
    text = "https://good.example/cb\n\n  http://bad.example/cb  \nhttps://worse.example/*"
    found = problems(ApplicationKind.WEB, text)
    assert [message.partition(":")[0] for message in found] == ["Line 3", "Line 4"]
    assert [remark.line for remark in examine_redirect_uris(text, private_schemes=False)] == [3, 4]
    assert not problems(ApplicationKind.WEB, "http://bad.example/cb")[0].startswith("Line")


@pytest.mark.parametrize("line", ["https://app.example.com/a path", "https://app.example.com/ cb extra", "a b"])
def test_says_that_a_line_has_a_space_in_it(line: str) -> None:
    (message,) = problems(ApplicationKind.WEB, line)
    assert message.startswith(f"{line} has a space in it.")
    assert "%20." in message


def test_takes_several_uris_on_a_line() -> None:
    assert problems(ApplicationKind.WEB, " https://a.example/cb  https://b.example/cb ") == []
    assert len(problems(ApplicationKind.WEB, "https://a.example/cb http://b.example/cb")) == 1


@pytest.mark.parametrize(
    ("uri", "kind", "words"),
    [
        ("https://app.example.com/cb/", ApplicationKind.WEB, "ends with a slash"),
        ("https://App.example.com/cb", ApplicationKind.WEB, "capital letters"),
        ("HTTPS://app.example.com/cb", ApplicationKind.WEB, "capital letters"),
        ("http://localhost:3000/cb", ApplicationKind.SPA, "127.0.0.1 in the place of localhost"),
        ("http://localhost/cb", ApplicationKind.NATIVE, "works with any port"),
    ],
)
def test_advises_where_people_go_wrong(uri: str, kind: ApplicationKind, words: str) -> None:
    assert problems(kind, uri) == []
    (remark,) = examine_redirect_uris(uri, private_schemes=kind == ApplicationKind.NATIVE)
    assert (remark.line, remark.is_problem) == (1, False)
    assert words in remark.message
    assert uri in remark.message


@pytest.mark.parametrize(
    "uri",
    ["https://app.example.com/", "https://app.example.com/CB?x=/", "http://127.0.0.1:5000/cb", "com.example.app:/cb"],
)
def test_has_no_advice_for_a_plain_uri(uri: str) -> None:
    assert examine_redirect_uris(uri, private_schemes=True) == []


def test_says_who_may_have_a_scheme_of_their_own() -> None:
    assert "are for mobile and desktop applications" in problems(ApplicationKind.WEB, "com.example.app:/cb")[0]
    assert "has a dot in it" in problems(ApplicationKind.NATIVE, "myapp:/cb")[0]


def test_cuts_what_is_far_too_long() -> None:
    (remark,) = examine_redirect_uris("a b" * 5000, private_schemes=False)
    assert remark == Remark(1, remark.message, is_problem=True)
    assert len(remark.message) < 200


def test_shows_a_percent_sign_as_it_is() -> None:
    assert problems(ApplicationKind.WEB, "http://bad.example/%(uri)s%20%") == [
        "http://bad.example/%(uri)s%20% must begin with https://. Only localhost, 127.0.0.1 and [::1] may use http://."
    ]


def test_counts_a_uri_that_stands_there_twice_once() -> None:
    hundred = [f"https://app.example.com/{number}" for number in range(100)]
    assert problems(ApplicationKind.WEB, "\n".join(hundred + hundred)) == []
    assert "100" in problems(ApplicationKind.WEB, "\n".join([*hundred, "https://app.example.com/more"]))[0]


@pytest.mark.parametrize(
    "sent",
    [
        "https://app.example.com/cb/",
        "https://app.example.com/CB",
        "https://APP.example.com/cb",
        "HTTPS://app.example.com/cb",
        "https://app.example.com:443/cb",
        "https://app.example.com/cb?",
        "https://app.example.com/cb?x=1",
        "https://app.example.com/cb#",
        "https://app.example.com/%63b",
        "https://app.example.com/x/../cb",
        "https://app.example.com",
        "https://app.example.com.evil.example/cb",
        " https://app.example.com/cb",
        "",
    ],
)
@pytest.mark.parametrize("any_loopback_port", [True, False])
def test_matches_to_the_letter(sent: str, any_loopback_port: bool) -> None:
    registered = ["https://app.example.com/cb"]
    assert not is_registered(sent, registered, any_loopback_port=any_loopback_port)
    assert is_registered(registered[0], registered, any_loopback_port=any_loopback_port)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]"])
@pytest.mark.parametrize("port", ["", ":1", ":8080", ":65535"])
@pytest.mark.parametrize("rest", ["", "/", "/cb", "/cb?x=1&y=%20"])
def test_lets_only_mobile_and_desktop_applications_choose_the_port_of_loopback(host: str, port: str, rest: str) -> None:
    """RFC 8252 7.3."""
    registered = f"http://{host}:5000{rest}"
    for kind in ApplicationKind:
        application = Application(kind=kind, redirect_uris=registered, post_logout_redirect_uris=registered)
        assert application.redirect_uri_allowed(registered)
        allowed = kind == ApplicationKind.NATIVE
        assert application.redirect_uri_allowed(f"http://{host}{port}{rest}") is allowed
        assert application.post_logout_redirect_uri_allowed(f"http://{host}{port}{rest}") is allowed


@pytest.mark.parametrize(
    "sent",
    [
        "https://127.0.0.1:8080/cb",
        "http://localhost:8080/cb",
        "http://[::1]:8080/cb",
        "http://127.0.0.1:8080/cb/",
        "http://127.0.0.1:8080/cb?x=1",
        "http://127.0.0.1:8080/cb#",
        "http://127.0.0.1:8080/cb#part",
        "http://user@127.0.0.1:8080/cb",
        "http://127.0.0.1:8080@evil.example/cb",
        "http://127.0.0.1.evil.example:8080/cb",
        "http://127.0.0.1:port/cb",
        "http://127.0.0.1:999999/cb",
        "http://127.0.0.1:8080/c\nb",
        " http://127.0.0.1:8080/cb",
        "http://127.0.0.1:8080/cb ",
        "http:\\\\127.0.0.1:8080/cb",
        "HTTP://127.0.0.1:8080/cb",
    ],
)
def test_frees_nothing_but_the_port(sent: str) -> None:
    assert not is_registered(sent, ["http://127.0.0.1/cb"], any_loopback_port=True)


def test_frees_no_port_of_another_host() -> None:
    registered = ["https://app.example.com:1/cb", "com.example.app:/cb"]
    assert not is_registered("https://app.example.com:2/cb", registered, any_loopback_port=True)
    assert not is_registered("com.example.app:2/cb", registered, any_loopback_port=True)


@pytest.mark.parametrize(
    ("uri", "source"),
    [
        ("https://app.example.com:8443/cb?x=1", "https://app.example.com:8443"),
        ("http://[::1]:5000/cb", "http://[::1]:5000"),
        ("com.example.app:/cb", "com.example.app:"),
    ],
)
def test_tells_the_content_security_policy_where_a_form_leads(uri: str, source: str) -> None:
    assert form_action_source(uri) == source
