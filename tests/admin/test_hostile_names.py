"""What people type is shown as text, or refused in words: on every page, in every file."""

import csv
import io
import re
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from django.test import Client
from django.utils import timezone

from directory.models import Application, AuditEvent, User, UserAttribute
from tests.admin.building import flow_url, new_row, open_builder, row
from tests.admin.conftest import Furnished, browser_of
from tests.admin.form_data import application_form, user_form
from tests.page_reader import Page
from tests.relying_party import RelyingParty
from tests.stranger import Stranger
from userflows.models import SignIn

TEXTS = {
    "markup": "<script>alert(1)</script>'\"><img src=x onerror=alert(1)>",
    "right to left": "\u202eشركة الأمل",
    "emoji": "👩‍👩‍👧‍👦 ☎️ 🦊",
    "formula": "=cmd|' /C calc'!A0",
    "template": "{{ 7*7 }}{% now 'Y' %}%s%(name)s",
    "300 characters": "W" * 300,
    "null": "nul\0l",
    "half a pair": "half \ud800 a pair",
}
HOSTILE = pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
# Every field is long enough for these.
SHORT = list(TEXTS.values())[:5]
# Pages that say nothing that anybody typed, and events that are about something else.
SILENT = re.compile(r"^$|^your-sign-in/|^directory/auditevent/.+/change|/(run|delete|pause)/$|^directory/tenant/")
# A sign that turns the text around it is neither searched for nor taken from a stranger.
REFUSED = re.compile(rf"{SILENT.pattern}|^search/|^directory/user/.+/change/|^userflows/signin/.+/change/")
LISTS = (
    *("userflows/userflow", "userflows/signin", "directory/user", "directory/user/deleted", "directory/application"),
    *("directory/userattribute", "directory/identityprovider", "directory/auditevent"),
)
# Lists cut names that are longer.
MOST_IN_LIST = 39
EXPORTS = ("directory/user", "directory/auditevent", "userflows/signin")
FORBIDDEN_TAGS = {"object", "embed", "base", "frame", "math", "style", "marquee"}


