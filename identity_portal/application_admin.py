"""The applications, with what only the top floor knows: their authority's addresses, and code that uses them."""

from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _

from directory.admin.scoping import tenant_of
from directory.models import Application, ApplicationKind
from identity_portal.authority import Authority
from identity_portal.oidc.metadata import discovery_document
from identity_portal.snippets import discovery_url, snippets_for
from userflows.admin import FlowApplicationAdmin


class PortalApplicationAdmin(FlowApplicationAdmin):
    def overview(self, request: HttpRequest, application: Application) -> dict[str, Any]:
        # The tenant's own authority, not the flow's: the application may move to another flow and needn't change.
        authority = Authority(tenant=tenant_of(request))
        facts = [
            (_("Application (client) ID"), application.client_id),
            (_("Authority"), authority.url),
            (_("Issuer"), authority.issuer),
            (_("Discovery document"), discovery_url(authority)),
        ]
        metadata = discovery_document(authority)
        endpoints = [(name, url) for name, url in metadata.items() if name.endswith(("_endpoint", "_uri"))]
        return {
            **super().overview(request, application),
            "facts": facts,
            "endpoints": endpoints,
            "snippets": [] if application.is_first_party else snippets_for(application, authority),
            "lacks_redirect_uri": application.kind != ApplicationKind.DAEMON and not application.redirect_uris.split(),
        }
