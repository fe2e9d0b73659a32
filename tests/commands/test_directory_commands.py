"""create_tenant, create_application, create_member, create_operator, one_time_link, reset_second_factor."""

import re

import pytest
from django.conf import settings
from django.core.mail import EmailMessage
from django.core.management import CommandError
from django.test import Client

from directory.models import Application, AuditEvent, ClientSecret, Tenant, User, UserType
from identity_portal.second_factor import new_recovery_codes, unused_recovery_codes
from tests.commands.conftest import Run, RunJson

PASSWORD = "correct horse battery staple"


@pytest.fixture
def _password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEMBER_PASSWORD", PASSWORD)


def test_creates_a_tenant(run_json: RunJson) -> None:
    answer = run_json(
        "create_tenant",
        "contoso",
        "--name=Contoso",
        "--support-contact=help@contoso.example",
        "--privacy-url=https://contoso.example/privacy",
        "--terms-url=https://contoso.example/terms",
        "--enable-sign-up",
    )
    tenant = Tenant.objects.get()
    assert answer == {"id": str(tenant.pk), "slug": "contoso", "name": "Contoso"}
    assert (tenant.sign_up_enabled, tenant.support_contact) == (True, "help@contoso.example")
    assert tenant.privacy_url.endswith("/privacy")
    assert tenant.terms_url.endswith("/terms")
    assert tenant.user_attributes.count() == 10


def test_tells_people_of_a_tenant_and_leaves_sign_up_off(run: Run) -> None:
    said = run("create_tenant", "contoso", "--name=Contoso")
    tenant = Tenant.objects.get()
    assert said == f"id: {tenant.pk}\nslug: contoso\nname: Contoso\n"
    assert not tenant.sign_up_enabled


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["Contoso", "--name=Contoso"], "slug: Use 2 to 40 lower-case letters"),
        (["admin", "--name=Contoso"], "slug: “admin” is used by the portal itself"),
        (["contoso", "--name="], "name: This field cannot be blank"),
        (["contoso", "--name=Contoso", "--privacy-url=nowhere"], "privacy url: Enter a valid URL"),
        (["contoso", "--name=Contoso", "--support-contact=nobody"], "support contact: Enter an email address"),
        (["contoso"], "--name"),
        (["woodgrove", "--name=Again"], "slug: Tenant with this"),
    ],
)
def test_creates_no_tenant_that_is_not_right(run: Run, tenant: Tenant, arguments: list[str], words: str) -> None:
    with pytest.raises(CommandError, match=words):
        run("create_tenant", *arguments)
    assert Tenant.objects.get() == tenant


def create_application(*more: str, kind: str = "web") -> list[str]:
    return ["create_application", "woodgrove", "--name=Portal", f"--kind={kind}", *more]


def test_creates_an_application_and_shows_its_secret_once(run_json: RunJson, tenant: Tenant) -> None:
    answer = run_json(
        *create_application("--redirect-uri=https://a.example/cb", "--redirect-uri=https://b.example/cb"),
        "--post-logout-redirect-uri=https://a.example/out",
        "--algorithm=ES256",
    )
    application = Application.objects.get()
    secret = answer.pop("client_secret")
    assert answer == {
        "client_id": application.client_id,
        "kind": "web",
        "redirect_uris": ["https://a.example/cb", "https://b.example/cb"],
        "post_logout_redirect_uris": ["https://a.example/out"],
    }
    assert application.secrets.get().matches(secret)
    assert (application.tenant, application.name, application.algorithm) == (tenant, "Portal", "ES256")
    assert application.redirect_uri_allowed("https://b.example/cb")
    assert application.post_logout_redirect_uri_allowed("https://a.example/out")


