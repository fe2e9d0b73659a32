"""The built-in user attributes. A new one is one row here and one column on User.

Graph: `identityUserFlowAttribute` of type builtIn.
"""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True)
class BuiltInAttribute:
    """What the portal knows of an attribute that every tenant has.

    `name` is the Graph id, `field` the column on User, `claim` the name in tokens, `max_length` in characters,
    `autocomplete` the HTML autofill token (WCAG 1.3.5).
    """

    name: str
    field: str
    label: str | Promise
    claim: str
    max_length: int
    autocomplete: str


BUILT_IN_ATTRIBUTES = (
    BuiltInAttribute("Email", "mail", _("Email address"), "email", 254, "email"),
    BuiltInAttribute("DisplayName", "display_name", _("Display name"), "name", 256, "name"),
    BuiltInAttribute("GivenName", "given_name", _("First name"), "given_name", 64, "given-name"),
    BuiltInAttribute("Surname", "surname", _("Last name"), "family_name", 64, "family-name"),
    BuiltInAttribute("JobTitle", "job_title", _("Job title"), "jobTitle", 128, "organization-title"),
    BuiltInAttribute("StreetAddress", "street_address", _("Street address"), "streetAddress", 1024, "street-address"),
    BuiltInAttribute("City", "city", _("City"), "city", 128, "address-level2"),
    BuiltInAttribute("State", "state", _("State or province"), "state", 128, "address-level1"),
    BuiltInAttribute("PostalCode", "postal_code", _("Postal code"), "postalCode", 40, "postal-code"),
    BuiltInAttribute("Country", "country", _("Country or region"), "country", 128, "country"),
)

BY_NAME = {attribute.name: attribute for attribute in BUILT_IN_ATTRIBUTES}

# Entra stores at most 250 characters in a custom string attribute.
CUSTOM_STRING_MAX_LENGTH = 250
EXTENSION_PREFIX = "extension_"
