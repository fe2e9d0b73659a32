"""What would happen if somebody with this address came in by each provider: the rules, asked without a person.

A journey is made in memory, given what the provider would tell, and asked. Nothing is saved, and nothing is sent.
"""

from dataclasses import dataclass

from django.db.models import Q
from django.utils.translation import gettext as _

from directory.email_domains import is_listed
from directory.identity_provider_health import is_usable
from directory.identity_provider_kinds import MailTrust
from directory.models import EMAIL_CODE, EMAIL_PASSWORD, PASSKEY, Application, IdentityProvider, Tenant, User
from userflows.definition import Definition, plain_definition
from userflows.errors import UserFlowError
from userflows.federation.told import Told
from userflows.home_realm import provider_of_mail
from userflows.journey import check_sign_up_allowed
from userflows.models import Journey, UserFlow
from userflows.passkey import passkeys_of
from userflows.proofs import add_proof, believe, known_person, owner_of_mail, proof_of_mail
from userflows.sign_in_words import reason_in_words

# An id that no provider gives: the account there is one that was never seen here.
NEVER_SEEN = "\t"


@dataclass(frozen=True)
class Outlook:
    """What a provider would lead to, in sentences."""

    provider: IdentityProvider
    sentences: list[str]


@dataclass(frozen=True)
class Explanation:
    """`owner` has the address in this tenant. `home` is where typing it leads."""

    mail: str
    owner: User | None
    home: IdentityProvider | None
    outlooks: list[Outlook]


def explain(tenant: Tenant, mail: str, user_flow: UserFlow | None) -> Explanation:
    """Explain an address in a flow as people meet it now; without a flow, where only the tenant's rules count."""
    definition = user_flow.live_version.definition if user_flow and user_flow.live_version else plain_definition(tenant)
    offered = {way["id"]: place for place, way in enumerate(definition["ways"])}
    providers = [each for each in IdentityProvider.objects.filter(tenant=tenant) if each.is_known_kind]
    providers.sort(key=lambda each: offered.get(str(each.pk), len(offered)))
    ways = [each for each in providers if str(each.pk) in offered and each.is_enabled]
    owner = User.objects.with_mail(tenant, mail).filter(is_test=False).first()
    case = Case(tenant, mail, user_flow, definition, owner)
    return Explanation(
        mail,
        owner,
        provider_of_mail(ways, mail),
        [Outlook(each, case.of(each, is_offered=str(each.pk) in offered)) for each in providers],
    )


@dataclass(frozen=True)
class Case:
    tenant: Tenant
    mail: str
    user_flow: UserFlow | None
    definition: Definition
    owner: User | None

    def of(self, provider: IdentityProvider, *, is_offered: bool) -> list[str]:
        if not provider.is_enabled:
            return [_("It is switched off: nobody is offered it.")]
        if self.user_flow and not is_offered:
            return [_("This user flow doesn't offer it.")]
        if not is_usable(provider):
            return [_("It isn't set up yet: nobody can sign in with it.")]
        if provider.kind == PASSKEY:
            return [self._by_passkey()]
        if provider.kind in (EMAIL_CODE, EMAIL_PASSWORD):
            return [self._by_mail(provider)]
        return self._by_federation(provider)

    def _journey(self) -> Journey:
        flow = self.user_flow
        return Journey(
            tenant=self.tenant,
            user_flow=flow,
            flow_version=flow.live_version if flow else None,
            definition=self.definition,
            application=Application(tenant=self.tenant),
        )

    def _by_passkey(self) -> str:
        if self.owner is None or not passkeys_of(self.owner):
            return _("Nobody with this address has a passkey. They are offered one after they have signed in.")
        return _("They sign in as %(name)s with a passkey of theirs.") % {"name": self.owner}

    def _by_mail(self, provider: IdentityProvider) -> str:
        journey = self._journey()
        add_proof(journey, proof_of_mail(self.mail, way=str(provider.pk), kind=provider.kind))
        journey.learn(mail=self.mail, mail_proven=self.mail)
        if provider.kind == EMAIL_CODE:
            first = _("We mail them a code, which they type.")
        elif self.owner is not None and self.owner.has_usable_password():
            first = _("They type their password.")
        else:
            first = _("They have no password yet: they choose one after typing a code that we mail to them.")
        return f"{first} {self._outcome(journey)}"

    def _by_federation(self, provider: IdentityProvider) -> list[str]:
        sentences = []
        if self.owner is not None and self.owner.identities.filter(_same_issuer(provider)).exists():
            words = _("With the account that they have used there before, they sign in as %(name)s.")
            sentences.append(words % {"name": self.owner})
        told = Told(issuer=provider.issuer or NEVER_SEEN, subject=NEVER_SEEN, mail=self.mail, is_mail_verified=True)
        journey = self._journey()
        believe(journey, provider, told)
        other = (
            _("With another account there that tells this address:") if sentences else _("If it tells this address:")
        )
        return [*sentences, f"{other} {_proof_of_address(provider, self.mail)} {self._outcome(journey)}"]

    def _outcome(self, journey: Journey) -> str:
        """Return what the identity rules say once the address is proven."""
        person = known_person(journey)
        if person is not None:
            if person.deleted_at is not None or not person.is_active:
                return _("Then they are refused: the account of %(name)s is disabled or deleted.") % {"name": person}
            return _("Then they sign in as %(name)s.") % {"name": person}
        owner = owner_of_mail(journey)
        if owner is not None:
            words = _("Then they are asked to prove that they are %(name)s, by a way that %(name)s has used before.")
            return words % {"name": owner}
        try:
            check_sign_up_allowed(journey)
        except UserFlowError as refusal:
            return _("Then they are refused: %(reason)s") % {"reason": self._reason(refusal)}
        return _("Then they sign up: the user flow's questions are asked, and a guest is made.")

    def _reason(self, refusal: UserFlowError) -> str:
        if self.user_flow is None:
            return _("nobody signs up without a user flow. Choose one to see what it says.")
        return reason_in_words(refusal.reason) if refusal.reason else refusal.explanation


def _proof_of_address(provider: IdentityProvider, mail: str) -> str:
    if is_listed(mail, provider.trusted_domains):
        return _("the address counts as verified, because its domain is a trusted one of this provider.")
    if provider.about.mail_trust is MailTrust.CLAIM or provider.setting("trusts_mail"):
        return _("the address counts as verified if the provider says so; otherwise we mail them a code first.")
    return _("the provider's word isn't enough: we mail them a code first.")


def _same_issuer(provider: IdentityProvider) -> Q:
    return Q(issuer=provider.issuer) if provider.issuer else Q(identity_provider=provider)
