"""The identity rules: what a person has proven in a journey, whom it identifies, and what may be joined to whom.

1. An identity (issuer, id at the issuer) identifies one person of the tenant. Code and password both prove the identity
   "mail" with the address; a passkey names its person itself.
2. A known identity signs in. What the provider says of addresses today changes nothing.
3. An address that the provider doesn't vouch for is proven by a code before anything is asked about it. Where the code
   is no way of the flow, it proves the address and nothing else.
4. An unknown identity whose proven address belongs to somebody is never joined silently: the person proves one of the
   old ways, or confirms when the old way was proven in this very journey.
5. An unknown identity whose address belongs to nobody is a stranger, who may sign up.
6. A yes counts for the proofs that were there when it was said. A provider is believed only what it can know: its own
   issuer, and the identities that came by it.
"""

import uuid
from collections.abc import Callable
from functools import partial
from typing import TypedDict

from directory.identity_provider_kinds import kinds
from directory.models import EMAIL_CODE, EMAIL_PASSWORD, PASSKEY, Identity, IdentityProvider, SignInType, User
from directory.models.identity import MAIL_ISSUER
from userflows.errors import AccountDeleted, AnotherPerson, IdentityInDoubt
from userflows.federation.errors import AnswerOutdated, ProviderAnswerInvalid, ProviderSwitchedOff
from userflows.federation.told import Told
from userflows.models import Journey
from userflows.ways import open_ways

SAML = "Saml"
# Names of issuers that are ours, beside those of the kinds.
OWN_ISSUERS = {MAIL_ISSUER, PASSKEY.lower()}
MAX_LENGTH = 255


class Proof(TypedDict):
    """One proven identity. `way` is the id of the identity provider, `methods` are values of `amr` (RFC 8176).

    With a passkey `user` is the person's id, and the identity is none that stands in the directory. `sign_out` is what
    signing the person out at the provider takes.
    """

    way: str
    kind: str
    issuer: str
    subject: str
    methods: list[str]
    user: str
    sign_out: dict[str, str]


def proof_of_mail(mail: str, *, way: str, kind: str = EMAIL_CODE, methods: tuple[str, ...] = ("otp",)) -> Proof:
    return Proof(
        way=way, kind=kind, issuer=MAIL_ISSUER, subject=mail.lower(), methods=list(methods), user="", sign_out={}
    )


def proofs_of(journey: Journey) -> list[Proof]:
    return list(journey.facts.get("proofs", []))


def add_proof(journey: Journey, proof: Proof) -> None:
    """Take a proven identity in; the way in progress is over. The caller saves. Raises AnotherPerson.

    Who proves an old way to join a new one to it (`joining`) must turn out to be that person.
    """
    others = [known for known in proofs_of(journey) if _key(known) != _key(proof)]
    journey.learn(proofs=[*others, proof])
    journey.forget("way", "joins")
    owner = journey.facts.get("joining")
    if not owner:
        return
    person = known_person(journey)
    if person is None or str(person.pk) != owner:
        # What was just proven isn't kept, and the way in progress is still that: the page before it leads to others.
        raise AnotherPerson(tenant_name=journey.tenant.name)
    agree_to_join(journey, person)


def take_mail(journey: Journey, mail: str) -> None:
    """Take a mailbox in that was proven by a code. The caller saves. Raises AnotherPerson."""
    journey.learn(mail_proven=mail)
    kinds = {way.kind: way for way in open_ways(journey)}
    # A password rests on the code: whoever has the mailbox can set a new one.
    way = kinds.get(EMAIL_CODE) or kinds.get(EMAIL_PASSWORD)
    if way is None:
        journey.forget("way")
        return
    add_proof(journey, proof_of_mail(mail, way=str(way.pk)))


