"""The health rules on user flows: each finds what it is there for, and nothing where all is well."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from directory.health import Finding, is_healthy
from directory.models import (
    EMAIL_CODE,
    Application,
    ClientSecret,
    DataType,
    IdentityProvider,
    Tenant,
    UserAttribute,
)
from tests.relying_party import RelyingParty
from userflows.definition import definition_of
from userflows.health import MAX_APPLICATIONS, examine_flow, examine_live_flows
from userflows.models import ApplicationAssignment, AttributeAssignment, InputType, UserFlow
from userflows.publishing import PublishRefused, publish

DAY = timedelta(days=1)


def draft_findings(user_flow: UserFlow) -> list[Finding]:
    user_flow = UserFlow.objects.select_related("tenant", "live_version").get(pk=user_flow.pk)
    return examine_flow(user_flow, definition_of(user_flow))


def ids(findings: list[Finding]) -> list[str]:
    return [finding.id for finding in findings]


@pytest.fixture
def flow(relying_party: RelyingParty, user_flow: UserFlow) -> UserFlow:
    """One with nothing wrong."""
    assert draft_findings(user_flow) == []
    return user_flow


def test_finds_nothing_wrong_with_a_good_flow(flow: UserFlow) -> None:
    assert examine_live_flows(flow.tenant, limit=10).findings == []


def test_finds_that_there_is_no_way_to_sign_in(flow: UserFlow) -> None:
    flow.identity_provider_assignments.all().delete()
    [finding] = draft_findings(flow)
    assert (finding.id, finding.page) == ("userflows.E001", ("tenant_admin:userflows_userflow_change", str(flow.pk)))
    with pytest.raises(PublishRefused):
        publish(flow)


def test_finds_that_every_way_is_switched_off(flow: UserFlow) -> None:
    IdentityProvider.objects.update(is_enabled=False)
    [finding] = draft_findings(flow)
    provider = IdentityProvider.objects.get()
    assert finding.id == "userflows.E001"
    assert finding.page == ("tenant_admin:directory_identityprovider_change", str(provider.pk))
    assert ids(examine_live_flows(flow.tenant, limit=10).findings) == ["userflows.E001"]


def test_finds_that_one_of_the_ways_is_switched_off(flow: UserFlow, monkeypatch: pytest.MonkeyPatch) -> None:
    other = IdentityProvider(tenant=flow.tenant, kind="Other", name="Fabrikam", is_enabled=False)
    other.save()
    flow.identity_provider_assignments.create(identity_provider=other, order=1)
    [finding] = draft_findings(flow)
    assert finding.id == "userflows.W001"
    assert "Fabrikam" in finding.message
    assert finding.page == ("tenant_admin:directory_identityprovider_change", str(other.pk))
    assert EMAIL_CODE in flow.live_version.definition["ways"][0]["kind"]  # type: ignore[union-attr]


def test_finds_a_question_about_a_deleted_attribute(
    flow: UserFlow, make_attribute: Callable[..., UserAttribute], ask: Callable[..., Any]
) -> None:
    attribute = make_attribute(flow.tenant, "Hobby")
    assignment = ask(flow, attribute, InputType.TEXT)
    version = UserFlow.objects.get(pk=flow.pk).live_version
    assignment.delete()
    version.attributes.clear()  # type: ignore[union-attr]
    attribute.delete()
    [finding] = examine_live_flows(flow.tenant, limit=10).findings
    assert (finding.id, finding.about) == ("userflows.E002", flow.name)
    assert "extension_Hobby" in finding.message


@pytest.mark.parametrize(
    ("input_type", "choices", "changed"),
    [
        (InputType.TEXT, [], {"data_type": DataType.INT}),
        (InputType.DROPDOWN, [{"name": "A", "value": "a", "isDefault": False}], {"data_type": DataType.INT}),
    ],
)
def test_finds_a_question_that_does_not_fit_its_attribute_any_more(
    flow: UserFlow, make_attribute: Any, ask: Any, input_type: InputType, choices: list[Any], changed: dict[str, Any]
) -> None:
    attribute = make_attribute(flow.tenant, "Hobby")
    ask(flow, attribute, input_type, choices=choices)
    UserAttribute.objects.filter(pk=attribute.pk).update(**changed)
    [finding] = draft_findings(flow)
    assert finding.id == "userflows.E003"
    assert "“Hobby”" in finding.message
    assert ids(examine_live_flows(flow.tenant, limit=10).findings) == ["userflows.E003"]


def test_finds_choices_that_are_gone(flow: UserFlow, make_attribute: Any, ask: Any) -> None:
    choices = [{"name": "A", "value": "a", "isDefault": False}]
    ask(flow, make_attribute(flow.tenant, "Hobby"), InputType.RADIO, choices=choices)
    AttributeAssignment.objects.filter(input_type=InputType.RADIO).update(choices=[])
    assert ids(draft_findings(flow)) == ["userflows.E003"]


@pytest.mark.parametrize("admission", ["allowedDomains", "blockedDomains"])
def test_finds_a_list_of_domains_with_none_in_it(flow: UserFlow, admission: str) -> None:
    UserFlow.objects.update(admission=admission)
    assert ids(draft_findings(flow)) == ["userflows.E004"]
    UserFlow.objects.update(domains="fabrikam.com")
    assert draft_findings(flow) == []


def test_warns_that_no_application_uses_it(flow: UserFlow) -> None:
    ApplicationAssignment.objects.all().delete()
    findings = draft_findings(flow)
    assert ids(findings) == ["userflows.W002"]
    assert is_healthy(findings)
    publish(flow)


def test_warns_that_sign_up_is_paused_or_off_and_lets_publish(flow: UserFlow) -> None:
    UserFlow.objects.update(sign_up_enabled=False)
    Tenant.objects.update(sign_up_enabled=False)
    findings = draft_findings(flow)
    assert ids(findings) == ["userflows.W004", "directory.W001"]
    assert findings[1].page == ("tenant_admin:directory_tenant_change", str(flow.tenant_id))
    publish(flow)


def test_warns_of_applications_that_nobody_can_sign_in_to(flow: UserFlow, relying_party: RelyingParty) -> None:
    application = relying_party.application
    page = ("tenant_admin:directory_application_change", str(application.pk))
    Application.objects.update(redirect_uris="")
    assert [(finding.id, finding.page) for finding in draft_findings(flow)] == [("directory.W002", page)]
    Application.objects.update(is_enabled=False)
    assert [(finding.id, finding.page) for finding in draft_findings(flow)] == [("userflows.W003", page)]


@pytest.mark.parametrize(
    ("ends", "found"),
    [(-DAY, ["directory.W003"]), (29 * DAY, ["directory.W004"]), (31 * DAY, []), (None, [])],
)
def test_warns_of_secrets_that_end(flow: UserFlow, ends: timedelta | None, found: list[str]) -> None:
    ClientSecret.objects.update(expires_at=timezone.now() + ends if ends else None)
    assert ids(draft_findings(flow)) == found


def test_is_content_with_one_secret_that_lasts(flow: UserFlow, relying_party: RelyingParty) -> None:
    ClientSecret.objects.update(expires_at=timezone.now() - DAY)
    relying_party.application.secrets.create(secret_hash="x", hint="x", expires_at=timezone.now() + 90 * DAY)
    assert draft_findings(flow) == []


def test_warns_that_applications_wait_for_a_flow_that_is_not_published(flow: UserFlow) -> None:
    UserFlow.objects.update(live_version=None)
    [finding] = examine_live_flows(flow.tenant, limit=10).findings
    assert (finding.id, finding.about) == ("userflows.W005", flow.name)


def test_says_nothing_of_drafts_that_nobody_meets(flow: UserFlow) -> None:
    UserFlow(tenant=flow.tenant, name="B2X_1_Draft").save()
    flow.identity_provider_assignments.all().delete()
    assert examine_live_flows(flow.tenant, limit=10).findings == []


def test_puts_errors_first(flow: UserFlow) -> None:
    UserFlow.objects.update(sign_up_enabled=False, admission="allowedDomains")
    assert ids(draft_findings(flow)) == ["userflows.E004", "userflows.W004"]


def test_asks_the_database_as_often_for_many_flows_as_for_few(
    flow: UserFlow, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    tenant = flow.tenant
    with django_assert_num_queries(5):
        assert not examine_live_flows(tenant, limit=100).is_cut
    version = flow.live_version
    assert version is not None
    UserFlow.objects.bulk_create(
        UserFlow(tenant=flow.tenant, name=f"B2X_1_Flow{number}", live_version=version) for number in range(200)
    )
    with django_assert_num_queries(5):
        live = examine_live_flows(tenant, limit=100)
    assert live.is_cut
    # The one that is used comes first; the others are not used by anything.
    assert len(live.findings) == 99


def test_names_no_more_applications_than_anybody_reads(flow: UserFlow) -> None:
    for number in range(MAX_APPLICATIONS + 3):
        application = Application.objects.create(tenant=flow.tenant, name=f"{number:03}", kind="spa")
        ApplicationAssignment.objects.create(user_flow=flow, application=application)
    assert len(draft_findings(flow)) == MAX_APPLICATIONS


def test_looks_at_the_own_tenant_only(flow: UserFlow, make_tenant: Any, make_user_flow: Any) -> None:
    other = make_user_flow(make_tenant("globex"))
    IdentityProvider.objects.filter(tenant=flow.tenant).update(is_enabled=False)
    assert ids(draft_findings(other)) == ["userflows.W002"]
