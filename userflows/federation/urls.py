"""What stands at providers: these paths never change."""

from django.urls import path

from userflows.federation import saml_views, views

urlpatterns = [
    path("<uuid:provider_id>/callback", views.callback, name="federation-callback"),
    path("<uuid:provider_id>/acs", saml_views.acs, name="saml_acs"),
    path("<uuid:provider_id>/metadata", saml_views.metadata, name="saml_metadata"),
    path("<uuid:provider_id>/sls", saml_views.sls, name="saml_sls"),
]
