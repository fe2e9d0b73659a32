from django.urls import path

from identity_portal.oidc import metadata, sign_out
from identity_portal.oidc.authorize import AuthorizeView
from identity_portal.oidc.endpoints import RevokeView, TokenView, UserInfoView

urlpatterns = [
    path(".well-known/openid-configuration", metadata.discovery, name="discovery"),
    path("v2.0/.well-known/openid-configuration", metadata.discovery, name="discovery-v2"),
    path("discovery/v2.0/keys", metadata.key_set, name="key-set"),
    path("oauth2/v2.0/authorize", AuthorizeView.as_view(), name="authorize"),
    path("oauth2/v2.0/token", TokenView.as_view(), name="token"),
    path("oauth2/v2.0/revoke", RevokeView.as_view(), name="revoke"),
    path("oauth2/v2.0/logout", sign_out.end_session, name="end-session"),
    path("oauth2/v2.0/logout/confirm", sign_out.confirm, name="sign-out-confirm"),
    path("oauth2/v2.0/logout/done", sign_out.signed_out, name="signed-out"),
    path("oidc/userinfo", UserInfoView.as_view(), name="userinfo"),
]
