from collections.abc import Callable

import pytest

from directory.models import ApplicationKind, Tenant
from tests.relying_party import RelyingParty
from userflows.models import UserFlow


@pytest.fixture
def daemon(tenant: Tenant, make_relying_party: Callable[..., RelyingParty]) -> RelyingParty:
    return make_relying_party(tenant, None, kind=ApplicationKind.DAEMON, name="Night job", redirect_uris="")


@pytest.fixture
def spa(tenant: Tenant, user_flow: UserFlow, make_relying_party: Callable[..., RelyingParty]) -> RelyingParty:
    return make_relying_party(
        tenant, user_flow, kind=ApplicationKind.SPA, name="Catalogue", redirect_uris="https://shop.example.com/"
    )


@pytest.fixture
def native(tenant: Tenant, user_flow: UserFlow, make_relying_party: Callable[..., RelyingParty]) -> RelyingParty:
    return make_relying_party(
        tenant,
        user_flow,
        kind=ApplicationKind.NATIVE,
        name="Scanner",
        redirect_uris="http://127.0.0.1/signed-in com.example.scanner:/signed-in http://localhost:8000/signed-in",
    )
