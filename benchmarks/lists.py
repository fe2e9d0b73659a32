"""Every list, search and filter of a tenant's admin at a million guests, over HTTP, statement by statement.

    createdb portal_lists
    PORTAL_MODE=test DATABASE_URL=postgres://…/portal_lists python -m benchmarks.lists

fills the database when it is empty (some minutes), and prints the table and the plans of docs/lists-at-scale.md.
"""

import argparse
import json
import os
import re
import sys
from dataclasses import dataclass, field

import django
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "identity_portal.settings")
django.setup()

# The models can be imported only now.
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.test import Client  # noqa: E402
from django.test.utils import CaptureQueriesContext, setup_test_environment  # noqa: E402

from benchmarks.fill import BIG, Size, copy_rows, make_tenant  # noqa: E402
from directory.models import AuditEvent, Tenant, User  # noqa: E402
from directory.session_store import SessionStore  # noqa: E402
from userflows.models import SignIn, UserFlow  # noqa: E402

SLUG, SMALL_SLUG = "benchmark", "small"
SMALL = Size(guests=10, flows=10, events=10, sign_ins=10)
LIMIT_MS = 100
RUNS = 7
MAX_CHOICES = 6


@dataclass
class Measured:
    path: str
    statements: int
    few_statements: int = 0
    page_ms: float = 0
    slowest_ms: float = 0
    slowest_sql: str = ""
    plan: str = ""
    total_ms: float = field(default=0)


def searches(tenant: Tenant) -> dict[str, list[str]]:
    """Return what is searched for in each list: frequent, rare, missing, short, an id, and the page after a row."""
    guest = User.objects.filter(tenant=tenant, user_type="Guest").order_by("created_at")[3]
    flow = UserFlow.objects.filter(tenant=tenant).order_by("name")[5]
    entry = SignIn.objects.filter(tenant=tenant).order_by("started_at")[3]
    event = AuditEvent.objects.filter(tenant=tenant).order_by("at")[3]
    pages = {row: [f"p=after.{row.pk}", f"p=before.{row.pk}"] for row in (guest, flow, entry, event)}
    words = ["maria", "maria.rossi", "company7", "maria company77", "nobody-has-this-name", "example"]
    words += ["ab", "qu", "zz", "b", "a@b", guest.mail]
    people = [f"q={word}" for word in (*words, str(guest.pk))]
    entries = [*people, "q=flow77", "q=user_flow_sign_up_off", f"q={entry.correlation_id}"]
    entries += ["outcome__exact=refused&q=maria", f"user_flow={flow.pk}&since=hour"]
    events = [*people, "q=user_flow.published", f"q={event.correlation_id}", "activity=sign_up.refused&q=maria"]
    return {
        "directory/user": [*people, *pages[guest]],
        "userflows/signin": [*entries, *pages[entry]],
        "directory/auditevent": [*events, "target_type=tenant", *pages[event]],
        "userflows/userflow": ["q=flow77", "q=zzz", *pages[flow]],
        "directory/application": ["q=application 77", "q=zzz"],
        "directory/userattribute": ["q=hobby"],
        "directory/identityprovider": [],
    }


def filters(browser: Client, url: str) -> dict[str, str]:
    """Return the query strings that the list's own filters offer, by their place: “outcome 3”."""
    changelist = browser.get(url).context["cl"]
    offered = {}
    for spec in changelist.filter_specs:
        choices = list(spec.choices(changelist))[1 : MAX_CHOICES + 1]
        for number, choice in enumerate(choices):
            query = choice.get("query_string") or f"?{spec.parameter_name}={choice['value']}"
            offered[f"{spec.title} {number}"] = query.removeprefix("?")
    return offered


def paths(browser: Client, tenant: Tenant) -> dict[str, str]:
    """Return the paths below the admin by a name that is the same in both tenants."""
    found = {}
    for path, queries in searches(tenant).items():
        found[f"{path}/"] = f"{path}/"
        found |= {f"{path}/ {number}": f"{path}/?{query}" for number, query in enumerate(queries)}
        offered = filters(browser, f"/{tenant.slug}/admin/{path}/")
        found |= {f"{path}/ {name}": f"{path}/?{query}" for name, query in offered.items()}
    for path, model in (("userflows/signin", SignIn), ("directory/auditevent", AuditEvent), ("directory/user", User)):
        row = model._default_manager.filter(tenant=tenant).order_by("pk")[0]
        found[f"{path}/change"] = f"{path}/{row.pk}/change/"
    return found | {"search": "search/?q=maria", "home": ""}


