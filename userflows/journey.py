"""The verbs on journeys: start, find, complete. What comes next follows from what the journey holds."""

import uuid
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import get_language

from directory import audit, email_domains
from directory.attributes import BY_NAME
from directory.correlation import current_correlation_id, set_correlation_id
from directory.email_domains import split_domains
from directory.models import (
    Application,
    AppRoleAssignment,
    CreationType,
    Identity,
    Tenant,
    User,
    UserType,
)
from directory.people import REVOKED_AHEAD
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
    SignInsEnded,
    SignUpNotAllowed,
    WaySwitchedOff,
)
from userflows.joining import join_identities
from userflows.models import Journey, Outcome, SignUp, UserFlow, UserFlowVersion
from userflows.password import take_new_password
from userflows.proofs import identity_of, known_person, look_again, must_join, proofs_of, session_of, way_in
from userflows.ways import open_ways


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
    domain_hint: str = ""


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
    journey.learn(login_hint=request.login_hint[:254], domain_hint=request.domain_hint[:254])
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


def another_account_url(journey: Journey) -> str:
    """Return the application's request, begun anew for somebody who takes another account.

    Nobody is led to the provider that they came from, though it is the flow's only one.
    """
    url = start_again_url(journey)
    return url if "prompt=" in url else f"{url}&prompt=select_account"


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
    if not journey.user_flow.sign_up_enabled:
        return "user_flow_sign_up_off"
    return "" if _may_create_accounts(journey) else "provider_signs_in_only"


def _may_create_accounts(journey: Journey) -> bool:
    """What the person came in with decides; a code that proved the address besides doesn't."""
    proofs = proofs_of(journey)
    return not proofs or all(way.may_create_accounts for way in open_ways(journey) if str(way.pk) == proofs[0]["way"])


def check_sign_up_allowed(journey: Journey) -> None:
    """Raise SignUpNotAllowed where strangers are not let in, DomainNotAllowed where this one isn't."""
    mail = journey.facts.get("mail_proven", "")
    admission = _closed_to(journey, mail) if mail else ""
    if admission:
        raise DomainNotAllowed(
            mail=mail,
            admission=admission,
            tenant_name=journey.tenant.name,
            start_again_url=another_account_url(journey),
        )
    reason = sign_up_refusal(journey)
    if reason:
        raise SignUpNotAllowed(
            reason=reason,
            mail=mail,
            provider_name=journey.facts.get("told_name", ""),
            tenant_name=journey.tenant.name,
            start_again_url=another_account_url(journey),
        )


def _closed_to(journey: Journey, mail: str) -> str:
    """Return the kind of the list that keeps this address out, the tenant's of now or the flow's; "" for none."""
    tenant = journey.tenant
    if not email_domains.lets_in(tenant.admission, split_domains(tenant.domains), mail):
        return tenant.admission
    return "" if lets_in(journey.definition, mail) else journey.definition["admission"]


@transaction.atomic
def complete(journey: Journey) -> Journey:
    """End the journey: find the person, or make the guest. Whoever comes second finds the first one's guest.

    Raises SignUpNotAllowed, AccountDisabled, WaySwitchedOff and MailInUse; then nothing was written.
    """
    journey = (
        Journey.objects.select_for_update(of=("self",))
        .select_related("tenant", "user_flow", "application", "flow_version")
        .get(pk=journey.pk)
    )
    if journey.is_completed:
        return journey
    known = known_person(journey)
    if known is not None and journey.is_test:
        raise RunNeedsStranger(start_again_url=start_again_url(journey))
    _check_ways_open(journey)
    _check_joined(journey)
    user = known or _sign_up(journey)
    _check_may_sign_in(journey, user)
    if known:
        join_identities(journey, user)
        take_new_password(journey, user)
    session = session_of(journey)
    journey.user = user
    # A new password ends the person's sign-ins up to a second ahead: this one comes after.
    journey.completed_at = max(timezone.now(), user.sign_in_sessions_valid_from or journey.created_at)
    journey.collected = ""
    journey.learn(session=session)
    journey.code_hash = ""
    journey.version += 1
    journey.save(update_fields=["user", "completed_at", "collected", "code_hash", "version"])
    outcome = Outcome.SIGNED_IN if known else Outcome.SIGNED_UP
    sign_in_log.finish(journey, outcome=outcome, identity_provider=session["idp"])
    return journey


def _check_ways_open(journey: Journey) -> None:
    """What somebody proved themselves with may have been switched off since. Raises WaySwitchedOff."""
    ways = {str(way.pk) for way in open_ways(journey)}
    if any(proof["way"] not in ways for proof in proofs_of(journey)):
        raise WaySwitchedOff(tenant_name=journey.tenant.name, start_again_url=start_again_url(journey))


def _check_joined(journey: Journey) -> None:
    """The page that asks stands before this; only somebody who came in at the same moment is found here."""
    if must_join(journey):
        raise MailInUse(mail=journey.facts.get("mail_proven", ""), tenant_name=journey.tenant.name)


def _check_may_sign_in(journey: Journey, user: User) -> None:
    if user.deleted_at is not None:
        raise AccountDeleted(mail=user.mail, tenant_name=journey.tenant.name)
    if not user.is_active:
        raise AccountDisabled(mail=user.mail, tenant_name=journey.tenant.name)
    if user.was_revoked_after(journey.created_at + REVOKED_AHEAD):
        # What was proven here may be a password that was changed since.
        raise SignInsEnded(start_again_url=start_again_url(journey))


def _sign_up(journey: Journey) -> User:
    check_sign_up_allowed(journey)
    try:
        with transaction.atomic():
            return _create_guest(journey)
    except IntegrityError as error:
        # Another journey of the same person was faster, or the address belongs to an account of another kind.
        look_again(journey)
        user = known_person(journey)
        if user is not None and journey.is_test:
            raise RunNeedsStranger(start_again_url=start_again_url(journey)) from error
        _check_joined(journey)
        if user is not None:
            return user
        if not _delete_test_users(journey):
            # Nobody is in the way: what is wrong is ours.
            raise
    # A test user of an earlier run had the address.
    return _sign_up(journey)


def _delete_test_users(journey: Journey) -> bool:
    """Delete whom earlier runs made with this address or these identities; answer whether there was one."""
    mails = {journey.facts["mail_proven"]}
    for proof in proofs_of(journey):
        identities = Identity.objects.filter(
            tenant=journey.tenant, issuer=proof["issuer"], issuer_assigned_id=proof["subject"], user__is_test=True
        )
        mails.update(identities.values_list("user__mail", flat=True))
    return any(delete_test_user_with_mail(journey.tenant, mail) for mail in sorted(mails))


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
    user.password = facts.get("password_hash") or user.password
    user.save(force_insert=True)
    for proof in proofs_of(journey):
        identity_of(journey, proof, user).save(force_insert=True)
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
            "identity_provider": way_in(journey)["issuer"],
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
        identity_provider=way_in(journey)["issuer"],
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
