"""The verbs on journeys: start, find, complete. What comes next follows from what the journey holds."""

import uuid
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import get_language

from directory import audit
from directory.attributes import BY_NAME
from directory.correlation import current_correlation_id, set_correlation_id
from directory.models import (
    Application,
    AppRoleAssignment,
    CreationType,
    Identity,
    SignInType,
    Tenant,
    User,
    UserType,
)
from directory.models.identity import MAIL_ISSUER
from directory.temporary_users import delete_test_user_with_mail
from userflows import sign_in_log
from userflows.browser import browser_hash
from userflows.definition import Definition, lets_in, plain_definition
from userflows.errors import (
    AccountDeleted,
    AccountDisabled,
    DomainNotAllowed,
    JourneyExpired,
    JourneyUnknown,
    MailInUse,
    RunNeedsStranger,
    SignUpNotAllowed,
)
from userflows.models import Journey, Outcome, SignUp, UserFlow, UserFlowVersion


@dataclass(frozen=True)
class ApplicationRequest:
    """The application's request that a journey answers. The redirect URI is checked before this is made.

    `return_path` leads back to the request; the journey appends its own id as `portal_journey`.
    """

    application: Application
    return_path: str
    redirect_uri: str
    state: str
    issuer: str
    login_hint: str = ""
    ui_locales: str = ""


@dataclass(frozen=True)
class FlowRun:
    """An administrator's run of a flow: the `definition` to meet, and its version (None: the draft)."""

    definition: Definition
    version: UserFlowVersion | None
    run_by: User


@transaction.atomic
def start(
    *,
    tenant: Tenant,
    user_flow: UserFlow | None,
    request: ApplicationRequest,
    browser: str,
    flow_run: FlowRun | None = None,
) -> Journey:
    """Begin a journey in a browser. Without a published flow it can only sign in people who have an account."""
    version = user_flow.live_version if user_flow else None
    definition: Definition | None = version.definition if version else None
    if flow_run:
        version, definition = flow_run.version, flow_run.definition
    journey = Journey(
        tenant=tenant,
        user_flow=user_flow,
        flow_version=version,
        definition=definition or plain_definition(tenant),
        is_test=flow_run is not None,
        run_by=flow_run.run_by if flow_run else None,
        application=request.application,
        browser_hash=browser_hash(browser),
        correlation_id=current_correlation_id(),
        redirect_uri=request.redirect_uri,
        state=request.state,
        issuer=request.issuer,
        ui_locales=request.ui_locales[:200],
    )
    journey.return_path = f"{request.return_path}&portal_journey={journey.pk}"
    journey.learn(login_hint=request.login_hint[:254])
    journey.save(force_insert=True)
    sign_in_log.begin(journey)
    return journey


def find(journey_id: uuid.UUID, *, tenant: Tenant, browser: str, lock: bool = False) -> Journey:
    """Return the journey that this browser began in `tenant`, and take up its correlation id.

    `lock` keeps it until the end of the transaction. Raises JourneyUnknown and JourneyExpired.
    """
    journeys = Journey.objects.select_related("tenant", "user_flow", "application", "flow_version")
    if lock:
        journeys = journeys.select_for_update(of=("self",))
    journey = journeys.filter(pk=journey_id, tenant=tenant, browser_hash=browser_hash(browser)).first()
    if journey is None or not browser:
        raise JourneyUnknown
    set_correlation_id(journey.correlation_id)
    if journey.is_expired:
        raise JourneyExpired(start_again_url=start_again_url(journey))
    return journey


def start_again_url(journey: Journey) -> str:
    """Return the application's request without the journey that answered it."""
    return journey.return_path.rpartition("&portal_journey=")[0]


def person_known_by_mail(journey: Journey) -> User | None:
    """Return whom the proven address identifies. Nothing asks this before the address is proven.

    Test users are nobody: whoever comes back, for another run or for real, is a stranger again.
    """
    mail = journey.facts.get("mail_proven", "")
    identity = (
        Identity.objects.filter(
            tenant=journey.tenant, issuer=MAIL_ISSUER, issuer_assigned_id=mail.lower(), user__is_test=False
        )
        .select_related("user")
        .first()
    )
    return identity.user if identity and mail else None


def sign_up_refusal(journey: Journey) -> str:
    """Return why a stranger may not sign up here, "" if they may."""
    if journey.is_test:
        # The administrator looks at how it would be: the switches are for strangers.
        return ""
    if journey.application.is_first_party:
        return "first_party_application"
    if journey.user_flow is None:
        return "no_user_flow"
    if journey.flow_version is None:
        return "user_flow_not_published"
    if not journey.tenant.sign_up_enabled:
        return "tenant_sign_up_off"
    return "" if journey.user_flow.sign_up_enabled else "user_flow_sign_up_off"


