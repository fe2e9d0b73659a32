"""Health of identity providers: what people meet must work, and is told before it ends."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from directory.health import Severity
from directory.identity_provider_health import is_usable, problems_of
from directory.identity_providers import TEST_PASSED
from directory.models import IdentityProvider, Tenant
from identity_portal.health_checks import tenant_findings
from tests.certificates import make_rsa_certificate
from userflows.definition import definition_of
from userflows.health import examine_flow
from userflows.models import UserFlow
from userflows.publishing import PublishRefused, publish

TESTED = {"tested_at": timezone.now(), "test_outcome": TEST_PASSED}


def ids(findings: list[Any]) -> list[str]:
    return [finding.id for finding in findings]


@pytest.mark.parametrize(
    ("kind", "values", "found"),
    [
        ("Google", {}, []),
        ("Google", {"secret": ""}, ["directory.E001"]),
        ("Google", {"client_id": ""}, ["directory.E001"]),
        ("OpenIdConnect", {}, ["directory.E001"]),
        ("Saml", {"settings": {"entity_id": "urn:x:y", "sso_url": "https://x.example"}}, ["directory.E001"]),
        ("EmailOTP", {}, []),
        ("Passkey", {}, []),
        ("Google", {"secret_expires_on": 31}, []),
        ("Google", {"secret_expires_on": 30}, ["directory.W005"]),
        ("Google", {"secret_expires_on": 8}, ["directory.W005"]),
        ("Google", {"secret_expires_on": 7}, ["directory.W006"]),
        ("Google", {"secret_expires_on": 0}, ["directory.E002"]),
        ("Google", {"test_outcome": "provider_down"}, ["directory.W009"]),
        ("Google", {"tested_at": None}, ["directory.W008"]),
        ("Toaster", {}, ["directory.E007"]),
    ],
)
def test_finds_what_is_wrong_with_a_provider(kind: str, values: dict[str, Any], found: list[str]) -> None:
    made = {"client_id": "x", "secret": "y", **TESTED, **values}
    if isinstance(made.get("secret_expires_on"), int):
        made["secret_expires_on"] = timezone.localdate() + timedelta(days=made["secret_expires_on"])
    provider = IdentityProvider(tenant=Tenant(), kind=kind, name="Fabrikam", **made)
    assert ids(problems_of(provider)) == found
    assert is_usable(provider) == (found not in (["directory.E001"], ["directory.E007"]))


@pytest.mark.parametrize(
    ("days", "found"), [((40,), []), ((29,), ["directory.W007"]), ((0,), ["directory.E003"]), ((0, 40), [])]
)
def test_watches_the_certificates_of_saml(days: tuple[int, ...], found: list[str]) -> None:
    certificates = [make_rsa_certificate(f"Fabrikam {count}", days=count)[0] for count in days]
    settings = {"entity_id": "urn:x:y", "sso_url": "https://x.example", "certificates": certificates}
    provider = IdentityProvider(tenant=Tenant(), kind="Saml", name="Fabrikam", settings=settings, **TESTED)
    # What its row has as a secret is our own key, and ends with it.
    provider.secret, provider.secret_expires_on = "key", timezone.localdate()
    assert ids(problems_of(provider)) == found


def test_publishes_no_flow_with_a_provider_that_cannot_work(
    user_flow: UserFlow, make_provider: Callable[..., IdentityProvider]
) -> None:
    provider = make_provider(user_flow.tenant, "Google", **TESTED)
    assert examine_flow(user_flow, definition_of(user_flow)) == [
        finding for finding in examine_flow(user_flow, definition_of(user_flow)) if finding.id.startswith("userflows.")
    ]
    IdentityProvider.objects.filter(pk=provider.pk).update(secret="")
    errors = [one for one in examine_flow(user_flow, definition_of(user_flow)) if one.severity is Severity.ERROR]
    assert ids(errors) == ["directory.E001"]
    assert errors[0].page == ("tenant_admin:directory_identityprovider_change", str(provider.pk))
    user_flow.refresh_from_db()
    user_flow.heading = "Changed"
    user_flow.save()
    with pytest.raises(PublishRefused):
        publish(user_flow)
    # It is told on the health page too, once, however many flows offer it; not what nobody is offered.
    assert ids(tenant_findings(user_flow.tenant)).count("directory.E001") == 1
    IdentityProvider.objects.filter(pk=provider.pk).update(is_enabled=False)
    assert "directory.E001" not in ids(tenant_findings(user_flow.tenant))


@pytest.mark.parametrize(("kind", "values"), [("Passkey", {}), ("Google", {"may_create_accounts": False})])
def test_says_when_nobody_new_can_sign_up(
    tenant: Tenant,
    user_flow: UserFlow,
    make_provider: Callable[..., IdentityProvider],
    kind: str,
    values: dict[str, Any],
) -> None:
    make_provider(tenant, kind, **values)
    assert "userflows.W006" not in ids(examine_flow(user_flow, definition_of(user_flow)))
    user_flow.identity_provider_assignments.filter(identity_provider__kind="EmailOTP").delete()
    assert "userflows.W006" in ids(examine_flow(user_flow, definition_of(user_flow)))
