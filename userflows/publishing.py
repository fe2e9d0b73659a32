"""The verbs on a flow's draft and versions: publish, roll back, discard the draft.

The draft is the UserFlow row with its questions and ways to sign in. A version is a copy that never changes.
"""

from collections.abc import Sequence

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils.translation import gettext as _

from directory import audit
from directory.health import Finding, is_healthy
from directory.models import IdentityProvider, User, UserAttribute
from userflows.changes import changes, quoted
from userflows.definition import Definition, assemble, definition_of, questions_in
from userflows.health import examine_flow
from userflows.models import AttributeAssignment, IdentityProviderAssignment, UserFlow, UserFlowVersion

# What of a UserFlow row belongs to the draft.
DRAFT_FIELDS = (
    *("description", "heading", "introduction", "admission", "domains", "languages"),
    *("code_length", "code_minutes", "code_sender"),
)


class PublishRefused(Exception):
    """The draft has red health checks; `findings` are all that were found."""

    def __init__(self, findings: list[Finding]) -> None:
        super().__init__("; ".join(finding.message for finding in findings))
        self.findings = findings


class DraftChanged(Exception):
    """Somebody saved the draft after the person at work had looked at it."""


@transaction.atomic
def save_draft(
    user_flow: UserFlow,
    *,
    providers: Sequence[IdentityProvider],
    questions: Sequence[AttributeAssignment],
    revision: int,
    actor: User | None = None,
) -> list[str]:
    """Make the draft what `user_flow` says in memory, with these ways to sign in and questions in their order.

    Everything was checked by full_clean() before. `revision` is the one that the person at work began with.
    Returns what changed, in sentences: nothing is written when nothing did. Raises DraftChanged.
    """
    saved = _lock(user_flow, revision)
    sentences = changes(definition_of(saved), assemble(user_flow, providers=providers, questions=questions))
    if user_flow.description != saved.description:
        values = {"after": quoted(user_flow.description), "before": quoted(saved.description)}
        sentences.append(_("The description is now %(after)s instead of %(before)s.") % values)
    if not sentences:
        return []
    for name in DRAFT_FIELDS:
        # From a closed list of columns, checked by the model.
        setattr(saved, name, getattr(user_flow, name))
    saved.revision += 1
    saved.save(update_fields=[*DRAFT_FIELDS, "revision"])
    _replace_ways(saved, providers)
    _replace_questions(saved, questions)
    details = {"revision": saved.revision, "changes": sentences}
    audit.record("user_flow.updated", tenant=saved.tenant, actor=actor, target=saved, details=details)
    return sentences


@transaction.atomic
def publish(user_flow: UserFlow, *, revision: int | None = None, actor: User | None = None) -> UserFlowVersion:
    """Make the draft a version and let people meet it from now on; journeys in progress finish on theirs.

    `revision` is the one that the person looked at. A draft that is what people meet (a double click) makes no new
    version. Raises DraftChanged and PublishRefused.
    """
    user_flow = _lock(user_flow, revision)
    definition = definition_of(user_flow)
    if user_flow.live_version is not None and user_flow.live_version.definition == definition:
        return user_flow.live_version
    findings = examine_flow(user_flow, definition)
    if not is_healthy(findings):
        raise PublishRefused(findings)
    last = user_flow.versions.aggregate(last=models.Max("number"))["last"] or 0
    version = UserFlowVersion(
        user_flow=user_flow,
        number=last + 1,
        definition=definition,
        published_by=actor,
        published_by_name=str(actor or ""),
    )
    version.save()
    names = [question["name"] for question in questions_in(definition)]
    version.attributes.set(UserAttribute.objects.filter(tenant=user_flow.tenant_id, name__in=names))
    _set_live(user_flow, version, activity="user_flow.published", actor=actor)
    return version


@transaction.atomic
def roll_back(version: UserFlowVersion, *, actor: User | None = None) -> None:
    """Let people meet an earlier version again, as it was. The draft stays as it is. Raises PublishRefused."""
    user_flow = _lock(version.user_flow, None)
    findings = examine_flow(user_flow, version.definition)
    if not is_healthy(findings):
        raise PublishRefused(findings)
    _set_live(user_flow, version, activity="user_flow.rolled_back", actor=actor)


