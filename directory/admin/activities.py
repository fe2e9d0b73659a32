"""The activities of the audit log in words. The code stays beside them: filters, exports and searches go by it."""

from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

ACTIVITIES: dict[str, str | Promise] = {
    "application.assigned": _("Application got a user flow"),
    "application.created": _("Application added"),
    "application.deleted": _("Application deleted"),
    "application.moved": _("Application got another user flow"),
    "application.unassigned": _("Application left its user flow"),
    "application.updated": _("Application changed"),
    "audit_log.exported": _("Audit log exported"),
    "authorization_code.replayed": _("Authorization code used twice"),
    "client_secret.created": _("Client secret added"),
    "client_secret.removed": _("Client secret removed"),
    "email_code.sent": _("Email code sent"),
    "email_code.verified": _("Email code checked"),
    "identity_provider.created": _("Identity provider added"),
    "identity_provider.deleted": _("Identity provider deleted"),
    "identity_provider.updated": _("Identity provider changed"),
    "journey.cancelled": _("Sign-up or sign-in cancelled"),
    "one_time_link.created": _("One-time link made"),
    "operator.created": _("Operator added"),
    "operator.deleted": _("Operator deleted"),
    "operator.updated": _("Operator changed"),
    "password.changed": _("Password changed"),
    "password.forgotten": _("New password asked for"),
    "people.exported": _("People exported"),
    "recovery_code.used": _("Recovery code used"),
    "recovery_codes.replaced": _("New recovery codes made"),
    "refresh_token.reused": _("Refresh token used twice"),
    "role.assigned": _("Role given"),
    "role.created": _("Role given"),
    "role.deleted": _("Role taken away"),
    "role.removed": _("Role taken away"),
    "role.updated": _("Role changed"),
    "second_factor.added": _("Second factor added"),
    "second_factor.guessed": _("Second factor guessed at"),
    "second_factor.removed": _("Second factor removed"),
    "second_factor.reset": _("Second factors reset"),
    "sign_in.created": _("Sign-in entry added"),
    "sign_in.deleted": _("Sign-in entry deleted"),
    "sign_in.refused": _("Sign-in refused"),
    "sign_in.updated": _("Sign-in entry changed"),
    "sign_in_log.exported": _("Sign-in log exported"),
    "sign_up.refused": _("Sign-up refused"),
    "signing_key.created": _("Signing key added"),
    "signing_key.deleted": _("Signing key deleted"),
    "signing_key.rotated": _("Signing keys rotated"),
    "signing_key.updated": _("Signing key changed"),
    "tenant.created": _("Tenant added"),
    "tenant.deleted": _("Tenant deleted"),
    "tenant.updated": _("Tenant settings changed"),
    "test_user.deleted": _("Test user deleted"),
    "user.converted": _("Guest became a member"),
    "user.created": _("User added"),
    "user.deleted": _("User deleted"),
    "user.disabled": _("User disabled"),
    "user.enabled": _("User enabled"),
    "user.erased": _("User deleted for good"),
    "user.restored": _("User restored"),
    "user.sessions_revoked": _("Sessions revoked"),
    "user.signed_in": _("Signed in"),
    "user.signed_out": _("Signed out"),
    "user.signed_up": _("Signed up"),
    "user.stepped_up": _("Proved again who they are"),
    "user.updated": _("User changed"),
    "user_attribute.created": _("User attribute added"),
    "user_attribute.deleted": _("User attribute deleted"),
    "user_attribute.updated": _("User attribute changed"),
    "user_flow.created": _("User flow added"),
    "user_flow.deleted": _("User flow deleted"),
    "user_flow.draft_discarded": _("User flow's draft discarded"),
    "user_flow.paused": _("Sign-up paused in a user flow"),
    "user_flow.published": _("User flow published"),
    "user_flow.resumed": _("Sign-up resumed in a user flow"),
    "user_flow.rolled_back": _("User flow rolled back"),
    "user_flow.run": _("User flow run as a test"),
    "user_flow.updated": _("User flow's draft saved"),
    "user_flow_run.refused": _("Test run refused"),
}


def activity_in_words(code: str) -> str:
    return str(ACTIVITIES.get(code, code))


def titled_activity(code: str) -> SafeString:
    """For lists: the words, and the code for whoever points at them."""
    return format_html('<span title="{}">{}</span>', code, activity_in_words(code))
