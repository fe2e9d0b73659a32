"""Customers of the portal: their names in URLs, and what each begins with."""

from collections.abc import Callable

import pytest
from django.core.exceptions import ValidationError

from directory.attributes import BUILT_IN_ATTRIBUTES
from directory.models import AttributeType, AuditEvent, DataType, Tenant, UserAttribute
from directory.models.tenant import RESERVED_SLUGS
from directory.tenants import create_tenant

MakeTenant = Callable[..., Tenant]


def problems(**values: str) -> dict[str, list[str]]:
    with pytest.raises(ValidationError) as refused:
        create_tenant(Tenant(**{"slug": "contoso", "name": "Contoso", **values}))
    return dict(refused.value.message_dict)


@pytest.mark.parametrize("slug", ["wg", "woodgrove", "a1", "wood-grove-2", "a" * 40, "deadbeef"])
def test_takes_a_name_for_urls(make_tenant: MakeTenant, slug: str) -> None:
    assert make_tenant(slug).slug == slug


@pytest.mark.django_db
@pytest.mark.parametrize(
    "slug",
    [
        "",
        "a",
        "Woodgrove",
        "1st",
        "-a",
        "a-",
        "wood grove",
        "wood_grove",
        "wood.grove",
        "wood/grove",
        "bücher",
        "a" * 41,
    ]
    + ["woodgrove\n"],
)
def test_refuses_a_name_that_is_no_path_segment(slug: str) -> None:
    assert "slug" in problems(slug=slug)
    assert not Tenant.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("slug", sorted(slug for slug in RESERVED_SLUGS if len(slug) > 1))
def test_refuses_a_name_that_the_portal_answers_itself(slug: str) -> None:
    assert "used by the portal" in problems(slug=slug)["slug"][0]


def test_refuses_a_name_that_is_the_id_of_a_tenant(make_tenant: MakeTenant) -> None:
    for slug in ("abcdef01-2345-6789-abcd-ef0123456789", "abcdef0123456789abcdef0123456789"):
        assert "look like an id" in problems(slug=slug)["slug"][0]


def test_refuses_a_name_that_is_taken(make_tenant: MakeTenant) -> None:
    make_tenant("contoso")
    assert "already exists" in problems(slug="contoso")["slug"][0]


def test_never_changes_the_name(make_tenant: MakeTenant) -> None:
    tenant = make_tenant("contoso")
    tenant.slug = "fabrikam"
    with pytest.raises(ValidationError, match="never be changed"):
        tenant.full_clean()
    tenant.slug, tenant.name = "contoso", "Contoso Ltd"
    tenant.full_clean()


@pytest.mark.parametrize("contact", ["", "help@contoso.example", "https://contoso.example/help?x=a@b"])
def test_takes_an_address_or_a_page_as_support_contact(make_tenant: MakeTenant, contact: str) -> None:
    assert make_tenant(support_contact=contact).support_contact == contact


@pytest.mark.django_db
@pytest.mark.parametrize("contact", ["call us", "help@", "javascript:alert(1)", "ftp://contoso.example", "+44 20 7946"])
def test_refuses_a_support_contact_that_leads_nowhere(contact: str) -> None:
    assert problems(support_contact=contact) == {"support_contact": ["Enter an email address or the URL of a page."]}


@pytest.mark.django_db
@pytest.mark.parametrize("field", ["privacy_url", "terms_url"])
@pytest.mark.parametrize("url", ["javascript:alert(1)", "contoso.example", "data:text/html,x"])
def test_refuses_links_that_are_no_pages(field: str, url: str) -> None:
    assert list(problems(**{field: url})) == [field]


def test_begins_with_the_built_in_attributes_and_without_sign_up(make_tenant: MakeTenant) -> None:
    tenant = make_tenant("contoso")
    assert Tenant(slug="fabrikam", name="Fabrikam").sign_up_enabled is False
    attributes = UserAttribute.objects.filter(tenant=tenant)
    assert {attribute.name for attribute in attributes} == {attribute.name for attribute in BUILT_IN_ATTRIBUTES}
    assert len(attributes) == 10
    for attribute in attributes:
        assert (attribute.attribute_type, attribute.data_type) == (AttributeType.BUILT_IN, DataType.STRING)
        assert attribute.built_in is not None
        assert (attribute.claim, attribute.max_length) == (attribute.built_in.claim, attribute.built_in.max_length)
    event = AuditEvent.objects.get()
    assert (event.activity, event.tenant, event.target_id) == ("tenant.created", tenant, str(tenant.pk))


def test_gives_each_tenant_attributes_of_its_own(make_tenant: MakeTenant) -> None:
    make_tenant("contoso")
    make_tenant("fabrikam")
    assert UserAttribute.objects.filter(name="GivenName").count() == 2