@transaction.atomic
def discard_draft(user_flow: UserFlow, *, revision: int | None = None, actor: User | None = None) -> None:
    """Make the draft what the live version is. Raises DraftChanged, ValidationError where nothing is live."""
    user_flow = _lock(user_flow, revision)
    if user_flow.live_version is None:
        raise ValidationError(_("This user flow was never published."))
    before = definition_of(user_flow)
    load_draft(user_flow, user_flow.live_version.definition)
    details = {"revision": user_flow.revision, "changes": changes(before, definition_of(user_flow))}
    audit.record("user_flow.draft_discarded", tenant=user_flow.tenant, actor=actor, target=user_flow, details=details)


def load_draft(user_flow: UserFlow, definition: Definition) -> None:
    """Fill the draft from a definition. Attributes and identity providers that are gone are left out."""
    user_flow.heading = definition["heading"]
    user_flow.introduction = definition["introduction"]
    user_flow.admission = definition["admission"]
    user_flow.domains = "\n".join(definition["domains"])
    user_flow.languages = definition["languages"]
    code = definition.get("code", {})
    user_flow.code_length, user_flow.code_minutes = code.get("length"), code.get("minutes")
    user_flow.code_sender = code.get("sender", "")
    user_flow.revision += 1
    user_flow.save()
    ids = [way["id"] for way in definition["ways"]]
    providers = {
        str(provider.pk): provider
        for provider in IdentityProvider.objects.filter(tenant=user_flow.tenant_id, pk__in=ids)
    }
    _replace_ways(user_flow, [providers[pk] for pk in ids if pk in providers])
    _replace_questions(user_flow, _questions_from(user_flow, definition))


def _replace_ways(user_flow: UserFlow, providers: Sequence[IdentityProvider]) -> None:
    user_flow.identity_provider_assignments.all().delete()
    IdentityProviderAssignment.objects.bulk_create(
        IdentityProviderAssignment(user_flow=user_flow, identity_provider=provider, order=order)
        for order, provider in enumerate(providers)
    )


def _replace_questions(user_flow: UserFlow, questions: Sequence[AttributeAssignment]) -> None:
    user_flow.attribute_assignments.all().delete()
    for order, question in enumerate(questions):
        question.pk, question.user_flow, question.order = None, user_flow, order
    AttributeAssignment.objects.bulk_create(questions)


def has_unpublished_changes(user_flow: UserFlow) -> bool:
    """Answer whether the draft differs from what people meet."""
    return user_flow.live_version is None or user_flow.live_version.definition != definition_of(user_flow)


def _lock(user_flow: UserFlow, revision: int | None) -> UserFlow:
    locked = UserFlow.objects.select_for_update(of=("self",)).select_related("tenant", "live_version")
    user_flow = locked.get(pk=user_flow.pk)
    if revision is not None and revision != user_flow.revision:
        raise DraftChanged
    return user_flow


def _set_live(user_flow: UserFlow, version: UserFlowVersion, *, activity: str, actor: User | None) -> None:
    before = user_flow.live_version
    user_flow.live_version = version
    user_flow.save(update_fields=["live_version"])
    audit.record(
        activity,
        tenant=user_flow.tenant,
        actor=actor,
        target=user_flow,
        details={"before": before.number if before else None, "after": version.number},
    )


def _questions_from(user_flow: UserFlow, definition: Definition) -> list[AttributeAssignment]:
    names = [question["name"] for question in questions_in(definition)]
    attributes = {
        attribute.name: attribute
        for attribute in UserAttribute.objects.filter(tenant=user_flow.tenant_id, name__in=names)
    }
    assignments: list[AttributeAssignment] = []
    for page in definition["pages"]:
        kept = [question for question in page["questions"] if question["name"] in attributes]
        for place, question in enumerate(kept):
            attribute = attributes[question["name"]]
            assignments.append(
                AttributeAssignment(
                    user_flow=user_flow,
                    user_attribute=attribute,
                    starts_page=place == 0 and bool(assignments),
                    page_heading=page["heading"] if place == 0 else "",
                    label="" if question["label"] == attribute.display_name else question["label"],
                    hint=question["hint"],
                    required=question["required"],
                    input_type=question["input_type"],
                    choices=question["choices"],
                )
            )
    return assignments
