"""Vendors, as a real server in their place; two providers and somebody who signs in by code."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from directory.models import IdentityProvider, Tenant, User
from tests.upstream.server import UpstreamServer
from tests.userflows.joining import give_identity, make_guest
from userflows.models import UserFlow

MakeProvider = Callable[..., IdentityProvider]


@pytest.fixture(scope="module")
def started_vendors() -> Iterator[UpstreamServer]:
    server = UpstreamServer().start()
    yield server
    server.stop()


@pytest.fixture
def vendors(started_vendors: UpstreamServer, settings: Any) -> UpstreamServer:
    """A server in the place of all vendors, as they are by their documentation."""
    started_vendors.reset()
    settings.PROVIDER_ENDPOINTS = started_vendors.endpoints
    return started_vendors


@pytest.fixture
def google(tenant: Tenant, user_flow: UserFlow, make_provider: MakeProvider) -> IdentityProvider:
    return make_provider(tenant, "Google", name="Google")


@pytest.fixture
def github(tenant: Tenant, user_flow: UserFlow, make_provider: MakeProvider) -> IdentityProvider:
    return make_provider(tenant, "GitHub", name="GitHub")


@pytest.fixture
def owner(tenant: Tenant) -> User:
    """Signs in with the e-mail code."""
    guest = make_guest(tenant)
    give_identity(guest)
    return guest


@pytest.fixture
def code(tenant: Tenant) -> str:
    """The way by code: what its button sends."""
    return str(IdentityProvider.objects.get(tenant=tenant, kind="EmailOTP").pk)
