"""A large tenant, made in minutes: one row of each kind by the product's own code, copied a million times by SQL."""

import uuid
from dataclasses import dataclass
from typing import Any

from django.db import connection, models

from directory import audit
from directory.applications import create_application
from directory.members import assign_role
from directory.models import (
    Application,
    AppRoleAssignment,
    AuditEvent,
    Identity,
    SignInType,
    Tenant,
    User,
    UserAttribute,
)
from directory.models.identity import MAIL_ISSUER
from directory.roles import Role
from directory.tenants import create_tenant
from userflows.flows import NewQuestion, create_user_flow
from userflows.models import (
    ApplicationAssignment,
    AttributeAssignment,
    Outcome,
    Reached,
    SignIn,
    SignUp,
    UserFlow,
    UserFlowVersion,
)
from userflows.publishing import publish

GIVEN = (
    "Amina Boris Chidi Dunja Emre Farah Goran Hanna Ivo Jana Karim Lena Maria Nadia Oleg Paula Quinn Rosa Samir Tove"
)
FAMILY = (
    "Abel Bauer Costa Dumont Eriksen Fischer Garcia Haddad Ivanov Jansen Kowalski Lindqvist Moreau Novak Okafor "
    "Petrov Quist Rossi Schmidt Tanaka Ueda Vogel Weber Xu Yilmaz Zimmer Almeida Brandt Conti Demir"
)
COMPANIES = 5000
TRIGRAM_INDEXES = ("user_search", "audit_search", "sign_in_search")


@dataclass(frozen=True)
class Size:
    guests: int
    flows: int
    events: int
    sign_ins: int


