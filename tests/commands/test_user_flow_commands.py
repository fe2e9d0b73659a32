"""create_user_flow, assign_application."""

from collections.abc import Callable

import pytest
from django.core.management import CommandError

from directory.applications import create_application
from directory.models import Application, ApplicationKind, AuditEvent, DataType, Tenant, UserAttribute
from tests.commands.conftest import Run, RunJson
from userflows.models import ApplicationAssignment, AttributeAssignment, UserFlow

MakeTenant = Callable[..., Tenant]


@pytest.fixture
def application(tenant: Tenant) -> Application:
    app = Application(tenant=tenant, name="Portal", kind=ApplicationKind.SPA, redirect_uris="https://a.example/cb")
    create_application(app)
    return app


def test_creates_a_flow_that_asks_in_order(run_json: RunJson, tenant: Tenant) -> None:
    answer = run_json("create_user_flow", "woodgrove", "Suppliers", "--attribute=Surname", "--attribute=GivenName")
    flow = UserFlow.objects.get()
    assert answer == {"id": str(flow.pk), "name": "B2X_1_Suppliers", "attributes": ["Surname", "GivenName"]}
    assert [question.user_attribute.name for question in flow.attribute_assignments.all()] == ["Surname", "GivenName"]
    assert AuditEvent.objects.get(activity="user_flow.created").target_id == str(flow.pk)


def test_tells_people_of_a_flow(run: Run, tenant: Tenant) -> None:
    said = run("create_user_flow", "woodgrove", "B2X_1_Suppliers", "--attribute=City", "--attribute=Country")
    assert said == f"id: {UserFlow.objects.get().pk}\nname: B2X_1_Suppliers\nattributes: City, Country\n"


def test_asks_in_the_way_that_fits_the_data_type(
    run: Run, tenant: Tenant, make_attribute: Callable[..., UserAttribute]
) -> None:
    make_attribute(tenant, "Staff", DataType.INT)
    make_attribute(tenant, "Terms", DataType.BOOLEAN)
    run("create_user_flow", "woodgrove", "Suppliers", "--attribute=extension_Staff", "--attribute=extension_Terms")
    inputs = list(AttributeAssignment.objects.values_list("input_type", flat=True))
    assert inputs == ["numericTextBox", "checkboxSingleSelect"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["woodgrove", "Sup-pliers"], "name: Use letters, digits and underscores"),
        (["woodgrove", "Partners"], "This tenant has a user flow with this name"),
        (["woodgrove", "B2X_1_PARTNERS"], "This tenant has a user flow with this name"),
        (["woodgrove", "Suppliers", "--attribute=ShoeSize"], "This tenant has no attribute ShoeSize"),
        (["woodgrove", "Suppliers", "--attribute=City", "--attribute=City"], "asks for this attribute already"),
        (["woodgrove", "Suppliers", "--attribute=City", "--attribute=Email"], "user attribute: The email address is"),
        (["contoso", "Suppliers"], "There is no tenant contoso"),
    ],
)
def test_creates_no_flow_that_is_not_right(run: Run, tenant: Tenant, arguments: list[str], words: str) -> None:
    run("create_user_flow", "woodgrove", "Partners")
    with pytest.raises(CommandError, match=words):
        run("create_user_flow", *arguments)
    assert UserFlow.objects.get().name == "B2X_1_Partners"
    assert not AttributeAssignment.objects.exists()


def test_assigns_an_application(run: Run, run_json: RunJson, tenant: Tenant, application: Application) -> None:
    run("create_user_flow", "woodgrove", "Suppliers")
    answer = run_json(
        "assign_application", "woodgrove", "--user-flow=b2x_1_suppliers", f"--client-id={application.client_id}"
    )
    assert answer == {"user_flow": "B2X_1_Suppliers", "client_id": application.client_id}
    assert ApplicationAssignment.objects.get().application == application
    assert AuditEvent.objects.get(activity="application.assigned").details == {"user_flow": "B2X_1_Suppliers"}


def test_tells_people_of_an_assignment(run: Run, tenant: Tenant, application: Application) -> None:
    run("create_user_flow", "woodgrove", "Suppliers")
    client = f"--client-id={application.client_id}"
    said = run("assign_application", "woodgrove", "--user-flow=B2X_1_Suppliers", client)
    assert said == f"user flow: B2X_1_Suppliers\nclient id: {application.client_id}\n"


def test_assigns_an_application_to_one_flow_only(run: Run, tenant: Tenant, application: Application) -> None:
    client = f"--client-id={application.client_id}"
    for name in ("Suppliers", "Partners"):
        run("create_user_flow", "woodgrove", name)
    run("assign_application", "woodgrove", "--user-flow=B2X_1_Suppliers", client)
    for name in ("Suppliers", "Partners"):
        with pytest.raises(CommandError, match="An application has at most one"):
            run("assign_application", "woodgrove", f"--user-flow=B2X_1_{name}", client)
    assert ApplicationAssignment.objects.get().user_flow.name == "B2X_1_Suppliers"


def test_assigns_no_first_party_application(run: Run, tenant: Tenant, application: Application) -> None:
    run("create_user_flow", "woodgrove", "Suppliers")
    Application.objects.update(is_first_party=True)
    with pytest.raises(CommandError, match="application: A user flow can't be used with a first-party application"):
        run("assign_application", "woodgrove", "--user-flow=B2X_1_Suppliers", f"--client-id={application.client_id}")
    assert not ApplicationAssignment.objects.exists()


def test_finds_nothing_of_another_tenant(
    run: Run, tenant: Tenant, make_tenant: MakeTenant, application: Application
) -> None:
    make_tenant("contoso")
    run("create_user_flow", "woodgrove", "Suppliers")
    run("create_user_flow", "contoso", "Partners")
    client = f"--client-id={application.client_id}"
    for arguments in (
        ["contoso", "--user-flow=B2X_1_Suppliers", client],
        ["contoso", "--user-flow=B2X_1_Partners", client],
        ["woodgrove", "--user-flow=B2X_1_Partners", client],
        ["woodgrove", "--user-flow=B2X_1_Suppliers", "--client-id=unknown"],
    ):
        with pytest.raises(CommandError, match="There is no such user flow or application in"):
            run("assign_application", *arguments)
    assert not ApplicationAssignment.objects.exists()
