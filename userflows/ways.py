"""The ways to sign in that a journey offers: those of its flow that the tenant has switched on now."""

from directory.models import EMAIL_CODE, EMAIL_PASSWORD, IdentityProvider
from userflows.errors import NoWayToSignIn
from userflows.models import Journey

MAIL_KINDS = (EMAIL_PASSWORD, EMAIL_CODE)


def open_ways(journey: Journey) -> list[IdentityProvider]:
    """Return the providers in the flow's order. Raises NoWayToSignIn where none is left."""
    if journey.ways is None:
        journey.ways = _look_up(journey)
    if not journey.ways:
        raise NoWayToSignIn(tenant_name=journey.tenant.name)
    return journey.ways


def _look_up(journey: Journey) -> list[IdentityProvider]:
    ids = [way["id"] for way in journey.definition["ways"]]
    providers = IdentityProvider.objects.filter(tenant=journey.tenant_id, pk__in=ids, is_enabled=True)
    found = {str(provider.pk): provider for provider in providers if provider.is_known_kind}
    return [found[id_] for id_ in ids if id_ in found]


def way_by_mail(ways: list[IdentityProvider]) -> IdentityProvider | None:
    """Return how a typed address is proven: by password where the flow has it, else by code. None: not at all."""
    by_kind = {provider.kind: provider for provider in ways}
    return next((by_kind[kind] for kind in MAIL_KINDS if kind in by_kind), None)


def federated(ways: list[IdentityProvider]) -> list[IdentityProvider]:
    return [provider for provider in ways if provider.about.is_federated]


def around_mail(ways: list[IdentityProvider]) -> tuple[list[IdentityProvider], list[IdentityProvider]]:
    """Return the federated providers that stand before the e-mail box, and those after it: all where there is none."""
    place = next((place for place, way in enumerate(ways) if way.kind in MAIL_KINDS), 0)
    return federated(ways[:place]), federated(ways[place:])


def named(ways: list[IdentityProvider]) -> list[tuple[IdentityProvider, str]]:
    """Return each with what its button says. Several of one vendor are told apart: by kind, or by their own names."""
    return [(way, _told_apart(way, [other for other in ways if other.shown_name == way.shown_name])) for way in ways]


def _told_apart(way: IdentityProvider, namesakes: list[IdentityProvider]) -> str:
    if len(namesakes) == 1:
        return way.shown_name
    is_only_of_kind = [other.kind for other in namesakes].count(way.kind) == 1
    return f"{way.shown_name} ({(is_only_of_kind and way.about.mark.qualifier) or way.name})"


def take_way(journey: Journey, provider: IdentityProvider) -> None:
    """Try this way next. The caller saves."""
    journey.forget("wants_password")
    journey.learn(way={"id": str(provider.pk), "kind": provider.kind})


def decline_way(journey: Journey) -> None:
    """The way in progress led nowhere: nobody is led anywhere by itself again in this journey. The caller saves."""
    facts = journey.facts
    declined = [*facts.get("declined", []), facts["way"]["id"]]
    journey.learn(declined=list(dict.fromkeys(declined)))
    journey.forget("way")