@pytest.mark.parametrize("kind", ["spa", "native"])
def test_creates_an_application_without_a_secret(run: Run, run_json: RunJson, tenant: Tenant, kind: str) -> None:
    arguments = create_application("--redirect-uri=http://localhost:3000/cb", kind=kind)
    assert run_json(*arguments)["client_secret"] is None
    said = run(*arguments)
    assert "client secret" not in said
    assert "redirect uris: http://localhost:3000/cb\n" in said
    assert not ClientSecret.objects.exists()


def test_tells_people_the_secret(run: Run, tenant: Tenant) -> None:
    said = run(*create_application(kind="daemon"))
    lines = dict(line.split(": ", 1) for line in said.splitlines())
    assert set(lines) == {"client id", "client secret", "kind"}
    assert ClientSecret.objects.get().matches(lines["client secret"])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            create_application("--redirect-uri=http://a.example/cb"),
            "redirect uris: http://a.example/cb must begin with",
        ),
        (create_application("--redirect-uri=https://a.example/*"), "redirect uris: .* wildcard"),
        (create_application("--post-logout-redirect-uri=nowhere"), "post logout redirect uris: nowhere must begin"),
        (create_application(kind="desktop"), "invalid choice: 'desktop'"),
        (create_application("--algorithm=none"), "invalid choice: 'none'"),
        (["create_application", "contoso", "--name=Portal", "--kind=web"], "There is no tenant contoso"),
        (["create_application", "woodgrove", "--name=", "--kind=web"], "name: This field cannot be blank"),
    ],
)
def test_creates_no_application_that_is_not_right(run: Run, tenant: Tenant, arguments: list[str], words: str) -> None:
    with pytest.raises(CommandError, match=words):
        run(*arguments)
    assert (Application.objects.count(), ClientSecret.objects.count()) == (0, 0)
    assert AuditEvent.objects.count() == 1


def follow(link: str) -> str:
    """Open a one-time link, and return the heading of the page that it leads to."""
    browser = Client()
    page = browser.get(link.removeprefix(settings.BASE_URL), follow=True)
    found = re.search(r"<h1>(.*?)</h1>", page.content.decode())
    assert found
    return found[1]


def test_creates_a_tenant_with_its_first_administrator(run_json: RunJson) -> None:
    answer = run_json("create_tenant", "contoso", "--name=Contoso", "--admin=ada@contoso.example", "--admin-name=Ada")
    admin = User.objects.get()
    assert (answer["admin"], admin.display_name, admin.tenant) == ("ada@contoso.example", "Ada", Tenant.objects.get())
    assert [assignment.role for assignment in admin.role_assignments.all()] == ["global_administrator"]
    assert answer["one_time_link"].startswith("http://testserver/contoso/admin/set-password/")
    assert follow(answer["one_time_link"]) == "Choose your password"


def test_answers_with_a_link_for_whoever_was_given_no_password(run_json: RunJson, tenant: Tenant) -> None:
    member = run_json("create_member", "woodgrove", "--mail=ada@woodgrove.example", "--role=global_reader")
    operator = run_json("create_operator", "--mail=olu@portal.example")
    assert operator["one_time_link"].startswith("http://testserver/admin/set-password/")
    for answer in (member, operator):
        assert not User.objects.get(pk=answer["id"]).has_usable_password()
        assert follow(answer["one_time_link"]) == "Choose your password"
    # Without a role there is nothing to sign in to.
    assert "one_time_link" not in run_json("create_member", "woodgrove", "--mail=noor@woodgrove.example")


def test_makes_a_new_link_and_the_first_one_is_dead(run_json: RunJson, tenant: Tenant) -> None:
    first = run_json("create_member", "woodgrove", "--mail=ada@woodgrove.example", "--role=global_reader")
    second = run_json("one_time_link", "Ada@woodgrove.example", "--tenant=woodgrove")
    assert follow(second["one_time_link"]) == "Choose your password"
    assert follow(first["one_time_link"]) == "This link works no more"
    for arguments in (["ada@woodgrove.example"], ["noor@woodgrove.example", "--tenant=woodgrove"]):
        with pytest.raises(CommandError, match="who may sign in"):
            run_json("one_time_link", *arguments)