# SQL for the values of a copy; `g` is its number, {count} how many there are. The dice fall independently of each
# other, and the same in every run.
DICE = "(hashint8(g + {salt}) & 65535)"
ID = "md5('{kind}' || {tenant} || {number})::uuid"
# A few flows have most of the people.
FLOW_NUMBER = f"(1 + floor(power({DICE.format(salt=1)} / 65536.0, 3) * {{flows}})::int)"
ACTIVITIES = (
    "'user.signed_up', 'email_code.sent', 'email_code.verified', 'user.signed_in', 'user.updated', "
    "'application.updated', 'user_flow.published', 'sign_up.refused'"
)
KINDS = "'user', 'application', 'application', 'application', 'user', 'application', 'userflow', ''"
NAMES = {
    "given": f"(string_to_array('{GIVEN}', ' '))[1 + {DICE.format(salt=2)} % 20]",
    "family": f"(string_to_array('{FAMILY}', ' '))[1 + {DICE.format(salt=3)} % 30]",
    "activity": f"(ARRAY[{ACTIVITIES}])[1 + {DICE.format(salt=4)} % 8]",
    "kind": f"(ARRAY[{KINDS}])[1 + {DICE.format(salt=4)} % 8]",
    "company": f"'@company' || {DICE.format(salt=5)} % {COMPANIES} || '.example'",
    "luck": DICE.format(salt=6),
    "at": "now() - g * interval '300 days' / {count}",
}
NAMES["name"] = f"{NAMES['given']} || ' ' || {NAMES['family']}"
NAMES["mail"] = f"lower({NAMES['given']} || '.' || {NAMES['family']} || g || {NAMES['company']})"
NAMES["person"] = f"{NAMES['mail']} || E'\\n' || lower({NAMES['name']})"
RECIPES: tuple[tuple[type[models.Model], str, dict[str, str]], ...] = (
    (UserFlow, "flows", {"id": "{flow_id}", "name": "'B2X_1_Flow' || g", "live_version_id": "{version_id}"}),
    (UserFlowVersion, "flows", {"id": "{version_id}", "user_flow_id": "{flow_id}"}),
    (Application, "flows", {"id": "{base} + g", "name": "'Application ' || g", "client_id": "gen_random_uuid()"}),
    (
        ApplicationAssignment,
        "flows",
        {"id": "{base} + g", "user_flow_id": "{flow_id}", "application_id": "{base} + g"},
    ),
    (AttributeAssignment, "flows", {"id": "{base} + g", "user_flow_id": "{flow_id}"}),
    (
        User,
        "guests",
        {
            "id": "{user_id}",
            "mail": "{mail}",
            "display_name": "{name}",
            "given_name": "{given}",
            "surname": "{family}",
            "search_text": "{person}",
            "created_at": "{at}",
            "account_enabled": "{luck} % 1000 <> 0",
            "deleted_at": "CASE WHEN {luck} % 2000 = 1 THEN now() END",
            "is_test": "{luck} % 10000 = 2",
        },
    ),
    (Identity, "guests", {"id": "gen_random_uuid()", "user_id": "{user_id}", "issuer_assigned_id": "{mail}"}),
    (
        AppRoleAssignment,
        "guests",
        {"id": "{base} + g", "user_id": "{user_id}", "application_id": "{base} + {flow_number}"},
    ),
    (
        SignUp,
        "guests",
        {
            "user_id": "{user_id}",
            "user_flow_id": "{some_flow_id}",
            "user_flow_name": "'B2X_1_Flow' || {flow_number}",
            "application_id": "{base} + {flow_number}",
            "application_name": "'Application ' || {flow_number}",
            "journey_id": "{sign_in_id}",
            "correlation_id": "{try_id}",
            "created_at": "{at}",
        },
    ),
    (
        SignIn,
        "sign_ins",
        {
            "id": "{sign_in_id}",
            "user_id": "{user_id}",
            "mail": "{mail}",
            "user_flow_id": "{some_flow_id}",
            "application_id": "{base} + {flow_number}",
            "correlation_id": "{try_id}",
            "started_at": "{at}",
            "is_test": "{luck} % 5000 = 3",
            "outcome": "CASE WHEN {luck} % 1000 = 999 THEN 'cancelled' WHEN {luck} % 10 < 6 THEN 'signedUp' "
            "WHEN {luck} % 10 < 9 THEN 'inProgress' ELSE 'refused' END",
            "reason": "CASE WHEN {luck} % 10 = 9 AND {luck} % 1000 <> 999 THEN 'user_flow_sign_up_off' ELSE '' END",
            "search_text": "{person} || E'\\nb2x_1_flow' || {flow_number} || E'\\napplication ' || {flow_number}",
        },
    ),
    (
        AuditEvent,
        "events",
        {
            "id": "gen_random_uuid()",
            "at": "{at}",
            "activity": "{activity}",
            "target_type": "{kind}",
            "target_id": "{user_id}",
            "target_name": "{name}",
            "actor_id": "{user_id}",
            "actor_name": "{name}",
            "actor_type": "CASE WHEN {luck} % 1000 = 4 THEN 'application' WHEN {luck} % 8 IN (1, 2, 7) THEN '' "
            "ELSE 'user' END",
            "result": "CASE WHEN {luck} % 200 = 7 THEN 'failure' ELSE 'success' END",
            "correlation_id": "{try_id}",
            "search_text": "{activity} || E'\\n' || {person}",
        },
    ),
)
BIG = Size(guests=1_000_000, flows=10_000, events=100_000, sign_ins=1_000_000)


def make_tenant(slug: str) -> tuple[Tenant, User]:
    """Return a tenant with an administrator and one of each thing that `copy_rows` copies."""
    tenant = create_tenant(Tenant(slug=slug, name=slug.title(), sign_up_enabled=True))
    admin = User(tenant=tenant, user_type="Member", mail=f"admin@{slug}.example", display_name="Ada Admin")
    admin.set_unusable_password()
    admin.save()
    assign_role(admin, role=Role.GLOBAL_ADMINISTRATOR)
    UserAttribute.objects.create(tenant=tenant, name="extension_hobby", display_name="Hobby")
    flow = create_user_flow(
        UserFlow(tenant=tenant, name="B2X_1_Suppliers"),
        questions=[NewQuestion("GivenName"), NewQuestion("Surname"), NewQuestion("extension_hobby")],
    )
    publish(flow)
    flow.refresh_from_db()
    application = Application(
        tenant=tenant, name="Supplier portal", kind="web", redirect_uris="https://app.example.com/signin-oidc"
    )
    create_application(application)
    ApplicationAssignment.objects.create(user_flow=flow, application=application)
    _guest(tenant, flow, application)
    return tenant, admin


