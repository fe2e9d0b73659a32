import uuid
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _
from oauth2_provider.models import AbstractApplication, ApplicationManager

from directory.models.tenant import Tenant
from directory.redirect_uris import examine_redirect_uris, is_registered, split_uris
from directory.tenant_scope import current_tenant


def new_client_id() -> str:
    return str(uuid.uuid4())


class ApplicationKind(models.TextChoices):
    """Where the application runs decides how it can keep a secret (RFC 6749 2.1, Entra's platform types)."""

    WEB = "web", _("Web")
    SPA = "spa", _("Single-page application")
    NATIVE = "native", _("Mobile and desktop")
    DAEMON = "daemon", _("Daemon")


class Application(AbstractApplication):
    """An app registration: an OAuth client of one tenant (Graph `application`).

    Its secrets are rows of ClientSecret; the library's own `client_secret` column stays empty.
    """

    class Algorithm(models.TextChoices):
        RS256 = "RS256", _("RS256 (every client library)")
        ES256 = "ES256", _("ES256 (smaller and faster)")

    tenant = models.ForeignKey(
        Tenant, verbose_name=_("tenant"), on_delete=models.CASCADE, related_name="applications", editable=False
    )
    name = models.CharField(
        _("name"), max_length=100, help_text=_("People see it on the sign-up pages: “You need an account to use …”.")
    )
    kind = models.CharField(
        _("kind"),
        max_length=10,
        choices=ApplicationKind,
        help_text=_("Where the application runs. Web applications and daemons keep a secret, the others cannot."),
    )
    is_first_party = models.BooleanField(
        _("first-party application"),
        default=False,
        help_text=_("One of the portal's own. It can't use a user flow, so nobody signs up through it."),
    )
    is_enabled = models.BooleanField(
        _("enabled"), default=True, help_text=_("Off: the application gets no more tokens and its tokens stop working.")
    )
    client_id = models.CharField(
        _("application (client) ID"), max_length=255, unique=True, default=new_client_id, editable=False
    )
    client_secret = models.CharField(max_length=255, blank=True, default="", editable=False)
    client_type = models.CharField(max_length=32, choices=AbstractApplication.CLIENT_TYPES, editable=False)
    authorization_grant_type = models.CharField(max_length=44, choices=AbstractApplication.GRANT_TYPES, editable=False)
    redirect_uris = models.TextField(
        _("redirect URIs"),
        blank=True,
        help_text=_("Where people return to after signing in. One on each line; it must match to the letter."),
    )
    post_logout_redirect_uris = models.TextField(
        _("sign-out redirect URIs"),
        blank=True,
        default="",
        help_text=_("Where people may return to after signing out. One on each line."),
    )
    algorithm = models.CharField(
        _("signing algorithm"),
        max_length=5,
        choices=Algorithm,
        default=Algorithm.RS256,
        help_text=_("How this application's tokens are signed."),
    )

    objects = ApplicationManager()

    class Meta(AbstractApplication.Meta):
        abstract = False
        swappable = "OAUTH2_PROVIDER_APPLICATION_MODEL"
        verbose_name = _("application")
        verbose_name_plural = _("applications")
        indexes = [models.Index(fields=("tenant", "name"), name="application_by_tenant")]

    @property
    def keeps_secret(self) -> bool:
        return self.kind in (ApplicationKind.WEB, ApplicationKind.DAEMON)

    @property
    def takes_private_schemes(self) -> bool:
        """RFC 8252 7.1: only what is installed on a device can own a scheme."""
        return self.kind == ApplicationKind.NATIVE

    def clean(self) -> None:
        """Check redirect URIs by the rules of the application's kind. The library's own check knows no kinds."""
        errors: dict[str, list[str]] = {}
        for field in ("redirect_uris", "post_logout_redirect_uris"):
            remarks = examine_redirect_uris(getattr(self, field), private_schemes=self.takes_private_schemes)
            problems = [remark.message for remark in remarks if remark.is_problem]
            if problems:
                errors[field] = problems
        if errors:
            raise ValidationError(errors)

    def save(self, *args: Any, **kwargs: Any) -> None:
        """The kind decides what the library wants to know in two columns of its own."""
        self.client_type = self.CLIENT_CONFIDENTIAL if self.keeps_secret else self.CLIENT_PUBLIC
        self.authorization_grant_type = (
            self.GRANT_CLIENT_CREDENTIALS if self.kind == ApplicationKind.DAEMON else self.GRANT_AUTHORIZATION_CODE
        )
        super().save(*args, **kwargs)

    def redirect_uri_allowed(self, uri: str) -> bool:
        return is_registered(uri, split_uris(self.redirect_uris), any_loopback_port=self.kind == ApplicationKind.NATIVE)

    def post_logout_redirect_uri_allowed(self, uri: str) -> bool:
        return is_registered(
            uri, split_uris(self.post_logout_redirect_uris), any_loopback_port=self.kind == ApplicationKind.NATIVE
        )

    def get_allowed_schemes(self) -> list[str]:
        uris = split_uris(f"{self.redirect_uris} {self.post_logout_redirect_uris}")
        return sorted({uri.partition(":")[0] for uri in uris})

    def is_usable(self, request: Any) -> bool:
        """The library's gate in front of every use: an application exists only in its own tenant."""
        tenant = current_tenant()
        return self.is_enabled and tenant is not None and tenant.pk == self.tenant_id

    def get_absolute_url(self) -> str:
        """The library's points at a page that the portal doesn't have."""
        return ""
