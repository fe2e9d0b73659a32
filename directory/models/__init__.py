from directory.models.app_role_assignment import AppRoleAssignment
from directory.models.application import Application, ApplicationKind
from directory.models.audit_event import AuditEvent
from directory.models.client_secret import ClientSecret
from directory.models.identity import Identity, SignInType
from directory.models.identity_provider import EMAIL_CODE, EMAIL_PASSWORD, PASSKEY, IdentityProvider
from directory.models.role_assignment import RoleAssignment
from directory.models.session import Session
from directory.models.tenant import Tenant
from directory.models.user import CreationType, User, UserType
from directory.models.user_attribute import AttributeType, DataType, UserAttribute

__all__ = [
    "EMAIL_CODE",
    "EMAIL_PASSWORD",
    "PASSKEY",
    "AppRoleAssignment",
    "Application",
    "ApplicationKind",
    "AttributeType",
    "AuditEvent",
    "ClientSecret",
    "CreationType",
    "DataType",
    "Identity",
    "IdentityProvider",
    "RoleAssignment",
    "Session",
    "SignInType",
    "Tenant",
    "User",
    "UserAttribute",
    "UserType",
]