def _guest(tenant: Tenant, flow: UserFlow, application: Application) -> None:
    guest = User(tenant=tenant, mail="first@guest.example", display_name="First Guest", given_name="First")
    guest.creation_type = "SelfServiceSignUp"
    guest.set_unusable_password()
    guest.save()
    Identity.objects.create(
        tenant=tenant,
        user=guest,
        sign_in_type=SignInType.EMAIL_ADDRESS,
        issuer=MAIL_ISSUER,
        issuer_assigned_id=guest.mail,
    )
    AppRoleAssignment.objects.create(user=guest, application=application)
    where: dict[str, Any] = {"tenant": tenant, "user_flow": flow, "flow_version": flow.live_version}
    where |= {"application": application, "identity_provider": MAIL_ISSUER, "correlation_id": uuid.uuid4()}
    entry = SignIn.objects.create(id=uuid.uuid4(), user=guest, mail=guest.mail, steps=_steps(), **where)
    SignIn.objects.filter(pk=entry.pk).update(outcome=Outcome.SIGNED_UP, reached=Reached.COMPLETED)
    SignUp.objects.create(user=guest, journey_id=entry.pk, version_number=1, **where)
    audit.record("user.signed_up", tenant=tenant, actor=guest, target=guest, details={"user_flow": flow.name})


def _steps() -> list[dict[str, str]]:
    names = ("started", "choose", "email_code", "attributes", "signedUp")
    return [{"at": "2026-01-01T12:00:00+00:00", "step": name, "outcome": "done"} for name in names]


def copy_rows(tenant: Tenant, size: Size) -> None:
    """Copy the tenant's rows until it is of this size. Their names and times differ, as people's do."""
    with connection.cursor() as cursor:
        # Foreign keys are right by the way the rows are made: checking each takes most of the time.
        cursor.execute("SET session_replication_role = replica")
        definitions = _drop_trigram_indexes(cursor)
        for model, of, values in RECIPES:
            _copy(cursor, tenant, model, count=getattr(size, of), values=values, flows=size.flows)
        for definition in definitions:
            cursor.execute(definition)
        cursor.execute("SET session_replication_role = DEFAULT")
        cursor.execute("VACUUM ANALYZE")


def _drop_trigram_indexes(cursor: Any) -> list[str]:
    """Return how to make them again: that is ten times faster after the rows than with them."""
    cursor.execute("SELECT indexname, indexdef FROM pg_indexes WHERE indexname = ANY(%s)", [list(TRIGRAM_INDEXES)])
    found = cursor.fetchall()
    for name, _definition in found:
        cursor.execute(f'DROP INDEX "{name}"')
    return [definition for _name, definition in found]


def _copy(
    cursor: Any, tenant: Tenant, model: type[models.Model], *, count: int, values: dict[str, str], flows: int
) -> None:
    """Insert `count` copies of the tenant's one row, with these values."""
    row = _original(model, tenant)
    # Ids that are numbers must be other ones for each tenant.
    base = 10_000_000 * Tenant.objects.filter(created_at__lte=tenant.created_at).count()
    words = {**NAMES, "flow_number": FLOW_NUMBER.format(flows=flows), "count": str(count), "base": str(base)}
    for kind, number in (("user", "g"), ("flow", "g"), ("version", "g"), ("sign_in", "g"), ("try", "g")):
        words[f"{kind}_id"] = ID.format(kind=kind, tenant=f"'{tenant.pk}'", number=number)
    words["some_flow_id"] = ID.format(kind="flow", tenant=f"'{tenant.pk}'", number=words["flow_number"])
    pairs = ", ".join(f"'{name}', {value.format(**words).format(**words)}" for name, value in values.items())
    table, key = model._meta.db_table, model._meta.pk.column
    cursor.execute(
        # Nothing here comes from outside this file.
        f"INSERT INTO {table} SELECT copy.* FROM {table} AS original, generate_series(1, {count}) AS g, "  # noqa: S608
        f"LATERAL jsonb_populate_record(original, jsonb_build_object({pairs})) AS copy "
        f"WHERE original.{key} = '{row.pk}'"
    )


def _original(model: type[models.Model], tenant: Tenant) -> models.Model:
    paths = {
        AppRoleAssignment: "user__tenant",
        ApplicationAssignment: "user_flow__tenant",
        AttributeAssignment: "user_flow__tenant",
        UserFlowVersion: "user_flow__tenant",
    }
    rows = model._default_manager.filter(**{paths.get(model, "tenant"): tenant})
    return (rows.filter(user_type="Guest") if model is User else rows)[:1].get()
