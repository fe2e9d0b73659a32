"""Does an identity provider work, and for how long? The rules, on one row each: lists and health pages ask them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from directory.health import Finding, Severity
from directory.identity_provider_settings import certificate_of, missing_fields
from directory.identity_providers import TEST_PASSED
from directory.models import IdentityProvider

# Who gets another secret from a provider needs this long; in the last days it is urgent.
ENDS_SOON_DAYS = 30
URGENT_DAYS = 7
NEVER_TESTED = "directory.W008"


@dataclass(frozen=True)
class Problem:
    """`badge` is what a list says in a word or two."""

    id: str
    severity: Severity
    badge: str
    message: str
    fix: str


def problems_of(provider: IdentityProvider, *, today: date | None = None) -> list[Problem]:
    """Return what is wrong with a provider, whether it is switched on or not."""
    if not provider.is_known_kind:
        return [
            Problem(
                "directory.E007",
                Severity.ERROR,
                _("Unknown kind"),
                _("%(name)s is of a kind that this version of the portal doesn't know: nobody can sign in with it.")
                % {"name": provider},
                _("Switch it off, or delete it."),
            )
        ]
    day = today or timezone.localdate()
    return [*_missing(provider), *_secret(provider, day), *_certificates(provider, day), *_test(provider)]


def findings_of(provider: IdentityProvider) -> Iterator[Finding]:
    """Yield what health pages tell. That nobody has tested a provider yet is told where it is set up."""
    page = ("tenant_admin:directory_identityprovider_change", str(provider.pk))
    for problem in problems_of(provider):
        if problem.id == NEVER_TESTED:
            continue
        yield Finding(
            problem.id,
            problem.severity,
            problem.message,
            problem.fix,
            page,
            subject="identityprovider",
        )


def is_usable(provider: IdentityProvider) -> bool:
    """Answer whether people can sign in with it, as far as the portal can tell."""
    return provider.is_known_kind and not missing_fields(provider)


def _missing(provider: IdentityProvider) -> Iterator[Problem]:
    missing = missing_fields(provider)
    if not missing:
        return
    badge, message = _("Not set up"), _("%(name)s isn't set up yet: nobody can sign in with it.")
    if missing == ["secret"]:
        badge, message = _("No secret"), _("%(name)s has no secret: nobody can sign in with it.")
    if missing == ["certificates"]:
        badge, message = _("No certificate"), _("%(name)s has no certificate: nobody can sign in with it.")
    yield Problem("directory.E001", Severity.ERROR, badge, message % {"name": provider}, _("Enter what is missing."))


def _secret(provider: IdentityProvider, day: date) -> Iterator[Problem]:
    # The end that SAML's row has is that of our own key.
    if "secret" not in provider.about.fields or not provider.secret or provider.secret_expires_on is None:
        return
    left = (provider.secret_expires_on - day).days
    fix = _("Get another one from the provider and replace it here: the old one works until then.")
    if left <= 0:
        yield Problem(
            "directory.E002",
            Severity.ERROR,
            _("Secret ended"),
            _("The secret of %(name)s has ended: nobody can sign in with it.") % {"name": provider},
            _("Get another one from the provider, and replace it here."),
        )
    elif left <= ENDS_SOON_DAYS:
        message = _("The secret of %(name)s ends on %(date)s. Then nobody can sign in with it any more.")
        yield Problem(
            "directory.W006" if left <= URGENT_DAYS else "directory.W005",
            Severity.WARNING,
            _("Secret ends in a few days") if left <= URGENT_DAYS else _("Secret ends soon"),
            message % {"name": provider, "date": date_format(provider.secret_expires_on)},
            fix,
        )


def _certificates(provider: IdentityProvider, day: date) -> Iterator[Problem]:
    """One that lasts is enough: the others are there for a change-over."""
    ends = []
    for pem in provider.setting("certificates", []) if "certificates" in provider.about.fields else []:
        try:
            ends.append(certificate_of(pem).not_valid_after_utc.date())
        except ValidationError:
            continue
    if not ends:
        return
    last = max(ends)
    fix = _("Read in the provider's metadata again, or add its next certificate.")
    if last <= day:
        message = _("All certificates of %(name)s have ended: nobody can sign in with it.") % {"name": provider}
        yield Problem("directory.E003", Severity.ERROR, _("Certificate ended"), message, fix)
    elif (last - day).days <= ENDS_SOON_DAYS:
        message = _("The last certificate of %(name)s ends on %(date)s.")
        message %= {"name": provider, "date": date_format(last)}
        yield Problem("directory.W007", Severity.WARNING, _("Certificate ends soon"), message, fix)


def _test(provider: IdentityProvider) -> Iterator[Problem]:
    if not provider.about.is_federated or missing_fields(provider):
        return
    if provider.tested_at is None:
        yield Problem(
            NEVER_TESTED,
            Severity.WARNING,
            _("Never tested"),
            _("The connection to %(name)s was never tested as it is set up now.") % {"name": provider},
            _("Test the connection: it takes a minute."),
        )
    elif provider.test_outcome != TEST_PASSED:
        yield Problem(
            "directory.W009",
            Severity.WARNING,
            _("Test failed"),
            _("The last test of the connection to %(name)s failed.") % {"name": provider},
            _("Test the connection again: it shows what is wrong."),
        )
