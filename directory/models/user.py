import unicodedata
import uuid
from datetime import datetime
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models.functions import Lower
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from directory.models.tenant import Tenant


class UserType(models.TextChoices):
    MEMBER = "Member", _("Member")
    GUEST = "Guest", _("Guest")


class CreationType(models.TextChoices):
    """How the account came to be (Graph user.creationType)."""

    ORDINARY = "", _("Created by an administrator")
    SELF_SERVICE_SIGN_UP = "SelfServiceSignUp", _("Self-service sign-up")


# What a search over people looks at, beside the custom attributes.
SEARCHED = (
    *("mail", "display_name", "given_name", "surname", "job_title"),
    *("street_address", "postal_code", "city", "state", "country"),
)


class UserQuerySet(models.QuerySet["User"]):
    def existing(self) -> "UserQuerySet":
        """Those who are not deleted: a deleted person can be restored for 30 days, but is in no list."""
        return self.filter(deleted_at__isnull=True)

    def with_mail(self, tenant: Tenant | None, mail: str) -> "UserQuerySet":
        """The person of `tenant` with this address, whatever its case; None asks for platform operators."""
        # The unique index is on the lower-cased address: with "iexact" PostgreSQL would read the whole tenant.
        return self.alias(mail_in_lower_case=Lower("mail")).filter(
            tenant=tenant, mail_in_lower_case=Lower(models.Value(mail))
        )


class UserManager(BaseUserManager["User"].from_queryset(UserQuerySet)):  # type: ignore[misc]
    """`get_by_natural_key` and the query set's questions; people are made by verbs, not by the manager."""


def _composed(raw_password: str | None) -> str | None:
    """Keyboards send “é” as one character or as two: the same password (RFC 8265 4.2.2, NIST SP 800-63B 3.1.1.2)."""
    return raw_password and unicodedata.normalize("NFC", raw_password)


class User(AbstractBaseUser):
    """A person in a tenant's directory, or (with no tenant) a platform operator."""

    id = models.UUIDField(_("object id"), primary_key=True, default=uuid.uuid4, editable=False)
    tenant = models.ForeignKey(
        Tenant, verbose_name=_("tenant"), null=True, blank=True, on_delete=models.CASCADE, related_name="users"
    )
    is_operator = models.BooleanField(_("platform operator"), default=False, editable=False)
    user_type = models.CharField(_("user type"), max_length=10, choices=UserType, default=UserType.GUEST)
    creation_type = models.CharField(
        _("creation type"), max_length=20, choices=CreationType, default=CreationType.ORDINARY, blank=True
    )
    account_enabled = models.BooleanField(
        _("account enabled"), default=True, help_text=_("Off: the person can no longer sign in, at once.")
    )
    preferred_language = models.CharField(_("preferred language"), max_length=20, blank=True)

    mail = models.EmailField(_("email address"), max_length=254)
    display_name = models.CharField(_("display name"), max_length=256, blank=True)
    given_name = models.CharField(_("first name"), max_length=64, blank=True)
    surname = models.CharField(_("last name"), max_length=64, blank=True)
    job_title = models.CharField(_("job title"), max_length=128, blank=True)
    street_address = models.CharField(_("street address"), max_length=1024, blank=True)
    city = models.CharField(_("city"), max_length=128, blank=True)
    state = models.CharField(_("state or province"), max_length=128, blank=True)
    postal_code = models.CharField(_("postal code"), max_length=40, blank=True)
    country = models.CharField(_("country or region"), max_length=128, blank=True)
    extension_values = models.JSONField(
        _("custom attributes"),
        default=dict,
        blank=True,
        help_text=_("Values by attribute name, such as extension_Hobby."),
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    deleted_at = models.DateTimeField(_("deleted"), null=True, editable=False)
    is_test = models.BooleanField(
        _("test user"), default=False, editable=False, help_text=_("Made by “Run user flow”; deleted after a day.")
    )
    # What rests on a sign-in from before is void (Graph user.signInSessionsValidFromDateTime). A whole second, like
    # `auth_time`, which it is compared with.
    sign_in_sessions_valid_from = models.DateTimeField(null=True, editable=False)
    # Everything that a search looks at, in lower case: one column, so that one index serves it.
    search_text = models.TextField(blank=True, default="", editable=False)

    objects = UserManager()

    USERNAME_FIELD = "id"
    EMAIL_FIELD = "mail"
    REQUIRED_FIELDS = []

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")
        constraints = [
            models.UniqueConstraint(
                "tenant",
                Lower("mail"),
                name="user_mail_unique_in_tenant",
                violation_error_message=_("Somebody in this tenant has this email address."),
            ),
            models.UniqueConstraint(
                Lower("mail"),
                condition=models.Q(tenant__isnull=True),
                name="operator_mail_unique",
                violation_error_message=_("There is an operator with this email address."),
            ),
            models.CheckConstraint(
                condition=models.Q(is_operator=True, tenant__isnull=True)
                | models.Q(is_operator=False, tenant__isnull=False),
                name="user_is_operator_or_in_tenant",
                violation_error_message=_("A person belongs to a tenant or is a platform operator."),
            ),
        ]
        indexes = [
            models.Index(fields=("tenant", "-created_at"), name="user_by_tenant_newest"),
            models.Index(
                fields=("tenant", "-deleted_at"),
                condition=models.Q(deleted_at__isnull=False),
                name="user_deleted_in_tenant",
            ),
            models.Index(fields=("created_at",), condition=models.Q(is_test=True), name="user_test_oldest"),
            # What few people are, lists find without reading the many.
            models.Index(fields=("tenant", "user_type", "-created_at"), name="user_by_type_newest"),
            models.Index(
                fields=("tenant", "-created_at"),
                condition=models.Q(account_enabled=False),
                name="user_disabled_newest",
            ),
        ]

    def __str__(self) -> str:
        return self.display_name or self.mail

    def save(self, *args: Any, **kwargs: Any) -> None:
        values = [getattr(self, name) for name in SEARCHED]
        values += [str(value) for value in self.extension_values.values() if not isinstance(value, bool)]
        self.search_text = "\n".join(value.lower() for value in values if value)
        names = kwargs.get("update_fields")
        if names is not None and {*SEARCHED, "extension_values"} & set(names):
            kwargs["update_fields"] = {*names, "search_text"}
        super().save(*args, **kwargs)

    def set_password(self, raw_password: str | None) -> None:
        super().set_password(_composed(raw_password))

    def check_password(self, raw_password: str) -> bool:
        return super().check_password(_composed(raw_password) or "")

    @property
    def is_active(self) -> bool:  # type: ignore[override]
        """May sign in: Django's session and authentication code asks for it, and so does everything of ours."""
        return self.account_enabled and self.deleted_at is None

    def was_revoked_after(self, signed_in_at: datetime | None) -> bool:
        """Answer whether sessions, codes and tokens of a sign-in at that time were voided since."""
        valid_from = self.sign_in_sessions_valid_from
        return valid_from is not None and (signed_in_at is None or signed_in_at < valid_from)

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """Django compares it at every request: a session that was being made while all were revoked is void too."""
        valid_from = self.sign_in_sessions_valid_from
        facts = f"{self.password}|{valid_from.timestamp() if valid_from else ''}"
        return salted_hmac("directory.User.session", facts, secret=secret, algorithm="sha256").hexdigest()

    @property
    def is_guest(self) -> bool:
        return self.user_type == UserType.GUEST

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        """Operators may do everything on the platform site; in a tenant the roles decide (directory.roles)."""
        return self.is_operator and self.is_active

    def has_module_perms(self, app_label: str) -> bool:
        return self.is_operator and self.is_active
