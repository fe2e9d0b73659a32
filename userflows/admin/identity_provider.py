from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib import admin
from django.db import models
from django.db.models import Exists, OuterRef
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from directory.admin.identity_provider import IdentityProviderAdmin
from directory.identity_provider_kinds import Protocol
from directory.models import Identity, IdentityProvider, User
from userflows.admin.identity_provider_explain import ExplainPage
from userflows.admin.identity_provider_metadata import MetadataPage
from userflows.admin.identity_provider_test import ConnectionTestPages
from userflows.federation import addresses
from userflows.federation.saml_metadata import make_key_pair
from userflows.models import IdentityProviderAssignment, UserFlowVersion

# A sentence that names more is read by nobody.
MAX_NAMES = 20


class FlowIdentityProviderAdmin(ConnectionTestPages, MetadataPage, ExplainPage):
    """The identity providers, with what the ground floor doesn't know: flows, addresses to come back to, handshakes."""

    list_display = (*IdentityProviderAdmin.list_display[:3], "flow_count", *IdentityProviderAdmin.list_display[3:])

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        assignments = IdentityProviderAssignment.objects.filter(identity_provider=models.OuterRef("pk"))
        counted = assignments.order_by().values("identity_provider").annotate(count=models.Count("pk")).values("count")
        annotated: models.QuerySet[Any] = (
            super()
            .get_queryset(request)
            .select_related("tenant")
            .annotate(flow_count=Coalesce(models.Subquery(counted), 0))
        )
        return annotated

    @admin.display(description=_("offered in user flows"))
    def flow_count(self, provider: Any) -> int:
        return int(provider.flow_count)

    def save_model(self, request: HttpRequest, obj: IdentityProvider, form: Any, change: Any) -> None:
        if not change and obj.about.protocol is Protocol.SAML:
            make_key_pair(obj)
            obj.settings = {**obj.settings, "signs_requests": True}
        super().save_model(request, obj, form, change)

    def about(self, request: HttpRequest, provider: IdentityProvider) -> dict[str, Any]:
        shown = super().about(request, provider)
        values = _values_to_paste(provider)
        return {
            **shown,
            "pasted": [(label, values[name]) for name, label in shown["guide"].pasted],
            "sp_certificate": provider.setting("sp_certificate"),
            "flows": _some(_offering(provider)),
        }

    def what_switching_hits(self, provider: IdentityProvider) -> list[str]:
        if not provider.is_enabled:
            flows = _offering(provider)
            if not flows:
                return [_now("No user flow offers it yet. Add it under “Ways to sign in” of one, and publish that.")]
            return [_now("These user flows offer it: %(flows)s.") % {"flows": _some(flows)}]
        needed = flows_that_need(provider)
        hits = [_now("Nobody can sign in with it any more, from this moment on. Who is signed in stays signed in.")]
        if needed:
            words = _now("It is the only way to sign in of these user flows, which nobody can use then: %(flows)s.")
            hits.append(words % {"flows": _some(needed)})
        return hits

    def what_deleting_hits(self, request: HttpRequest, obj: IdentityProvider) -> list[str]:
        people, locked_out = _people_of(obj)
        sentences = [_people_sentence(people, locked_out)]
        live, needed = _live_flows(obj), flows_that_need(obj)
        if live:
            sentences.append(_now("These live user flows lose it at once: %(flows)s.") % {"flows": _some(live)})
        if needed:
            words = _now("It is their only way to sign in, so that nobody can use them then: %(flows)s.")
            sentences.append(words % {"flows": _some(needed)})
        sentences.append(_now("Its secret is deleted. To stop its use for a while, switch it off instead."))
        return sentences


def _values_to_paste(provider: IdentityProvider) -> dict[str, str | Promise]:
    return {
        "callback": addresses.callback_url(provider),
        "acs": addresses.acs_url(provider),
        "metadata": addresses.metadata_url(provider),
        "sls": addresses.single_logout_url(provider),
        "signed_out": addresses.signed_out_url(provider),
        "domain": urlsplit(settings.BASE_URL).hostname or "",
        "scopes": " ".join(provider.setting("scopes") or provider.about.scopes),
    }


def _people_of(provider: IdentityProvider) -> tuple[int, int]:
    """Return how many people have signed in with it, and how many of them know no other way."""
    own = Identity.objects.filter(user=OuterRef("pk"), identity_provider=provider)
    others = Identity.objects.filter(user=OuterRef("pk")).exclude(identity_provider=provider)
    people = User.objects.filter(Exists(own), tenant=provider.tenant_id)
    return people.count(), people.filter(~Exists(others)).count()


def _people_sentence(people: int, locked_out: int) -> str:
    if not people:
        return _now("Nobody has signed in with it yet.")
    words = ngettext(
        "%(people)d person has signed in with it; people who know no other way: %(locked_out)d. They are locked out.",
        "%(people)d people have signed in with it; those who know no other way: %(locked_out)d. They are locked out.",
        people,
    )
    return words % {"people": people, "locked_out": locked_out}


def _offering(provider: IdentityProvider) -> list[str]:
    """Return the names of the flows whose draft or live version offers it."""
    drafts = provider.user_flow_assignments.values_list("user_flow__name", flat=True)
    return sorted({*drafts, *_live_flows(provider)})


def _live_flows(provider: IdentityProvider) -> list[str]:
    live = UserFlowVersion.objects.filter(live_in__tenant=provider.tenant_id).order_by("live_in__name")
    ways = live.values_list("live_in__name", "definition__ways")
    return [name for name, offered in ways if str(provider.pk) in {way["id"] for way in offered}]


def _some(names: list[str]) -> str:
    shown = ", ".join(names[:MAX_NAMES])
    return f"{shown}, … ({len(names)})" if len(names) > MAX_NAMES else shown


def flows_that_need(provider: IdentityProvider) -> list[str]:
    """Return the names of the live flows in which nobody could sign in without this provider."""
    enabled = IdentityProvider.objects.filter(tenant=provider.tenant_id, is_enabled=True).exclude(pk=provider.pk)
    others = {str(pk) for pk in enabled.values_list("pk", flat=True)}
    live = UserFlowVersion.objects.filter(live_in__tenant=provider.tenant_id).order_by("live_in__name")
    return [
        name
        for name, ways in live.values_list("live_in__name", "definition__ways")
        if str(provider.pk) in (ids := {way["id"] for way in ways}) and not ids & others
    ]
