"""The admin pages of the ground floor. The admin sites register them: identity_portal.admin_sites."""

from directory.admin.application import ApplicationAdmin
from directory.admin.audit_event import AuditEventAdmin
from directory.admin.platform import OperatorAdmin, PlatformAuditEventAdmin, PlatformTenantAdmin
from directory.admin.role import RoleAdmin
from directory.admin.tenant import TenantAdmin
from directory.admin.user import UserAdmin
from directory.admin.user_attribute import UserAttributeAdmin

__all__ = [
    "ApplicationAdmin",
    "AuditEventAdmin",
    "OperatorAdmin",
    "PlatformAuditEventAdmin",
    "PlatformTenantAdmin",
    "RoleAdmin",
    "TenantAdmin",
    "UserAdmin",
    "UserAttributeAdmin",
]