def test_resets_the_second_factor_of_an_operator(run_json: RunJson, mailoutbox: list[EmailMessage]) -> None:
    run_json("create_operator", "--mail=olu@portal.example")
    operator = User.objects.get()
    new_recovery_codes(operator)
    assert run_json("reset_second_factor", "olu@portal.example") == {
        "mail": "olu@portal.example",
        "second_factor": "none",
    }
    assert unused_recovery_codes(operator) == []
    assert AuditEvent.objects.get(activity="second_factor.reset").tenant is None
    assert mailoutbox[-1].to == ["olu@portal.example"]
    with pytest.raises(CommandError, match="There is no platform operator"):
        run_json("reset_second_factor", "nobody@portal.example")


@pytest.mark.usefixtures("_password")
def test_creates_a_member_with_roles(run_json: RunJson, tenant: Tenant) -> None:
    answer = run_json(
        "create_member",
        "WoodGrove",
        "--mail=ada@woodgrove.example",
        "--display-name=Ada Admin",
        "--role=global_administrator",
        "--role=global_reader",
    )
    member = User.objects.get()
    roles = ["global_administrator", "global_reader"]
    assert answer == {"id": str(member.pk), "mail": "ada@woodgrove.example", "roles": roles}
    assert (member.tenant, member.user_type, member.display_name) == (tenant, UserType.MEMBER, "Ada Admin")
    assert member.check_password(PASSWORD)
    assert sorted(member.role_assignments.values_list("role", flat=True)) == roles


@pytest.mark.usefixtures("_password")
def test_tells_people_of_a_member_but_not_the_password(run: Run, tenant: Tenant) -> None:
    said = run("create_member", "woodgrove", "--mail=ada@woodgrove.example", "--role=global_reader")
    assert said.splitlines()[1:] == ["mail: ada@woodgrove.example", "roles: global_reader"]
    assert PASSWORD not in said


@pytest.mark.usefixtures("_password")
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["woodgrove", "--mail=nobody"], "mail: Enter a valid email address"),
        (["woodgrove", "--mail=a@b.example", "--role=king"], "invalid choice: 'king'"),
        (["woodgrove", "--mail=a@b.example", "--role=global_reader", "--role=global_reader"], "this role already"),
        (["contoso", "--mail=a@b.example"], "There is no tenant contoso"),
        (["woodgrove"], "--mail"),
    ],
)
def test_creates_no_member_that_is_not_right(run: Run, tenant: Tenant, arguments: list[str], words: str) -> None:
    with pytest.raises(CommandError, match=words):
        run("create_member", *arguments)
    assert not User.objects.exists()


@pytest.mark.parametrize("arguments", [["create_member", "woodgrove"], ["create_operator"]])
def test_refuses_a_password_that_is_guessed(
    run: Run, tenant: Tenant, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    monkeypatch.setenv("MEMBER_PASSWORD", "password")
    with pytest.raises(CommandError, match="too short") as refused:
        run(*arguments, "--mail=ada@woodgrove.example")
    assert "__all__" not in str(refused.value)
    assert not User.objects.exists()


@pytest.mark.usefixtures("_password")
def test_creates_an_operator(run: Run, run_json: RunJson) -> None:
    answer = run_json("create_operator", "--mail=olu@portal.example", "--display-name=Olu")
    operator = User.objects.get()
    assert answer == {"id": str(operator.pk), "mail": "olu@portal.example"}
    assert (operator.is_operator, operator.tenant, operator.display_name) == (True, None, "Olu")
    with pytest.raises(CommandError, match="There is an operator with this email address"):
        run("create_operator", "--mail=OLU@portal.example")
    said = run("create_operator", "--mail=ono@portal.example")
    assert said.endswith("mail: ono@portal.example\n")
