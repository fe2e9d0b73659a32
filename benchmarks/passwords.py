"""What a password costs: sign-ins by password and by code for one core, beside a plain page, in processor time.

    PORTAL_MODE=test python -m benchmarks.passwords

makes a database that is thrown away. Processor time counts all threads (Argon2 uses several), so that the answer is the
same on an idle machine and on a busy one. Figures of two machines compare by the last column only.
"""

import os
import re
import time
from collections.abc import Callable

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "identity_portal.settings")
django.setup()

# The models can be imported only now.
from django.contrib.auth.hashers import Argon2PasswordHasher  # noqa: E402
from django.core import mail  # noqa: E402
from django.db import connection  # noqa: E402
from django.test import Client  # noqa: E402
from django.test.utils import setup_test_environment  # noqa: E402

from directory.applications import create_application  # noqa: E402
from directory.members import create_member  # noqa: E402
from directory.models import Application, ApplicationKind, IdentityProvider, Tenant, User  # noqa: E402
from directory.tenants import create_tenant  # noqa: E402
from userflows.flows import assign_application, create_user_flow  # noqa: E402
from userflows.models import RateCounter, UserFlow  # noqa: E402
from userflows.publishing import publish  # noqa: E402

PASSWORD = "correct horse battery staple"  # noqa: S105
MAIL = "amina@fabrikam.example"
REDIRECT_URI = "https://app.example.com/signin-oidc"
RUNS = 30
CHALLENGE = "x" * 43


def make_application() -> str:
    """Make a tenant whose flow has codes and passwords, and somebody in it; return the application's request."""
    tenant = create_tenant(Tenant(slug="woodgrove", name="Woodgrove", sign_up_enabled=True))
    IdentityProvider.objects.create(tenant=tenant, kind="EmailPassword", name="Email with password")
    flow = create_user_flow(UserFlow(tenant=tenant, name="Suppliers"))
    publish(flow)
    application = Application(
        tenant=tenant, name="Supplier Portal", kind=ApplicationKind.WEB, redirect_uris=REDIRECT_URI
    )
    create_application(application)
    assign_application(flow, application)
    create_member(User(tenant=tenant, mail=MAIL, display_name="Amina"), password=PASSWORD)
    return (
        f"/woodgrove/oauth2/v2.0/authorize?client_id={application.client_id}&response_type=code&scope=openid"
        f"&redirect_uri={REDIRECT_URI}&code_challenge={CHALLENGE}&code_challenge_method=S256"
    )


class Person:
    """A browser without a session."""

    def __init__(self, url: str) -> None:
        self.http = Client()
        self.path, self.version = "", "0"
        self._follow(self.http.get(url), url)

    def submit(self, **fields: str) -> "Person":
        return self._follow(self.http.post(self.path, {"version": self.version, **fields}), self.path)

    def show(self) -> None:
        self.http.get(self.path)

    def _follow(self, response: object, path: str) -> "Person":
        answer = response
        while answer.status_code == 302:  # type: ignore[attr-defined]
            path = answer["Location"]  # type: ignore[index]
            if path.startswith(REDIRECT_URI):
                return self
            answer = self.http.get(path)
        self.path = path
        found = re.search(r'name="version" value="(\d+)"', answer.content.decode())  # type: ignore[attr-defined]
        self.version = found[1] if found else ""
        return self


def by_password(url: str) -> None:
    Person(url).submit(email=MAIL).submit(password=PASSWORD)


def by_code(url: str) -> None:
    person = Person(url).submit(email=MAIL).submit(action="code")
    person.submit(code=str(mail.outbox[-1].subject)[:9])


def seconds_of(work: Callable[[], object]) -> float:
    work()
    began = time.process_time()
    for _ in range(RUNS):
        work()
        RateCounter.objects.all().delete()
    return (time.process_time() - began) / RUNS


def main() -> None:
    setup_test_environment()
    connection.creation.create_test_db(verbosity=0)
    try:
        url = make_application()
        hasher = Argon2PasswordHasher()
        person = Person(url).submit(email=MAIL)
        plain = seconds_of(person.show)
        rows = [
            ("a plain page: the one that asks for the password", plain),
            ("one Argon2 hash", seconds_of(lambda: hasher.encode(PASSWORD, hasher.salt()))),
            ("a sign-in by password, from the application's request to its code", seconds_of(lambda: by_password(url))),
            ("a sign-in by code, likewise", seconds_of(lambda: by_code(url))),
        ]
        memory = f"{hasher.memory_cost // 1024} MiB, {hasher.time_cost} passes, {hasher.parallelism} lanes"
        print(f"Argon2id: {memory}\n")
        print("| what | ms of one core | a second on one core | plain pages |\n|---|---|---|---|")
        for what, seconds in rows:
            print(f"| {what} | {seconds * 1000:.1f} | {1 / seconds:.1f} | {seconds / plain:.1f} |")
    finally:
        connection.creation.destroy_test_db(":memory:", verbosity=0)


if __name__ == "__main__":
    main()
