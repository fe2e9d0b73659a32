from directory.email_domains import Admission
from userflows.models.application_assignment import ApplicationAssignment
from userflows.models.attribute_assignment import AttributeAssignment, InputType
from userflows.models.daily_count import DailyCount
from userflows.models.handshake import Handshake
from userflows.models.identity_provider_assignment import IdentityProviderAssignment
from userflows.models.journey import Journey
from userflows.models.provider_document import ProviderDocument
from userflows.models.rate_counter import RateCounter
from userflows.models.sign_in import Outcome, Reached, SignIn
from userflows.models.sign_up import SignUp
from userflows.models.user_flow import UserFlow
from userflows.models.user_flow_version import UserFlowVersion

__all__ = [
    "Admission",
    "ApplicationAssignment",
    "AttributeAssignment",
    "DailyCount",
    "Handshake",
    "IdentityProviderAssignment",
    "InputType",
    "Journey",
    "Outcome",
    "ProviderDocument",
    "RateCounter",
    "Reached",
    "SignIn",
    "SignUp",
    "UserFlow",
    "UserFlowVersion",
]
