from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from directory.admin.deleted_user import DeletedUserAdmin
from directory.admin.filters import SelectFilter, relation_filter
from directory.admin.people_export import Column
from directory.admin.scoping import roles_in, tenant_of
from directory.identity_provider_settings import ENTRA_ISSUER
from directory.models import Application, User
from directory.roles import may
from userflows import erasure
from userflows.admin.person_passkeys import PersonPasskeyPages
from userflows.models import SignIn, SignUp, UserFlow
from userflows.provider_names import offered_issuers, provider_name

# Both are written in one moment; the sign-up's has an index with each of the filters here.
SAME_ORDER = {"created_at": "sign_up__created_at"}


class IdentityProviderFilter(SelectFilter):
    """By what a sign-up keeps of the provider: the issuer of its identities."""

    title = _("identity provider")
    parameter_name = "provider"
    same_order = SAME_ORDER

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return offered_issuers(tenant_of(request))

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
        if not self.value():
            return queryset
        name = str(self.value()).replace("\x00", "")
        # Entra's: one for each organisation.
        column = "sign_up__identity_provider" + ("__startswith" if name == ENTRA_ISSUER else "")
        return queryset.filter(sign_up__tenant=tenant_of(request), **{column: name})


@dataclass(frozen=True)
class Fact:
    label: str | Promise
    value: str
    url: str = ""


@dataclass(frozen=True)
class Link:
    label: str | Promise
    url: str


@dataclass(frozen=True)
class Origin:
    """Why a person exists: in one sentence, in facts, and where to read on."""

    sentence: str
    facts: list[Fact]
    links: list[Link]


def sign_up_of(user: User) -> SignUp | None:
    return getattr(user, "sign_up", None)


def flow_and_version(sign_up: SignUp) -> str:
    """Return the words “B2X_1_Suppliers v3”: as they were then, the flow may be gone."""
    if not sign_up.user_flow_name:
        return ""
    return f"{sign_up.user_flow_name} v{sign_up.version_number}" if sign_up.version_number else sign_up.user_flow_name


def _of_sign_up(title: str, name: str, subject: str) -> Column:
    return Column(title, lambda user: getattr(sign_up_of(user), name, ""), subject)


class FlowDeletedUserAdmin(DeletedUserAdmin):
    erase = staticmethod(erasure.delete_for_good)


class FlowUserAdmin(PersonPasskeyPages):
    """The people, with what the ground floor doesn't know: by which flow, application and provider they came."""

    deleted_users = FlowDeletedUserAdmin
    list_display = (
        *("name", "mail", "user_type", "state_badge", "signed_up", "last_sign_in"),
        *("came_by", "application", "provider"),
    )
    list_filter = (
        *PersonPasskeyPages.list_filter,
        relation_filter("user_flow", UserFlow, _("user flow"), path="sign_up__user_flow", same_order=SAME_ORDER),
        relation_filter(
            "application", Application, _("application"), path="sign_up__application", same_order=SAME_ORDER
        ),
        IdentityProviderFilter,
    )
    origin_columns = (
        _of_sign_up("userFlow", "user_flow_name", "userflow"),
        _of_sign_up("userFlowVersion", "version_number", "userflow"),
        _of_sign_up("application", "application_name", "application"),
        _of_sign_up("identityProvider", "identity_provider", "identityprovider"),
    )

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        return super().get_queryset(request).select_related("sign_up")

    @admin.display(description=_("came by"))
    def came_by(self, user: User) -> str:
        sign_up = sign_up_of(user)
        return flow_and_version(sign_up) if sign_up else "–"

    @admin.display(description=_("application"))
    def application(self, user: User) -> str:
        sign_up = sign_up_of(user)
        return sign_up.application_name if sign_up else "–"

    @admin.display(description=_("provider"))
    def provider(self, user: User) -> str:
        sign_up = sign_up_of(user)
        return provider_name(sign_up.identity_provider) if sign_up else "–"

    def about(self, request: HttpRequest, person: User) -> dict[str, Any]:
        sign_up = sign_up_of(person)
        return {**super().about(request, person), "origin": self._origin(request, sign_up) if sign_up else None}

    def _origin(self, request: HttpRequest, sign_up: SignUp) -> Origin:
        sentence = _now("They signed up by themselves, to use %(application)s, through the user flow %(flow)s.") % {
            "application": sign_up.application_name,
            "flow": flow_and_version(sign_up),
        }
        return Origin(sentence, self._facts(request, sign_up), self._links(request, sign_up))

    def _facts(self, request: HttpRequest, sign_up: SignUp) -> list[Fact]:
        flow_url = self._url(request, UserFlow, sign_up.user_flow_id)
        application_url = self._url(request, Application, sign_up.application_id)
        version = str(sign_up.version_number or "–")
        return [
            Fact(_("User flow"), sign_up.user_flow_name or "–", flow_url),
            Fact(_("Version"), version, self._version_url(request, sign_up)),
            Fact(_("Application"), sign_up.application_name, application_url),
            Fact(_("Identity provider"), provider_name(sign_up.identity_provider)),
            Fact(_("Time (UTC)"), f"{sign_up.created_at:%Y-%m-%d %H:%M:%S}"),
            Fact(_("Correlation ID"), str(sign_up.correlation_id)),
        ]

    def _links(self, request: HttpRequest, sign_up: SignUp) -> list[Link]:
        links = []
        entry = SignIn.objects.filter(pk=sign_up.journey_id, tenant=sign_up.tenant_id).values_list("pk", flat=True)
        log_url = self._url(request, SignIn, entry.first())
        if log_url:
            links.append(Link(_("The journey, step by step (sign-in log)"), log_url))
        if may(roles_in(request), action="view", subject="auditevent"):
            events = reverse(f"{self.admin_site.name}:directory_auditevent_changelist")
            links.append(Link(_("Audit events of the journey"), f"{events}?q={sign_up.correlation_id}"))
        return links

    def _url(self, request: HttpRequest, model: type[models.Model], key: Any) -> str:
        """Return the page of another row, "" where there is none or the person may not see it."""
        name = model._meta.model_name or ""
        if key is None or not self.admin_site.is_registered(model):
            return ""
        if not may(roles_in(request), action="view", subject=name):
            return ""
        return reverse(f"{self.admin_site.name}:{model._meta.app_label}_{name}_change", args=(key,))

    def _version_url(self, request: HttpRequest, sign_up: SignUp) -> str:
        flow_url = self._url(request, UserFlow, sign_up.user_flow_id)
        if not flow_url or sign_up.flow_version_id is None:
            return ""
        name = f"{self.admin_site.name}:userflows_userflow_version"
        return reverse(name, args=(sign_up.user_flow_id, sign_up.version_number))
