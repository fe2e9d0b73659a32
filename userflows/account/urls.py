from django.urls import path

from userflows.account import passkey_views, views, way_views

urlpatterns = [
    path("", views.home, name="account"),
    path("closed/", views.closed, name="account-closed"),
    path("sessions/end/", views.end_sessions, name="account-end-sessions"),
    path("address/", way_views.address, name="account-address"),
    path("address/code/", way_views.address_code, name="account-address-code"),
    path("password/", way_views.password, name="account-password"),
    path("password/remove/", way_views.remove_password, name="account-remove-password"),
    path("ways/<uuid:identity_id>/remove/", way_views.remove_way, name="account-remove-way"),
    path("passkeys/add/", passkey_views.add, name="account-add-passkey"),
    path("passkeys/<int:passkey_id>/rename/", passkey_views.rename, name="account-rename-passkey"),
    path("passkeys/<int:passkey_id>/remove/", passkey_views.remove, name="account-remove-passkey"),
]