def check_sign_up_allowed(journey: Journey) -> None:
    """Raise SignUpNotAllowed where strangers are not let in, DomainNotAllowed where this one isn't."""
    mail = journey.facts.get("mail_proven", "")
    if mail and not lets_in(journey.definition, mail):
        raise DomainNotAllowed(
            mail=mail,
            admission=journey.definition["admission"],
            tenant_name=journey.tenant.name,
            start_again_url=start_again_url(journey),
        )
    reason = sign_up_refusal(journey)
    if reason:
        raise SignUpNotAllowed(
            reason=reason,
            mail=journey.facts.get("mail_proven", ""),
            tenant_name=journey.tenant.name,
            start_again_url=start_again_url(journey),
        )


@transaction.atomic
def complete(journey: Journey) -> Journey:
    """End the journey: find the person, or make the guest. Whoever comes second finds the first one's guest.

    Raises SignUpNotAllowed, AccountDisabled and MailInUse; then nothing was written.
    """
    journey = (
        Journey.objects.select_for_update(of=("self",))
        .select_related("tenant", "user_flow", "application", "flow_version")
        .get(pk=journey.pk)
    )
    if journey.is_completed:
        return journey
    known = person_known_by_mail(journey)
    if known is not None and journey.is_test:
        raise RunNeedsStranger(start_again_url=start_again_url(journey))
    user = known or _sign_up(journey)
    if user.deleted_at is not None:
        raise AccountDeleted(mail=user.mail, tenant_name=journey.tenant.name)
    if not user.is_active:
        raise AccountDisabled(mail=user.mail, tenant_name=journey.tenant.name)
    journey.user = user
    journey.completed_at = timezone.now()
    journey.collected = ""
    journey.code_hash = ""
    journey.version += 1
    journey.save(update_fields=["user", "completed_at", "collected", "code_hash", "version"])
    outcome = Outcome.SIGNED_IN if known else Outcome.SIGNED_UP
    sign_in_log.finish(journey, outcome=outcome, identity_provider=MAIL_ISSUER)
    return journey


def _sign_up(journey: Journey) -> User:
    check_sign_up_allowed(journey)
    try:
        with transaction.atomic():
            return _create_guest(journey)
    except IntegrityError as error:
        # Another journey of the same person was faster, or the address belongs to an account of another kind.
        user = person_known_by_mail(journey)
        if user is not None and journey.is_test:
            raise RunNeedsStranger(start_again_url=start_again_url(journey)) from error
        if user is not None:
            return user
        if not delete_test_user_with_mail(journey.tenant, journey.facts["mail_proven"]):
            raise MailInUse(mail=journey.facts["mail_proven"], tenant_name=journey.tenant.name) from error
    # A test user of an earlier run had the address.
    return _sign_up(journey)


def _create_guest(journey: Journey) -> User:
    facts = journey.facts
    user = User(
        tenant=journey.tenant,
        user_type=UserType.GUEST,
        creation_type=CreationType.SELF_SERVICE_SIGN_UP,
        mail=facts["mail_proven"],
        preferred_language=get_language() or "",
        is_test=journey.is_test,
    )
    _keep_answers(user, facts.get("answers", {}))
    user.display_name = user.display_name or f"{user.given_name} {user.surname}".strip() or user.mail
    user.set_unusable_password()
    user.save(force_insert=True)
    Identity.objects.create(
        tenant=journey.tenant,
        user=user,
        sign_in_type=SignInType.EMAIL_ADDRESS,
        issuer=MAIL_ISSUER,
        issuer_assigned_id=user.mail.lower(),
    )
    AppRoleAssignment.objects.create(user=user, application=journey.application)
    _remember_sign_up(journey, user)
    audit.record(
        "user.signed_up",
        tenant=journey.tenant,
        actor=user,
        target=user,
        details={
            "user_flow": journey.user_flow.name if journey.user_flow else "",
            "application": journey.application.name,
            "identity_provider": MAIL_ISSUER,
            "journey": str(journey.pk),
        },
    )
    return user


def _remember_sign_up(journey: Journey, user: User) -> None:
    SignUp.objects.create(
        user=user,
        tenant=journey.tenant,
        user_flow=journey.user_flow,
        user_flow_name=journey.user_flow.name if journey.user_flow else "",
        flow_version=journey.flow_version,
        version_number=journey.flow_version.number if journey.flow_version else None,
        application=journey.application,
        application_name=journey.application.name,
        identity_provider=MAIL_ISSUER,
        journey_id=journey.pk,
        correlation_id=journey.correlation_id,
    )


def _keep_answers(user: User, answers: dict[str, str | int | bool]) -> None:
    for name, value in answers.items():
        built_in = BY_NAME.get(name)
        if built_in is None:
            user.extension_values[name] = value
        elif built_in.field != "mail":
            # The names come from the closed list of built-in attributes, never from the request.
            setattr(user, built_in.field, str(value))
