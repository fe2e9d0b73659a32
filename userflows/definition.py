"""What a user flow is made of, as plain data: what a version keeps, a journey carries, and previews show."""

from collections.abc import Iterable
from typing import NotRequired, TypedDict

from directory import email_domains
from directory.email_domains import split_domains
from directory.models import IdentityProvider, Tenant
from userflows.models import Admission, AttributeAssignment, UserFlow
from userflows.questions import Question, question_of


class Way(TypedDict):
    """A way to sign in: an identity provider of the tenant. `kind` is the id of a ProviderKind."""

    id: str
    kind: str
    name: str


class Page(TypedDict):
    """One page of questions. An empty heading is the standard one."""

    heading: str
    questions: list[Question]


class Code(TypedDict, total=False):
    """What a flow says of the e-mail code. What it doesn't say, the tenant's identity provider does."""

    length: int
    minutes: int
    sender: str


class Definition(TypedDict):
    """`admission` is an Admission, `domains` what it speaks of, `languages` codes (empty: all that there are)."""

    heading: str
    introduction: str
    ways: list[Way]
    pages: list[Page]
    admission: str
    domains: list[str]
    languages: list[str]
    code: NotRequired[Code]


def definition_of(user_flow: UserFlow) -> Definition:
    """Return the draft: what would be published now."""
    assignments = user_flow.identity_provider_assignments.select_related("identity_provider")
    return assemble(
        user_flow,
        providers=[assignment.identity_provider for assignment in assignments],
        questions=user_flow.attribute_assignments.select_related("user_attribute"),
    )


def assemble(
    user_flow: UserFlow, *, providers: Iterable[IdentityProvider], questions: Iterable[AttributeAssignment]
) -> Definition:
    """Return what a flow with these ways to sign in and these questions, in their order, is: saved or not."""
    definition = Definition(
        heading=user_flow.heading,
        introduction=user_flow.introduction,
        ways=[_way(provider) for provider in providers],
        pages=_pages(questions),
        admission=user_flow.admission,
        domains=split_domains(user_flow.domains) if user_flow.admission != Admission.ANYONE else [],
        languages=list(user_flow.languages),
    )
    code = _code(user_flow)
    # Where a flow says nothing of it there is no key: so it is in the versions of old.
    return {**definition, "code": code} if code else definition


def plain_definition(tenant: Tenant) -> Definition:
    """Return what people meet where no flow is published: every way to sign in that the tenant has, no questions."""
    providers = IdentityProvider.objects.filter(tenant=tenant, is_enabled=True)
    return Definition(
        heading="",
        introduction="",
        ways=[_way(provider) for provider in providers],
        pages=[],
        admission=Admission.ANYONE,
        domains=[],
        languages=[],
    )


def questions_in(definition: Definition) -> list[Question]:
    """Return the questions of all pages, in their order."""
    return [question for page in definition["pages"] for question in page["questions"]]


def lets_in(definition: Definition, mail: str) -> bool:
    """Answer whether a stranger with this proven address may sign up, as far as its domain goes."""
    return email_domains.lets_in(definition["admission"], definition["domains"], mail)


def _code(user_flow: UserFlow) -> Code:
    code = Code()
    if user_flow.code_length:
        code["length"] = user_flow.code_length
    if user_flow.code_minutes:
        code["minutes"] = user_flow.code_minutes
    if user_flow.code_sender:
        code["sender"] = user_flow.code_sender
    return code


def _way(provider: IdentityProvider) -> Way:
    return Way(id=str(provider.pk), kind=provider.kind, name=provider.name)


def _pages(questions: Iterable[AttributeAssignment]) -> list[Page]:
    pages: list[Page] = []
    for question in questions:
        if not pages or question.starts_page:
            pages.append(Page(heading=question.page_heading, questions=[]))
        pages[-1]["questions"].append(question_of(question))
    return pages
