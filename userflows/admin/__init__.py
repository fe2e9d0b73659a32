"""The admin pages of the user flows. The admin sites register them: identity_portal.admin_sites."""

from userflows.admin.user_attribute import FlowAttributeAdmin
from userflows.admin.user_flow import UserFlowAdmin

__all__ = ["FlowAttributeAdmin", "UserFlowAdmin"]
