"""What the tests make things with."""

import os
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from shutil import which
from typing import Any

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.core.cache import cache
from django.db import connection

from directory.applications import create_application
from directory.members import create_member
from directory.models import Application, ApplicationKind, DataType, IdentityProvider, Tenant, User, UserAttribute
from directory.roles import Role
from directory.tenants import create_tenant
from tests.relying_party import RelyingParty
from tests.stranger import Stranger
from userflows.flows import offer_all_ways
from userflows.models import (
    ApplicationAssignment,
    AttributeAssignment,
    IdentityProviderAssignment,
    InputType,
    UserFlow,
)
from userflows.publishing import publish

# The browser tests need packages and a Chromium that `make test` does without.
if find_spec("playwright") is None and os.environ.get("REQUIRE") != "browser":
    collect_ignore = ["browser"]

# Argon2 as the portal uses it, but cheap: its cost is there for thieves, and the suite hashes hundreds of passwords.
Argon2PasswordHasher.time_cost, Argon2PasswordHasher.memory_cost, Argon2PasswordHasher.parallelism = 1, 1024, 1

REDIRECT_URI = "https://app.example.com/signin-oidc"
PASSWORD = "correct horse battery staple"


def pytest_runtest_setup(item: pytest.Item) -> None:
    """What a run requires may not be skipped in it: REQUIRE=postgresql, REQUIRE=browser, REQUIRE=saml."""
    required = os.environ.get("REQUIRE", "").split(",")
    if item.get_closest_marker("postgresql") and item.get_closest_marker("any_database"):
        pytest.fail("The run on PostgreSQL leaves this test out: take any_database away.")
    if item.get_closest_marker("postgresql") and connection.vendor != "postgresql":
        if "postgresql" in required:
            pytest.fail("PostgreSQL is required in this run: set DATABASE_URL.")
        pytest.skip("Needs PostgreSQL: make test-postgresql.")
    if item.get_closest_marker("saml") and which("xmlsec1") is None:
        if "saml" in required:
            pytest.fail("The program xmlsec1 is required in this run.")
        pytest.skip("Needs the program xmlsec1. On Debian, apt-get install xmlsec1.")


@pytest.fixture(autouse=True)
def _fresh_cache() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def make_tenant(db: None) -> Callable[..., Tenant]:
    def make(slug: str = "woodgrove", **values: Any) -> Tenant:
        return create_tenant(Tenant(slug=slug, **{"name": slug.title(), "sign_up_enabled": True, **values}))

    return make


@pytest.fixture
def tenant(make_tenant: Callable[..., Tenant]) -> Tenant:
    return make_tenant()


@pytest.fixture
def make_user_flow() -> Callable[..., UserFlow]:
    def make(
        tenant: Tenant, name: str = "Suppliers", questions: tuple[str, ...] = ("GivenName", "Surname")
    ) -> UserFlow:
        flow = UserFlow(tenant=tenant, name=name)
        flow.full_clean()
        flow.save()
        for order, attribute_name in enumerate(questions):
            attribute = UserAttribute.objects.get(tenant=tenant, name=attribute_name)
            AttributeAssignment.objects.create(user_flow=flow, user_attribute=attribute, order=order)
        offer_all_ways(flow)
        publish(flow)
        flow.refresh_from_db()
        return flow

    return make


@pytest.fixture
def user_flow(tenant: Tenant, make_user_flow: Callable[..., UserFlow]) -> UserFlow:
    return make_user_flow(tenant)


@pytest.fixture
def make_provider() -> Callable[..., IdentityProvider]:
    """A provider of any kind, offered last in all published flows of the tenant. `settings` are those of its kind."""

    def make(tenant: Tenant, kind: str, **values: Any) -> IdentityProvider:
        defaults = {"name": f"{kind} of Fabrikam", "client_id": "the-portal", "secret": "the-client-secret"}
        provider = IdentityProvider.objects.create(tenant=tenant, kind=kind, **{**defaults, **values})
        for flow in UserFlow.objects.filter(tenant=tenant):
            IdentityProviderAssignment.objects.create(user_flow=flow, identity_provider=provider, order=99)
            publish(flow)
        return provider

    return make


@pytest.fixture
def make_relying_party() -> Callable[..., RelyingParty]:
    """An application that uses `user_flow` (None: no flow), and the secret it was given."""

    def make(tenant: Tenant, user_flow: UserFlow | None, *, authority: str = "", **values: Any) -> RelyingParty:
        defaults = {
            "name": "Supplier Portal",
            "kind": ApplicationKind.WEB,
            "redirect_uris": REDIRECT_URI,
            "post_logout_redirect_uris": "https://app.example.com/signed-out",
            "algorithm": Application.Algorithm.ES256,
        }
        application = Application(tenant=tenant, **{**defaults, **values})
        secret = create_application(application)
        if user_flow:
            ApplicationAssignment.objects.create(user_flow=user_flow, application=application)
        return RelyingParty(application, secret, authority or f"/{tenant.slug}")

    return make


@pytest.fixture
def relying_party(tenant: Tenant, user_flow: UserFlow, make_relying_party: Callable[..., RelyingParty]) -> RelyingParty:
    return make_relying_party(tenant, user_flow)


@pytest.fixture
def stranger() -> Stranger:
    return Stranger()


@pytest.fixture
def make_member() -> Callable[..., User]:
    def make(tenant: Tenant, mail: str = "admin@woodgrove.example", roles: tuple[Role, ...] = ()) -> User:
        return create_member(User(tenant=tenant, mail=mail, display_name="Ada Admin"), password=PASSWORD, roles=roles)

    return make


@pytest.fixture
def make_attribute() -> Callable[..., UserAttribute]:
    def make(tenant: Tenant, name: str, data_type: DataType = DataType.STRING, **values: Any) -> UserAttribute:
        attribute = UserAttribute(tenant=tenant, name=name, display_name=name, data_type=data_type, **values)
        attribute.full_clean()
        attribute.save()
        return attribute

    return make


@pytest.fixture
def ask() -> Callable[..., AttributeAssignment]:
    """Put a question into a flow."""

    def make(flow: UserFlow, attribute: UserAttribute, input_type: InputType, **values: Any) -> AttributeAssignment:
        assignment = AttributeAssignment(
            user_flow=flow, user_attribute=attribute, input_type=input_type, order=99, **values
        )
        assignment.full_clean()
        assignment.save()
        publish(flow)
        return assignment

    return make