class Markup(HTMLParser):
    """`wrong` is what can't come from our templates; `text` what a person reads, fields included."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.wrong: list[str] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, pairs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in pairs}
        links = [attributes.get(name, "").strip().lower() for name in ("href", "action", "formaction", "src")]
        is_wrong = (
            tag in FORBIDDEN_TAGS
            or (tag == "script" and not _is_ours(attributes))
            or (tag == "img" and attributes.get("src", "").startswith("x"))
            or any(name.startswith("on") or name in ("style", "srcdoc") for name in attributes)
            or any(link.startswith(("javascript:", "vbscript:")) for link in links)
        )
        self.text += attributes.get("value", "")
        if is_wrong:
            self.wrong.append(str(self.get_starttag_text()))

    def handle_data(self, data: str) -> None:
        self.text += data


def _is_ours(script: dict[str, str]) -> bool:
    is_data = script.get("type") == "application/json" and script.get("id") == "inputs-by-data-type"
    return is_data or script.get("src", "").endswith((".js", "/admin/jsi18n/"))


def arrived(text: str) -> str:
    """Half a surrogate pair is no character: what comes in its place is the sign for that."""
    return text.encode("utf-8", "surrogatepass").decode("utf-8", "replace")


def post(browser: Client, url: str, form: dict[str, Any], **more: Any) -> Any:
    body = urlencode(form, doseq=True, errors="surrogatepass")
    return browser.post(url, body, content_type="application/x-www-form-urlencoded", **more)


def get(browser: Client, url: str, **query: str) -> Any:
    return browser.get(f"{url}?{urlencode(query, errors='surrogatepass')}")


def send(browser: Client, url: str, form: dict[str, Any], typed: dict[str, str]) -> tuple[list[str], str]:
    """Send `typed` among `form`, until what is refused is left out. Return the fields that took it, and the way on.

    What is refused keeps what was typed, and its field says that something is wrong.
    """
    response = post(browser, url, form | typed)
    if response.status_code == 302:
        return list(typed), str(response["Location"])
    assert response.status_code == 200, url
    html = response.content.decode()
    page = Page(html)
    assert Markup(html).wrong == [], url
    for name, text in typed.items():
        assert page.values[name] == [arrived(text)], (url, name)
    refused = {name for name in typed if page.attributes[name].get("aria-invalid") == "true"}
    assert refused, (url, typed)
    assert all(f'id="id_{name}_error"' in html for name in refused), (url, refused)
    return send(browser, url, form, {name: text for name, text in typed.items() if name not in refused})


def put(browser: Client, url: str, form: dict[str, Any], typed: dict[str, str]) -> list[str]:
    return send(browser, url, form, typed)[0]


# --- putting it everywhere --------------------------------------------------------------------------------------------


def fill_flow(browser: Client, ours: Furnished, text: str) -> list[str]:
    """Put it into every field of the builder, publish that, and begin the next draft."""
    form = open_builder(browser, ours)
    form |= new_row(form, user_attribute="new", data_type="string", label="Something else", required="")
    form |= row(1, input_type="radioSingleSelect", choices="Red\nBlue", starts_page="on")
    typed = dict.fromkeys(("description", "heading", "introduction", "questions_heading"), text)
    typed |= row(0, label=text, hint=text) | row(2, label=text, hint=text)
    typed |= row(1, label=f"{text} 1", hint=text, page_heading=text, choices=f"Red\n{text}")
    taken = put(browser, flow_url(ours), form, typed)
    page = Page(browser.get(flow_url(ours, page="publish")).content.decode())
    published = browser.post(flow_url(ours, page="publish"), {"revision": page.values["revision"]})
    assert published.status_code == 302, published.content.decode()
    return taken + put(browser, flow_url(ours), open_builder(browser, ours), {"heading": f"2 {text}"})


def fill_directory(browser: Client, ours: Furnished, text: str) -> list[str]:
    """Put it into what a tenant has beside its flows."""
    url = f"{ours.admin_url}directory/"
    provider = Page(browser.get(f"{url}identityprovider/{ours.provider.pk}/change/").content.decode()).values
    attribute = {"name": "Hobby", "data_type": "string", "display_name": "Hobby"}
    person = dict.fromkeys(("display_name", "given_name", "surname", "job_title", "street_address", "city"), text)
    member = {"mail": "hostile@woodgrove.example", "display_name": "M", "roles": "global_reader"}
    return [
        *put(browser, f"{url}identityprovider/{ours.provider.pk}/change/", provider, {"name": text}),
        *put(browser, f"{url}userattribute/add/", attribute, {"display_name": text, "description": text}),
        *put(browser, f"{url}application/add/", application_form(kind="web"), {"name": text}),
        *put(browser, f"{url}application/{ours.application.pk}/secrets/add/", {"days": "30"}, {"description": text}),
        *put(browser, f"{url}user/{ours.guest.pk}/change/", user_form(), person),
        *put(browser, f"{url}user/add/", member, {"display_name": text}),
    ]


def sign_up(ours: Furnished, text: str) -> list[str]:
    """As a stranger whose answers and browser are called so."""
    application = RelyingParty(ours.application, ours.secret, f"/{ours.tenant.slug}")
    stranger = Stranger(email="hostile@supplier.example")
    stranger.http.defaults["HTTP_USER_AGENT"] = arrived(text).encode().decode("latin-1").replace("\0", "")
    stranger.open(application.request_url()).give_email().give_code()
    taken: list[str] = []
    while not stranger.left_to:
        assert Markup(stranger.html).wrong == []
        inputs = Page(stranger.html).attributes.items()
        asked = {name: field.get("type") for name, field in inputs if field.get("type") in ("text", "radio")}
        form = stranger.hidden_fields() | dict.fromkeys(asked, "Red")
        answers = {name: text for name, kind in asked.items() if kind == "text"}
        found, way_on = send(stranger.http, stranger.path, form, answers)
        taken += found
        stranger.open(way_on)
    return taken


def pages_of(ours: Furnished, text: str) -> dict[str, str]:
    """Return the addresses of the pages that show what was put there, by a name for each."""
    url, flow = ours.admin_url, f"userflows/userflow/{ours.flow.pk}"
    application = Application.objects.filter(tenant=ours.tenant).latest("pk")
    attribute = UserAttribute.objects.get(tenant=ours.tenant, name="extension_Hobby")
    newcomer = User.objects.get(tenant=ours.tenant, mail="hostile@supplier.example")
    events = AuditEvent.objects.filter(tenant=ours.tenant)
    found = urlencode({"q": text}, errors="surrogatepass")
    paths = [
        *("", f"search/?{found}", "your-sign-in/", "directory/roleassignment/global_reader/"),
        *(f"{name}/{query}" for name in LISTS for query in ("", f"?{found}")),
        *(f"{flow}/{page}/" for page in ("change", "publish", "versions", "versions/2", "history", "delete", "run")),
        *(f"{flow}/{page}/" for page in ("versions/1/roll-back", "discard", "pause")),
        *(f"{flow}/preview/?preview_page={page}&preview_errors=1" for page in ("first", "questions-0", "questions-1")),
        *(f"directory/application/{application.pk}/{page}/" for page in ("change", "delete", "history", "flow")),
        *(f"directory/application/{application.pk}/flow/{ours.flow.pk}/", f"{flow}/versions/2/preview/"),
        *(f"directory/userattribute/{attribute.pk}/{page}/" for page in ("change", "delete", "history")),
        *(f"directory/identityprovider/{ours.provider.pk}/change/", f"directory/tenant/{ours.tenant.pk}/history/"),
        *(f"directory/user/{ours.guest.pk}/{page}/" for page in ("change", "history", "delete", "disable")),
        *(f"directory/user/{newcomer.pk}/change/", f"directory/user/export/?{found}"),
        f"directory/application/{ours.application.pk}/change/",
        f"userflows/signin/{SignIn.objects.get(user=newcomer).pk}/change/",
        *(f"directory/auditevent/{event.pk}/change/" for event in events.order_by("-at")[:14]),
    ]
    return {path: url + path for path in paths}


# --- the tests --------------------------------------------------------------------------------------------------------


def looked_at(browser: Client, pages: dict[str, str], text: str) -> set[str]:
    """Open them all, and return the names of those on which a person reads `text`."""
    shown = set()
    for name, url in pages.items():
        page = browser.get(url)
        assert page.status_code == 200, url
        read = Markup(page.content.decode())
        assert read.wrong == [], url
        shown |= {name} if arrived(text)[:MOST_IN_LIST] in read.text else set()
    return shown


@HOSTILE
def test_shows_it_as_text_or_refuses_it_in_words(
    browser: Client, ours: Furnished, make_guest: Callable[..., User], text: str
) -> None:
    taken = [*fill_directory(browser, ours, text), *fill_flow(browser, ours, text), *sign_up(ours, text)]
    name = arrived(text).replace("\0", "")[:256]
    make_guest(ours.tenant, "gone@supplier.example", display_name=name, deleted_at=timezone.now())
    pages = pages_of(ours, text)
    shown = looked_at(browser, pages, text)
    if text in SHORT:
        assert len(taken) >= 24
        silent = REFUSED if "\u202e" in text else SILENT
        assert {page for page in pages if page not in shown and not silent.search(page)} == set()
    elif "\0" in text:
        assert taken == []


@HOSTILE
def test_the_name_of_a_tenant(browser: Client, operator: User, ours: Furnished, text: str) -> None:
    url = f"{ours.admin_url}directory/tenant/{ours.tenant.pk}/change/"
    taken = put(browser, url, Page(browser.get(url).content.decode()).values, {"name": text})
    new = {
        "slug": "hostile",
        "default_language": "en",
        "admin_mail": "a@hostile.example",
        "name": "H",
        "admin_name": "A",
    }
    platform = browser_of(operator)
    taken += put(platform, "/admin/directory/tenant/add/", new, {"name": text, "admin_name": text})
    flow = f"{ours.admin_url}userflows/userflow/{ours.flow.pk}"
    pages = (ours.admin_url, f"{flow}/preview/", f"{ours.admin_url}directory/auditevent/")
    assert looked_at(browser, {page: page for page in pages}, text) >= set(pages[: 2 * len(taken)])
    platform_pages = ("/admin/", "/admin/directory/tenant/", "/admin/directory/auditevent/", "/admin/search/?q=hostile")
    looked_at(platform, {page: page for page in platform_pages}, text)


@pytest.mark.parametrize("text", [TEXTS["markup"], TEXTS["null"], TEXTS["half a pair"], "9" * 30, f"after.{'9' * 30}"])
def test_searches_and_filters_take_anything(browser: Client, ours: Furnished, text: str) -> None:
    for path in LISTS:
        specs = browser.get(f"{ours.admin_url}{path}/").context["cl"].filter_specs
        filters = [name for spec in specs for name in spec.expected_parameters()]
        for name in ("p", "o", "no_such_filter", *filters):
            page = get(browser, f"{ours.admin_url}{path}/", **{name: text})
            # Django refuses columns by which nobody may filter, and sends whoever filters by nonsense back.
            assert page.status_code in (200, 302, 400), (path, name)
            assert Markup(page.content.decode()).wrong == [], (path, name)
    for path in ("directory/roleassignment/global_reader/", "search/", *(f"{path}/" for path in LISTS)):
        page = get(browser, ours.admin_url + path, q=text)
        assert page.status_code == 200, path
        assert Markup(page.content.decode()).wrong == [], path
    for path in EXPORTS:
        assert browser.post(f"{ours.admin_url}{path}/export/?{urlencode({'q': arrived(text)})}").status_code == 200


@pytest.mark.parametrize("text", SHORT, ids=list(TEXTS)[:5])
def test_no_file_has_what_a_spreadsheet_runs(browser: Client, ours: Furnished, text: str) -> None:
    fill_directory(browser, ours, text)
    sign_up(ours, text)
    for path in EXPORTS:
        response: Any = browser.post(f"{ours.admin_url}{path}/export/")
        body = b"".join(response.streaming_content).decode("utf-8-sig")
        rows = list(csv.reader(io.StringIO(body, newline="")))
        cells = [cell for row in rows for cell in row]
        assert not [cell for cell in cells if cell.lstrip()[:1] in tuple("=+-@")], path
        assert {len(row) for row in rows} == {len(rows[0])}, path
        assert path.endswith("signin") or text in "\n".join(cells), path


@HOSTILE
def test_whoever_is_not_signed_in_gets_no_further(ours: Furnished, text: str) -> None:
    """The pages before the admin: what is typed there stands in no log as markup, and breaks nothing."""
    stranger = Client(headers={"User-Agent": arrived(text).replace("\0", "").encode().decode("latin-1")})
    for path, form in {
        "login": {"mail": text, "password": text},
        "forgot-password": {"mail": text},
        "second-factor": {"answer": text},
        f"set-password/{quote(arrived(text), safe='')}/{quote(arrived(text), safe='')}": {"new_password1": text},
    }.items():
        response = post(stranger, f"{ours.admin_url}{path}/", form)
        assert response.status_code in (200, 302, 403, 404), path
        assert Markup(response.content.decode()).wrong == [], path
    page = get(stranger, f"{ours.admin_url}login/", next=text)
    assert Markup(page.content.decode()).wrong == []


@pytest.mark.parametrize("field", ["applications-remove", "applications-application", "_overwrite", "revision"])
def test_the_builder_takes_no_number_that_the_database_cannot(browser: Client, ours: Furnished, field: str) -> None:
    response = post(browser, flow_url(ours), open_builder(browser, ours) | {field: "9" * 30})
    assert response.status_code == (302 if field == "_overwrite" else 200)
