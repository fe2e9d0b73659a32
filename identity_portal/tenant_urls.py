"""What stands under `/{tenant}/`, and under `/{tenant}/{flow}/` too."""

from django.urls import include, path

from identity_portal.admin_sites import tenant_site

urlpatterns = [
    path("admin/", tenant_site.urls),
    path("", include("identity_portal.oidc.urls")),
    path("", include("userflows.urls")),
]

handler400 = "identity_portal.errors.bad_request"
handler404 = "identity_portal.errors.page_not_found"
handler500 = "identity_portal.errors.server_error"