def take_told(journey: Journey, provider: IdentityProvider, told: Told) -> None:
    """Take in what a provider said of the person. The caller saves.

    Raises AnswerOutdated where the journey doesn't wait for this provider, ProviderSwitchedOff, ProviderAnswerInvalid
    for an identity that it can't vouch for, AnotherPerson.
    """
    if journey.facts.get("way", {}).get("id") != str(provider.pk):
        raise AnswerOutdated
    if provider not in open_ways(journey):
        raise ProviderSwitchedOff
    if not _can_vouch(provider, told):
        raise ProviderAnswerInvalid("identity", f"{told.issuer} {told.subject}")
    believe(journey, provider, told)


def _can_vouch(provider: IdentityProvider, told: Told) -> bool:
    """Answer whether it is the provider's to speak for this identity, and whether the directory can hold it.

    Only the kinds know whose name `google.com` or `mail` is: a partner may call its own issuer anything.
    """
    own = provider.issuer
    if told.issuer != own if own else not told.issuer:
        return False
    reserved = OWN_ISSUERS | {kind.issuer for kind in kinds().values() if kind.issuer}
    if told.issuer in reserved and told.issuer != provider.about.issuer:
        return False
    # A tab stands in ids of SAML between the namespace and the name (saml.subject_of).
    texts = (told.issuer, told.subject.replace("\t", ""))
    return bool(told.subject.strip()) and all(len(text) <= MAX_LENGTH and text.isprintable() for text in texts)


def believe(journey: Journey, provider: IdentityProvider, told: Told) -> None:
    """Take in what was checked. The caller saves."""
    proof = Proof(
        way=str(provider.pk),
        kind=provider.kind,
        issuer=told.issuer,
        subject=told.subject,
        methods=["fed"],
        user="",
        sign_out=told.sign_out,
    )
    is_first = not proofs_of(journey)
    add_proof(journey, proof)
    if not is_first:
        return
    # An address that was typed before the person chose this provider is none of this journey's any more.
    journey.forget("mail", "mail_proven", "told_mail")
    journey.learn(told_name=provider.shown_name, prefill=told.answers)
    if told.mail and told.is_mail_verified:
        journey.learn(mail=told.mail, mail_proven=told.mail)
    else:
        journey.learn(told_mail=told.mail)


def drop_mail(journey: Journey) -> None:
    """Forget the address and what proved it: the person takes another one, or, with nothing left, begins anew."""
    journey.learn(proofs=[proof for proof in proofs_of(journey) if proof["issuer"] != MAIL_ISSUER])
    journey.forget("mail", "mail_proven", "joining", "joins", "way", "login_hint")
    journey.learn(told_mail="")


def known_person(journey: Journey) -> User | None:
    """Return whom the proven identities identify. Nothing asks this before something is proven.

    Test users are nobody: whoever comes back, for another run or for real, is a stranger again. Raises AnotherPerson
    where two proofs name two people, IdentityInDoubt, AccountDeleted.
    """
    people = {user.pk: user for user in _people(journey).values() if user is not None}
    if len(people) > 1:
        raise AnotherPerson(tenant_name=journey.tenant.name)
    return next(iter(people.values()), None)


def unknown_proofs(journey: Journey) -> list[Proof]:
    """Return the proven identities that nobody in the tenant has."""
    people = _people(journey)
    return [proof for proof in proofs_of(journey) if people[_key(proof)] is None]


def owner_of_mail(journey: Journey) -> User | None:
    """Return whose the proven address is, though nothing proven yet identifies them: an old way must be proven."""
    mail = journey.facts.get("mail_proven", "")
    if not mail or known_person(journey) is not None:
        return None
    return _once(journey, f"owner of {mail}", partial(_owner, journey, mail))


def _owner(journey: Journey, mail: str) -> User | None:
    owner: User | None = User.objects.with_mail(journey.tenant, mail).filter(is_test=False).first()
    if owner is not None or (MAIL_ISSUER, mail.lower()) in _people(journey):
        return owner
    # Who signs in with the address by code, though the directory writes to another one.
    return _person_of(journey, proof_of_mail(mail, way=""))


