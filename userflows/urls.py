from django.urls import path

from userflows import views

urlpatterns = [
    path("journey/<uuid:journey_id>/", views.resume, name="journey-resume"),
    path("journey/<uuid:journey_id>/cancel/", views.cancel, name="journey-cancel"),
    path("journey/<uuid:journey_id>/<slug:step_name>/", views.step, name="journey-step"),
]
