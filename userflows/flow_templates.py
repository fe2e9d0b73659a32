"""What a new flow can begin with. A template is data: words, questions, who gets in."""

from dataclasses import dataclass, field

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils.functional import Promise
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from directory import audit
from directory.attributes import BY_NAME, EXTENSION_PREFIX
from directory.custom_attributes import create_attribute, propose_attribute
from directory.models import DataType, Tenant, UserAttribute
from userflows.definition import definition_of
from userflows.flows import NewQuestion, create_user_flow
from userflows.models import InputType, UserFlow
from userflows.publishing import load_draft


@dataclass(frozen=True)
class TemplateQuestion:
    """A question of a template: a built-in attribute by its `name`, or a custom one that is made if it is missing.

    A custom attribute is known by its name or by its label, so that a tenant's own “Company name” is used.
    """

    name: str
    label: str | Promise = ""
    input_type: InputType = InputType.TEXT
    required: bool = True
    data_type: DataType = DataType.STRING
    autocomplete: str = ""
    hint: str | Promise = ""

    @property
    def is_built_in(self) -> bool:
        return self.name in BY_NAME


@dataclass(frozen=True)
class FlowTemplate:
    """`suggested_name` is what the flow may be called, without the prefix."""

    id: str
    title: str | Promise
    summary: str | Promise
    suggested_name: str
    heading: str | Promise = ""
    introduction: str | Promise = ""
    questions: tuple[TemplateQuestion, ...] = field(default_factory=tuple)


FIRST_NAME = TemplateQuestion("GivenName")
LAST_NAME = TemplateQuestion("Surname")
COUNTRY = TemplateQuestion("Country", input_type=InputType.COUNTRY)
JOB_TITLE = TemplateQuestion("JobTitle", required=False)
COMPANY = TemplateQuestion("CompanyName", _("Company name"), autocomplete="organization")
TAX_ID = TemplateQuestion(
    "TaxID", _("Tax ID"), hint=_("The number under which your company is known to its tax office.")
)
PHONE = TemplateQuestion("Phone", _("Phone number"), input_type=InputType.PHONE, autocomplete="tel")
PURPOSE = TemplateQuestion(
    "Purpose", _("What will we work on together?"), required=False, hint=_("One or two sentences are enough.")
)

TEMPLATES = (
    FlowTemplate(
        id="suppliers",
        title=_("Suppliers"),
        summary=_("Companies that sell to you: name, company, tax ID, phone and country."),
        suggested_name="Suppliers",
        heading=_("Create your supplier account"),
        introduction=_("With an account you can offer, deliver and send invoices to us."),
        questions=(FIRST_NAME, LAST_NAME, COMPANY, TAX_ID, PHONE, COUNTRY),
    ),
    FlowTemplate(
        id="partners",
        title=_("Partners"),
        summary=_("People of other companies who work with your teams: name, company, job title and purpose."),
        suggested_name="Partners",
        heading=_("Work with us"),
        introduction=_("Use the email address of your company, so that our people know you."),
        questions=(FIRST_NAME, LAST_NAME, COMPANY, JOB_TITLE, PURPOSE),
    ),
    FlowTemplate(
        id="customers",
        title=_("Customers"),
        summary=_("People who buy from you or use your service: as few questions as can be."),
        suggested_name="Customers",
        heading=_("Create your account"),
        introduction=_("It takes a minute."),
        questions=(FIRST_NAME, LAST_NAME, COUNTRY),
    ),
    FlowTemplate(
        id="blank",
        title=_("Blank"),
        summary=_("An email code, then first and last name. Add what you need."),
        suggested_name="SignUp",
        questions=(FIRST_NAME, LAST_NAME),
    ),
)
BY_ID = {template.id: template for template in TEMPLATES}


@transaction.atomic
def create_from_template(
    user_flow: UserFlow, template: FlowTemplate, *, may_create_attributes: bool, actor: models.Model | None = None
) -> list[str]:
    """Save a new flow as the template says, with the custom attributes that the tenant doesn't have yet.

    Returns the labels of the questions that were left out because attributes may not be created. Raises
    ValidationError.
    """
    user_flow.heading, user_flow.introduction = str(template.heading), str(template.introduction)
    known = list(UserAttribute.objects.filter(tenant=user_flow.tenant))
    questions, left_out = [], []
    user_flow.full_clean()
    for question in template.questions:
        attribute = _find(known, question)
        if attribute is None and may_create_attributes:
            attribute = create_attribute(_proposed(user_flow.tenant, question), actor=actor)
        if attribute is None:
            left_out.append(str(question.label))
            continue
        questions.append(
            NewQuestion(
                attribute.name,
                input_type=question.input_type if attribute.data_type == question.data_type else None,
                required=question.required,
                hint=str(question.hint),
            )
        )
    create_user_flow(user_flow, questions=questions, actor=actor)
    return left_out


def _find(known: list[UserAttribute], question: TemplateQuestion) -> UserAttribute | None:
    if question.is_built_in:
        return next((attribute for attribute in known if attribute.name == question.name), None)
    name, label = f"{EXTENSION_PREFIX}{question.name}".lower(), str(question.label).lower()
    return next((one for one in known if one.name.lower() == name or one.display_name.lower() == label), None)


def _proposed(tenant: Tenant, question: TemplateQuestion) -> UserAttribute:
    return propose_attribute(
        tenant=tenant,
        label=str(question.label),
        data_type=question.data_type,
        autocomplete=question.autocomplete,
    )


@transaction.atomic
def create_copy(user_flow: UserFlow, source: UserFlow, *, actor: models.Model | None = None) -> None:
    """Save a new flow whose draft is the draft of `source`, a flow of the same tenant. Applications stay with that one.

    Raises ValidationError.
    """
    if source.tenant_id != user_flow.tenant_id:
        raise ValidationError(_now("Choose one of this tenant."))
    user_flow.description = source.description
    user_flow.full_clean()
    user_flow.save(force_insert=True)
    load_draft(user_flow, definition_of(source))
    details = {"copied_from": source.name}
    audit.record("user_flow.created", tenant=user_flow.tenant, actor=actor, target=user_flow, details=details)
