from django.urls import include, path

from userflows import passkey_views, views

urlpatterns = [
    path("journey/<uuid:journey_id>/", views.resume, name="journey-resume"),
    path("journey/<uuid:journey_id>/cancel/", views.cancel, name="journey-cancel"),
    path("journey/<uuid:journey_id>/passkey/", passkey_views.use, name="journey-passkey"),
    path("journey/<uuid:journey_id>/passkey-offer/", passkey_views.offer, name="passkey-offer"),
    path("journey/<uuid:journey_id>/<slug:step_name>/", views.step, name="journey-step"),
    path("account/", include("userflows.account.urls")),
    path("federation/", include("userflows.federation.urls")),
]
