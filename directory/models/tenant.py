import re
import uuid
from datetime import timedelta

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator, RegexValidator, URLValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from directory.email_domains import Admission, split_domains

# First path segments that the portal itself answers, or may one day.
RESERVED_SLUGS = frozenset(
    (
        *("admin", "api", "common", "consumers", "demo", "discovery", "docs", "errors", "graph", "healthz", "metrics"),
        *("oauth2", "organizations", "portal", "readyz", "static", "status", "support", "tenant", "tools"),
        *("v1", "v2", "well-known", "www"),
    )
)
AUDIT_RETENTION = [
    (90, _("90 days")),
    (180, _("180 days")),
    (365, _("1 year")),
    (1095, _("3 years")),
    (3650, _("10 years")),
]
SIGN_IN_RETENTION = [(7, _("7 days")), (30, _("30 days")), (90, _("90 days")), (180, _("180 days")), (365, _("1 year"))]
SESSION_HOURS = [(1, _("1 hour")), (8, _("8 hours")), (12, _("12 hours")), (24, _("24 hours")), (168, _("7 days"))]
KEEP_SIGNED_IN_DAYS = [
    (0, _("not offered")),
    (7, _("7 days")),
    (14, _("14 days")),
    (30, _("30 days")),
    (90, _("90 days")),
]
UUID_SHAPE = re.compile(r"[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}")


def validate_not_reserved(slug: str) -> None:
    # The first segment of a path may also be a tenant's UUID: no other tenant may answer to that.
    if UUID_SHAPE.fullmatch(slug):
        raise ValidationError(_("A name in URLs can't look like an id. Choose a word."))
    if slug in RESERVED_SLUGS:
        raise ValidationError(_("“%(slug)s” is used by the portal itself. Choose another name."), params={"slug": slug})


def validate_support_contact(value: str) -> None:
    """A contact is an address that people can write to or a page that they can open."""
    validator = EmailValidator() if "@" in value and "/" not in value else URLValidator(schemes=["https", "http"])
    try:
        validator(value)
    except ValidationError as error:
        raise ValidationError(_("Enter an email address or the URL of a page.")) from error


def languages() -> list[tuple[str, str]]:
    return list(settings.LANGUAGES)


class Tenant(models.Model):
    """A customer of the portal: the owner of a directory, an issuer of tokens."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    slug = models.CharField(
        _("name in URLs"),
        max_length=40,
        unique=True,
        validators=[
            RegexValidator(
                r"\A[a-z][a-z0-9-]{0,38}[a-z0-9]\Z",
                _("Use 2 to 40 lower-case letters, digits and hyphens, beginning with a letter."),
            ),
            validate_not_reserved,
        ],
        help_text=_("The first part of every URL of this tenant. It can never be changed."),
    )
    name = models.CharField(_("name"), max_length=100, help_text=_("What people see on the sign-up pages."))
    default_language = models.CharField(
        _("default language"),
        max_length=20,
        choices=languages,
        default="en",
        help_text=_("Used when the application and the browser ask for none that the portal has."),
    )
    privacy_url = models.URLField(
        _("privacy statement"), blank=True, help_text=_("Linked at the foot of every sign-up page.")
    )
    terms_url = models.URLField(_("terms of use"), blank=True, help_text=_("Linked at the foot of every sign-up page."))
    support_contact = models.CharField(
        _("support contact"),
        max_length=200,
        blank=True,
        validators=[validate_support_contact],
        help_text=_("An email address or a page, shown wherever a person cannot go on."),
    )
    sign_up_enabled = models.BooleanField(
        _("enable guest self-service sign-up"),
        default=False,
        help_text=_("Off: only people who already have an account can sign in, in every user flow."),
    )
    audit_retention_days = models.PositiveSmallIntegerField(
        _("keep the audit log for"),
        choices=AUDIT_RETENTION,
        default=365,
        help_text=_("Older events are deleted. Your own rules may say how long you must, or may, keep them."),
    )
    sign_in_retention_days = models.PositiveSmallIntegerField(
        _("keep the sign-in log for"),
        choices=SIGN_IN_RETENTION,
        default=90,
        help_text=_("Each entry tells one person's way through a user flow. Older ones are deleted."),
    )
    admission = models.CharField(
        _("who can sign up"),
        max_length=20,
        choices=Admission,
        default=Admission.ANYONE,
        help_text=_("For every user flow, whatever the flow itself allows, and with every way to sign in."),
    )
    domains = models.TextField(
        _("email domains"),
        blank=True,
        help_text=_("One on each line: fabrikam.com. A domain stands for its subdomains too."),
    )
    session_hours = models.PositiveSmallIntegerField(
        _("a sign-in lasts"),
        choices=SESSION_HOURS,
        default=24,
        help_text=_("After that people prove again who they are. It ends earlier when they close the browser."),
    )
    keep_signed_in_days = models.PositiveSmallIntegerField(
        _("“keep me signed in” lasts"),
        choices=KEEP_SIGNED_IN_DAYS,
        default=0,
        help_text=_("People are asked on the first page. Not for shared computers."),
    )
    is_active = models.BooleanField(
        _("active"), default=True, help_text=_("Off: every page and endpoint of this tenant answers “not found”.")
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("tenant")
        verbose_name_plural = _("tenants")
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name

    def session_lifetime(self, *, is_kept: bool) -> timedelta:
        """Return how long a sign-in lasts: longer for who wants to stay signed in, where the tenant offers that."""
        if is_kept and self.keep_signed_in_days:
            return timedelta(days=self.keep_signed_in_days)
        return timedelta(hours=self.session_hours)

    def clean(self) -> None:
        if not self._state.adding and Tenant.objects.filter(pk=self.pk).exclude(slug=self.slug).exists():
            raise ValidationError({"slug": _("The name in URLs can never be changed: tokens and bookmarks carry it.")})
        self.domains = "\n".join(split_domains(self.domains))
        if self.admission != Admission.ANYONE and not self.domains:
            raise ValidationError({"domains": _("Name at least one email domain.")})
