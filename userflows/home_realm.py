"""Home realm discovery: to which provider a person is led without choosing, and when they are not.

By what the application says (`domain_hint`, `login_hint`), by the address that they type, or because there is only one
way. Only among the flow's own ways; never again in a journey in which a provider led nowhere, and never for an
application that asks to have an account chosen (`prompt=select_account`).
"""

from urllib.parse import parse_qs, urlsplit

from directory.email_domains import domain_of
from directory.identity_provider_kinds import kinds
from directory.models import IdentityProvider
from userflows.models import Journey
from userflows.ways import federated, open_ways


def direct_way(journey: Journey) -> IdentityProvider | None:
    """Return the provider to which the person is led before they have said anything. Raises NoWayToSignIn."""
    facts = journey.facts
    domain_hint, login_hint = facts.get("domain_hint", ""), facts.get("login_hint", "")
    is_single = _has_one_federated_way(journey)
    # In this order: most journeys are done with after the first look, which costs nothing.
    if not (is_single or domain_hint or "@" in login_hint) or not _may_lead(journey):
        return None
    ways = open_ways(journey)
    hinted = provider_of_hint(ways, domain_hint) or provider_of_mail(ways, login_hint)
    return hinted or (ways[0] if is_single else None)


def typed_way(journey: Journey, mail: str) -> IdentityProvider | None:
    """Return the provider to which somebody with this address belongs. Raises NoWayToSignIn."""
    return provider_of_mail(open_ways(journey), mail) if _may_lead(journey) else None


def provider_of_mail(ways: list[IdentityProvider], mail: str) -> IdentityProvider | None:
    """Return whose listed domains the address belongs to. Of several the one that says it most exactly, then first."""
    return _lister_of(ways, domain_of(mail)) if "@" in mail else None


def provider_of_hint(ways: list[IdentityProvider], hint: str) -> IdentityProvider | None:
    """Return what a `domain_hint` means: a listed domain, or the word for a kind of which there is one here."""
    hint = hint.strip().lower()
    if not hint:
        return None
    of_kind = [provider for provider in federated(ways) if hint in provider.about.hints]
    return _lister_of(ways, hint) or (of_kind[0] if len(of_kind) == 1 else None)


def _lister_of(ways: list[IdentityProvider], domain: str) -> IdentityProvider | None:
    """A listed domain stands for its subdomains too."""
    listed = [
        (len(name), provider)
        for provider in federated(ways)
        for name in provider.domains
        if domain == name or domain.endswith(f".{name}")
    ]
    return max(listed, key=lambda found: found[0], default=(0, None))[1]


def _has_one_federated_way(journey: Journey) -> bool:
    ways = journey.definition["ways"]
    kind = kinds().get(ways[0]["kind"]) if len(ways) == 1 else None
    return kind is not None and kind.is_federated


def _may_lead(journey: Journey) -> bool:
    facts = journey.facts
    if facts.get("declined") or facts.get("proofs"):
        return False
    prompts = parse_qs(urlsplit(journey.return_path).query).get("prompt", [""])
    return "select_account" not in " ".join(prompts).split()
