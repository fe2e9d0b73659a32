"""There is an account with this address: the person proves that it is theirs, and says yes to joining."""

from django.http import HttpResponse

from directory.identity_provider_kinds import Protocol
from directory.models import EMAIL_CODE, EMAIL_PASSWORD, PASSKEY, Identity, IdentityProvider, User
from directory.models.identity import MAIL_ISSUER
from userflows import sign_in_log
from userflows.errors import RunNeedsStranger
from userflows.journey import start_again_url
from userflows.mail_code import attempts_to_send, send_code
from userflows.models import Journey
from userflows.passkey import passkeys_of
from userflows.passkey_way import options_for
from userflows.proofs import agree_to_join, drop_mail, known_person, must_join, owner_of_mail, proofs_of
from userflows.rate_limit import Attempts
from userflows.requests import TenantRequest
from userflows.steps.page import step_page
from userflows.ways import federated, named, open_ways, take_way

NAME = "link"
# What the page's buttons send as `action`.
JOIN, OTHER_ADDRESS = "join", "other_address"


def is_done(journey: Journey) -> bool:
    return not must_join(journey)


def show(request: TenantRequest, journey: Journey) -> HttpResponse:
    if journey.is_test:
        # It never touches the account of somebody who is there, nor asks them to prove anything.
        raise RunNeedsStranger(start_again_url=start_again_url(journey))
    return page_with(request, journey, ways=old_ways(journey), is_proven=known_person(journey) is not None)


def attempts(request: TenantRequest, journey: Journey) -> Attempts:
    chosen = _chosen(request, journey) if proofs_of(journey) else None
    is_code = chosen is not None and chosen.kind == EMAIL_CODE
    return attempts_to_send(request, journey.facts.get("mail_proven", "")) if is_code else ()


def submit(request: TenantRequest, journey: Journey) -> HttpResponse | None:
    if request.POST.get("action") == OTHER_ADDRESS:
        drop_mail(journey)
        sign_in_log.note(journey, "other_address")
        return None
    person = known_person(journey)
    if person is not None:
        # The old way was proven in this journey: what is missing is the person's word.
        if request.POST.get("action") != JOIN:
            return show(request, journey)
        agree_to_join(journey, person)
        sign_in_log.note(journey, "joined")
        return None
    owner, chosen = owner_of_mail(journey), _chosen(request, journey)
    if owner is None or chosen is None:
        return show(request, journey)
    journey.learn(joining=str(owner.pk), mail=journey.facts["mail_proven"], codes_sent=0)
    take_way(journey, chosen)
    if chosen.kind == EMAIL_CODE:
        send_code(journey)
    sign_in_log.note(journey, NAME, provider=chosen.name)
    return None


def _chosen(request: TenantRequest, journey: Journey) -> IdentityProvider | None:
    return next((way for way in old_ways(journey) if str(way.pk) == request.POST.get("way")), None)


def old_ways(journey: Journey) -> list[IdentityProvider]:
    """Return the ways of this flow by which the owner of the address can sign in already, in the flow's order."""
    owner = owner_of_mail(journey)
    if owner is None:
        return []
    identities = list(owner.identities.select_related("identity_provider"))
    tried = {proof["way"] for proof in proofs_of(journey)}
    mail = journey.facts["mail_proven"].lower()
    return [way for way in open_ways(journey) if str(way.pk) not in tried and _has(owner, identities, way, mail)]


def _has(owner: User, identities: list[Identity], way: IdentityProvider, mail: str) -> bool:
    if way.about.is_federated:
        return any(_came_by(identity, way) for identity in identities)
    if way.kind == PASSKEY:
        return bool(passkeys_of(owner))
    # The code goes to the address that was proven: one that signs in with another address can't prove itself by it.
    has_mail = any((identity.issuer, identity.issuer_assigned_id) == (MAIL_ISSUER, mail) for identity in identities)
    return has_mail and (way.kind != EMAIL_PASSWORD or owner.has_usable_password())


def _came_by(identity: Identity, way: IdentityProvider) -> bool:
    """Answer whether an identity can be proven by this provider (the other side of userflows.proofs)."""
    provider = identity.identity_provider
    if way.about.protocol is Protocol.SAML:
        return provider in (None, way) and identity.issuer == way.issuer
    # Microsoft Entra ID has an issuer for each organisation.
    template = way.about.discovery_issuer.partition("{")[0]
    is_issuer = identity.issuer == way.issuer if way.issuer else identity.issuer.startswith(template or "\n")
    return is_issuer and (provider is None or provider.kind == way.kind)


def page_with(
    request: TenantRequest, journey: Journey, *, ways: list[IdentityProvider], is_proven: bool
) -> HttpResponse:
    facts = journey.facts
    return step_page(
        request,
        "userflows/link.html",
        journey,
        step_number=2,
        form=None,
        providers=named(federated(ways)),
        code=next((way for way in ways if way.kind == EMAIL_CODE), None),
        password=next((way for way in ways if way.kind == EMAIL_PASSWORD), None),
        passkey_options=options_for(journey, ways),
        is_proven=is_proven,
        # Empty where the person has typed the address first: there is nothing that would be joined by name.
        provider_name=facts.get("told_name", ""),
        email=facts.get("mail_proven", ""),
    )
