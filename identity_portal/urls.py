"""What stands outside the tenants."""

from django.conf import settings
from django.urls import include, path

from identity_portal import health
from identity_portal.admin_sites import platform_site

urlpatterns = [
    path("admin/", platform_site.urls),
    path("healthz", health.healthz),
    path("readyz", health.readyz),
    *([path("demo/", include("identity_portal.demo.urls"))] if settings.DEMO else []),
]

handler400 = "identity_portal.errors.bad_request"
handler404 = "identity_portal.errors.page_not_found"
handler500 = "identity_portal.errors.server_error"
