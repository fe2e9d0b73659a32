"""Which role may do what: the one table (names: Entra built-in roles)."""

from collections.abc import Iterable

from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Role(models.TextChoices):
    GLOBAL_ADMINISTRATOR = "global_administrator", _("Global Administrator")
    USER_ADMINISTRATOR = "user_administrator", _("User Administrator")
    USER_FLOW_ADMINISTRATOR = "user_flow_administrator", _("External ID User Flow Administrator")
    USER_FLOW_ATTRIBUTE_ADMINISTRATOR = (
        "user_flow_attribute_administrator",
        _("External ID User Flow Attribute Administrator"),
    )
    IDENTITY_PROVIDER_ADMINISTRATOR = (
        "identity_provider_administrator",
        _("External Identity Provider Administrator"),
    )
    APPLICATION_ADMINISTRATOR = "application_administrator", _("Application Administrator")
    GLOBAL_READER = "global_reader", _("Global Reader")


VIEW = frozenset({"view"})
EDIT = frozenset({"view", "add", "change", "delete"})
CHANGE = frozenset({"view", "change"})

# Rows: role. Columns: what an admin page shows (the model's name in lower case). A missing cell means no access.
PERMISSIONS: dict[str, dict[str, frozenset[str]]] = {
    Role.GLOBAL_ADMINISTRATOR: {
        "tenant": CHANGE,
        "user": EDIT,
        "roleassignment": EDIT,
        "userattribute": EDIT,
        "application": EDIT,
        "clientsecret": EDIT,
        "identityprovider": EDIT,
        "userflow": EDIT,
        "signingkey": CHANGE,
        "signin": VIEW,
        "auditevent": VIEW,
    },
    Role.USER_ADMINISTRATOR: {
        "user": EDIT,
        "userattribute": EDIT,
        "application": VIEW,
        "identityprovider": VIEW,
        "userflow": EDIT,
        "signin": VIEW,
        "auditevent": VIEW,
    },
    Role.USER_FLOW_ADMINISTRATOR: {
        "userattribute": VIEW,
        "application": VIEW,
        "identityprovider": VIEW,
        "userflow": EDIT,
    },
    Role.USER_FLOW_ATTRIBUTE_ADMINISTRATOR: {"userattribute": EDIT, "userflow": VIEW},
    Role.IDENTITY_PROVIDER_ADMINISTRATOR: {"identityprovider": EDIT, "userflow": VIEW},
    Role.APPLICATION_ADMINISTRATOR: {
        "application": EDIT,
        "clientsecret": EDIT,
        "userflow": VIEW,
        "signingkey": VIEW,
        "signin": VIEW,
        "auditevent": VIEW,
    },
    Role.GLOBAL_READER: {
        "tenant": VIEW,
        "user": VIEW,
        "roleassignment": VIEW,
        "userattribute": VIEW,
        "application": VIEW,
        "clientsecret": VIEW,
        "identityprovider": VIEW,
        "userflow": VIEW,
        "signingkey": VIEW,
        "signin": VIEW,
        "auditevent": VIEW,
    },
}

# What the columns are called in sentences.
SUBJECTS: dict[str, Promise] = {
    "user": _("people"),
    "roleassignment": _("roles of members"),
    "userflow": _("user flows"),
    "userattribute": _("user attributes"),
    "identityprovider": _("identity providers"),
    "application": _("applications"),
    "clientsecret": _("client secrets"),
    "signingkey": _("signing keys"),
    "tenant": _("the tenant's settings"),
    "signin": _("the sign-in log"),
    "auditevent": _("the audit log"),
}
POWERS = ((EDIT, _("View, add, change and delete")), (CHANGE, _("View and change")), (VIEW, _("View")))


def in_words(role: Role) -> list[tuple[Promise, list[Promise]]]:
    """Return a role's row for people: each kind of access, and to what."""
    row = PERMISSIONS[role]
    powers = [(words, [SUBJECTS[name] for name in SUBJECTS if row.get(name) == actions]) for actions, words in POWERS]
    return [(words, subjects) for words, subjects in powers if subjects]


def may(roles: Iterable[str], *, action: str, subject: str) -> bool:
    """Answer whether one of `roles` allows `action` (view, add, change, delete) on `subject` (a model's name)."""
    return any(action in PERMISSIONS.get(role, {}).get(subject, frozenset()) for role in roles)