def look_again(journey: Journey) -> None:
    """Forget who was found: another journey may have been faster."""
    journey.known = None


def _once(journey: Journey, question: str, look: Callable[[], User | None]) -> User | None:
    """Look something up once for a request."""
    if journey.known is None:
        journey.known = {}
    if question not in journey.known:
        journey.known[question] = look()
    return journey.known[question]


def _people(journey: Journey) -> dict[tuple[str, str], User | None]:
    return {
        _key(proof): _once(journey, repr(proof), partial(_person_of, journey, proof)) for proof in proofs_of(journey)
    }


def _person_of(journey: Journey, proof: Proof) -> User | None:
    if proof["user"]:
        user: User | None = User.objects.filter(tenant=journey.tenant, pk=proof["user"], is_test=False).first()
        if user is None:
            raise AccountDeleted(mail="", tenant_name=journey.tenant.name)
        return user
    identity = (
        Identity.objects.filter(
            tenant=journey.tenant,
            issuer=proof["issuer"],
            issuer_assigned_id=proof["subject"],
            user__is_test=False,
        )
        .select_related("user", "identity_provider")
        .first()
    )
    if identity is None:
        return None
    if not _is_vouched_for(identity, proof):
        raise IdentityInDoubt(tenant_name=journey.tenant.name)
    return identity.user


def _is_vouched_for(identity: Identity, proof: Proof) -> bool:
    """Answer whether the provider of the proof may speak for an identity that came by the same, or by another one.

    Names of issuers are what administrators and partners write: two providers of SAML may call themselves the same.
    """
    provider = identity.identity_provider
    if proof["issuer"] == MAIL_ISSUER:
        return identity.sign_in_type == SignInType.EMAIL_ADDRESS
    if provider is None:
        # One that was deleted may come back, but nobody of another kind speaks for its people.
        return identity.provider_kind == proof["kind"]
    if provider.kind == SAML:
        return str(provider.pk) == proof["way"]
    return provider.kind == proof["kind"]


def must_join(journey: Journey) -> bool:
    """Answer whether a new identity would be joined to somebody, and nobody has said yes to that."""
    person = known_person(journey)
    if person is None:
        return owner_of_mail(journey) is not None
    return bool(unknown_proofs(journey)) and journey.facts.get("joins") != str(person.pk)


def agree_to_join(journey: Journey, person: User) -> None:
    """Take the yes in: for this person, and for what is proven by now. The caller saves."""
    journey.learn(joins=str(person.pk))


def way_in(journey: Journey) -> Proof:
    """Return the proof by which the person came in: what `idp` and `amr` of the session tell."""
    return proofs_of(journey)[0]


def _key(proof: Proof) -> tuple[str, str]:
    return proof["issuer"], proof["subject"]


class SessionFacts(TypedDict):
    """What a completed journey tells the session. `way` is the identity provider's id."""

    idp: str
    methods: list[str]
    way: str
    sign_out: dict[str, str]
    keep_signed_in: bool
    can_passkey: bool


def session_of(journey: Journey) -> SessionFacts:
    proof, facts = way_in(journey), journey.facts
    return SessionFacts(
        idp=proof["issuer"],
        methods=proof["methods"],
        way=proof["way"],
        sign_out=proof["sign_out"],
        keep_signed_in=bool(facts.get("keep_signed_in")),
        can_passkey=bool(facts.get("can_passkey")),
    )


def identity_of(journey: Journey, proof: Proof, user: User) -> Identity:
    """Return the identity that a proof makes of a person, not saved."""
    return Identity(
        tenant=journey.tenant,
        user=user,
        identity_provider_id=uuid.UUID(proof["way"]) if proof["way"] else None,
        provider_kind=proof["kind"],
        sign_in_type=SignInType.EMAIL_ADDRESS if proof["issuer"] == MAIL_ISSUER else SignInType.FEDERATED,
        issuer=proof["issuer"],
        issuer_assigned_id=proof["subject"],
    )
