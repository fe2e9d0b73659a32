"""The verbs on tenants."""

from django.db import models, transaction

from directory import audit
from directory.attributes import BUILT_IN_ATTRIBUTES
from directory.identity_provider_kinds import kinds
from directory.members import create_member
from directory.models import EMAIL_CODE, AttributeType, IdentityProvider, Tenant, User, UserAttribute
from directory.roles import Role


@transaction.atomic
def create_tenant(tenant: Tenant, *, admin: User | None = None, actor: models.Model | None = None) -> Tenant:
    """Save a new tenant with the built-in attributes and the built-in way to sign in. Raises ValidationError.

    `admin` becomes its first Global Administrator, who sets their password by a one-time link.
    """
    tenant.full_clean()
    tenant.save(force_insert=True)
    UserAttribute.objects.bulk_create(
        UserAttribute(
            tenant=tenant,
            name=attribute.name,
            display_name=str(attribute.label),
            attribute_type=AttributeType.BUILT_IN,
            autocomplete="",
        )
        for attribute in BUILT_IN_ATTRIBUTES
    )
    IdentityProvider.objects.create(tenant=tenant, kind=EMAIL_CODE, name=str(kinds()[EMAIL_CODE].label))
    audit.record(
        "tenant.created", tenant=tenant, actor=actor, target=tenant, details={"after": audit.values_of(tenant)}
    )
    if admin is not None:
        admin.tenant = tenant
        create_member(admin, roles=[Role.GLOBAL_ADMINISTRATOR], actor=actor)
    return tenant
