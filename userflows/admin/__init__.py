"""The admin pages of the user flows. The admin sites register them: identity_portal.admin_sites."""

from userflows.admin.application import FlowApplicationAdmin
from userflows.admin.identity_provider import FlowIdentityProviderAdmin
from userflows.admin.sign_in import SignInAdmin
from userflows.admin.user import FlowUserAdmin
from userflows.admin.user_attribute import FlowAttributeAdmin
from userflows.admin.user_flow import UserFlowAdmin

__all__ = [
    "FlowApplicationAdmin",
    "FlowAttributeAdmin",
    "FlowIdentityProviderAdmin",
    "FlowUserAdmin",
    "SignInAdmin",
    "UserFlowAdmin",
]
