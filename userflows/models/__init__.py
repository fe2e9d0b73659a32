from userflows.models.application_assignment import ApplicationAssignment
from userflows.models.attribute_assignment import AttributeAssignment, InputType
from userflows.models.journey import Journey
from userflows.models.rate_counter import RateCounter
from userflows.models.user_flow import UserFlow

__all__ = ["ApplicationAssignment", "AttributeAssignment", "InputType", "Journey", "RateCounter", "UserFlow"]