def browser_of(user: User) -> Client:
    session = SessionStore(tenant_id=user.tenant_id)
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "identity_portal.tenancy.TenantBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session["amr"] = ["pwd", "otp", "mfa"]
    session.create()
    browser = Client()
    browser.cookies[settings.SESSION_COOKIE_NAME] = session.session_key or ""
    return browser


def measure(browser: Client, url: str) -> Measured:
    """Open a page twice and time it and each of its statements, as the database does, when it is warm."""
    status = browser.get(url).status_code
    with CaptureQueriesContext(connection) as captured:
        browser.get(url)
    statements = [query["sql"] for query in captured.captured_queries]
    measured = Measured(url, len(statements), page_ms=sum(float(query["time"]) for query in captured) * 1000)
    if status != 200:
        sys.exit(f"{url} answered {status}.")
    for statement in statements:
        if not statement.startswith(("SELECT", "WITH")):
            continue
        milliseconds, plan = min((explain(statement) for _run in range(RUNS)), key=lambda timed: timed[0])
        measured.total_ms += milliseconds
        if milliseconds > measured.slowest_ms:
            measured.slowest_ms, measured.slowest_sql, measured.plan = milliseconds, statement, plan
    return measured


def explain(statement: str) -> tuple[float, str]:
    with connection.cursor() as cursor:
        # A statement of our own pages, with its values in it.
        cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS) {statement}")
        plan = "\n".join(row[0] for row in cursor.fetchall())
    times = [float(found) for found in re.findall(r"(?:Planning|Execution) Time: ([\d.]+) ms", plan)]
    return sum(times), plan


def prepare(size: Size) -> None:
    if connection.vendor != "postgresql":
        raise SystemExit("Set DATABASE_URL to a PostgreSQL database of its own.")
    call_command("migrate", verbosity=0)
    slugs = set(Tenant.objects.values_list("slug", flat=True))
    if slugs - {SLUG, SMALL_SLUG}:
        raise SystemExit("This database holds tenants of somebody else.")
    # The large one last: each makes the trigram indexes anew.
    for slug, rows in ((SMALL_SLUG, SMALL), (SLUG, size)):
        if slug not in slugs:
            tenant, _admin = make_tenant(slug)
            copy_rows(tenant, rows)


def shown(path: str) -> str:
    """Return a path without the ids in it: they are other ones in every database."""
    return re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "…", path) or "(home)"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--guests", type=int, default=BIG.guests)
    parser.add_argument("--only", default="", help="measure paths that contain this")
    parser.add_argument("--plans", type=int, default=3, help="how many of the slowest plans to show")
    options = parser.parse_args()
    prepare(Size(options.guests, BIG.flows, BIG.events, options.guests))
    setup_test_environment(debug=False)
    results = []
    big, small = (Tenant.objects.get(slug=slug) for slug in (SLUG, SMALL_SLUG))
    browsers = {
        tenant.slug: browser_of(User.objects.get(tenant=tenant, mail__startswith="admin@")) for tenant in (big, small)
    }
    small_paths = paths(browsers[SMALL_SLUG], small)
    for name, path in paths(browsers[SLUG], big).items():
        if options.only not in path:
            continue
        result = measure(browsers[SLUG], f"/{SLUG}/admin/{path}")
        result.path, result.few_statements = shown(path), result.statements
        # A small list has no second page.
        if name in small_paths and "?p=" not in path:
            few = measure(browsers[SMALL_SLUG], f"/{SMALL_SLUG}/admin/{small_paths[name]}")
            result.few_statements = few.statements
        results.append(result)
        print(
            json.dumps([result.path, result.statements, result.few_statements, round(result.slowest_ms, 1)]),
            file=sys.stderr,
        )
    report(results, plans=options.plans)


def report(results: list[Measured], *, plans: int) -> None:
    print("| page | statements (10 rows) | slowest statement, ms | all statements, ms |\n|---|---|---|---|")
    for result in results:
        counts = f"{result.statements} ({result.few_statements})"
        print(f"| `{result.path}` | {counts} | {result.slowest_ms:.1f} | {result.total_ms:.1f} |")
    for result in sorted(results, key=lambda result: -result.slowest_ms)[:plans]:
        print(f"\n### `{result.path}`: {result.slowest_ms:.1f} ms")
        print(f"\n```sql\n{result.slowest_sql}\n```\n\n```\n{result.plan}\n```")
    slow = [result for result in results if result.slowest_ms > LIMIT_MS]
    # A page on which nothing was found asks for less, and one with few finds may count them.
    growing = [result for result in results if result.statements > result.few_statements + 2]
    sys.exit(f"{len(slow)} too slow, {len(growing)} with more statements for more rows" if slow or growing else 0)


if __name__ == "__main__":
    main()
