"""What happened to a person's own sign-in: written into the log, and mailed to them, in case it wasn't them."""

from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from directory import audit
from directory.models import User
from userflows.mail import send_mail_in_background


class Change(models.TextChoices):
    """The activity in the log, and the sentence in the mail."""

    FACTOR_ADDED = "second_factor.added", _("A second factor was added to your account.")
    FACTOR_REMOVED = "second_factor.removed", _("A second factor was removed from your account.")
    FACTORS_RESET = (
        "second_factor.reset",
        _("Your second factors were removed for you. You set up a new one when you sign in next."),
    )
    CODES_GUESSED = (
        "second_factor.guessed",
        _("Somebody who knows your password has entered too many wrong codes. They did not get in."),
    )
    RECOVERY_CODE_USED = "recovery_code.used", _("One of your recovery codes was used.")
    RECOVERY_CODES_REPLACED = "recovery_codes.replaced", _("New recovery codes were made. The old ones work no more.")
    PASSWORD_CHANGED = "password.changed", _("Your password was changed.")  # noqa: S105


@transaction.atomic
def tell(
    user: User, change: Change, *, actor: models.Model | None = None, factor: str = "", recorded: bool = False
) -> None:
    """Write a change down (unless its verb has `recorded` it) and mail it to the person."""
    if not recorded:
        details = {"factor": factor} if factor else {}
        audit.record(change.value, tenant=user.tenant, actor=actor or user, target=user, details=details)
    name = user.tenant.name if user.tenant else _now("Identity Portal")
    send_mail_in_background(
        "security_notice",
        to=user.mail,
        tenant=user.tenant,
        subject_values={"tenant": name},
        context={"what": change.label, "factor": factor, "tenant_name": name, "at": timezone.now(), "user": user},
    )
