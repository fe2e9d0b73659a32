"""What happened to the ways in which a person signs in: written into the log, and mailed, in case it wasn't them."""

from django.conf import settings
from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from directory import audit
from directory.models import Tenant, User
from userflows.mail import send_mail_in_background


class Change(models.TextChoices):
    """The activity in the log, and the sentence in the mail."""

    IDENTITY_REMOVED = "identity.removed", _("A way to sign in was removed from your account.")
    PASSKEY_ADDED = "passkey.added", _("A passkey was added to your account. It signs you in from now on.")
    PASSWORD_REMOVED = "user.password_removed", _("The password was removed from your account.")  # noqa: S105
    PASSKEY_REMOVED = "passkey.removed", _("A passkey was removed from your account.")


def account_url(tenant: Tenant) -> str:
    """Return where people of a tenant look after their account."""
    return f"{settings.BASE_URL}/{tenant.slug}/account/"


@transaction.atomic
def tell(user: User, change: Change, *, way: str, actor: models.Model | None = None) -> None:
    """Write a change down and mail it to the person. `way` is its name: “Google”, “Chrome on Linux”."""
    audit.record(
        change.value, tenant=user.tenant, actor=actor or user, target=user, details={"way": way} if way else {}
    )
    if user.tenant is None:
        return
    send_mail_in_background(
        "security_notice",
        to=user.mail,
        tenant=user.tenant,
        subject_values={"tenant": user.tenant.name},
        context={
            "what": change.label,
            "factor": way,
            "tenant_name": user.tenant.name,
            "at": timezone.now(),
            "user": user,
            "account_url": account_url(user.tenant),
        },
    )
