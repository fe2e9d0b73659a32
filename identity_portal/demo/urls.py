from django.urls import path

from identity_portal.demo import views

urlpatterns = [path("outbox/", views.outbox, name="demo-outbox")]
