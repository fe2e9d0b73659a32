"""Lists of e-mail domains: how they are written, and whom they let in."""

import re
from collections.abc import Iterable

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

DOMAIN = re.compile(r"(?=.{4,253}\Z)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]")


class Admission(models.TextChoices):
    """Which strangers may sign up, by the domain of their proven e-mail address."""

    ANYONE = "anyone", _("Anyone with an email address")
    ALLOWED_DOMAINS = "allowedDomains", _("Only people of these email domains")
    BLOCKED_DOMAINS = "blockedDomains", _("Anyone but people of these email domains")


def split_domains(text: str) -> list[str]:
    """Return the domains of a list, each on its line, in lower case and ASCII. Raises ValidationError."""
    domains = []
    for word in text.split():
        try:
            domain = word.removeprefix("@").encode("idna").decode().lower()
        except UnicodeError:
            domain = ""
        if not DOMAIN.fullmatch(domain):
            raise ValidationError(
                {"domains": _("“%(word)s” is no email domain. Write one such as fabrikam.com.") % {"word": word[:100]}}
            )
        domains.append(domain)
    return list(dict.fromkeys(domains))


def domain_of(mail: str) -> str:
    return mail.rpartition("@")[2].lower()


def is_listed(mail: str, domains: Iterable[str]) -> bool:
    """Answer whether the address belongs to one of `domains`, each of which stands for its subdomains too."""
    domain = domain_of(mail)
    return any(domain == listed or domain.endswith(f".{listed}") for listed in domains)


def lets_in(admission: str, domains: Iterable[str], mail: str) -> bool:
    """Answer whether a list of this kind (an Admission) lets an address in."""
    if admission == Admission.ANYONE:
        return True
    return is_listed(mail, domains) is (admission == Admission.ALLOWED_DOMAINS)
