"""From a provider's claims to answers for the tenant's attributes. Nothing in them is trusted to be of any form."""

import json
import unicodedata
from collections.abc import Mapping
from typing import Any

from django_countries import countries

from directory.email_domains import is_listed
from directory.identity_provider_kinds import MailTrust
from directory.models import DataType, IdentityProvider, UserAttribute
from userflows.fields import INT64_MAX, JOINERS, LONGEST_LINE, UNSEEN
from userflows.forms import EmailForm

# More than any answer holds.
READ_AT_MOST = 5000
LISTED_AT_MOST = 50
YES = ("true", "1", "yes")
NO = ("false", "0", "no")

Answer = str | int | bool


def answers_of(provider: IdentityProvider, claims: Mapping[str, Any]) -> dict[str, Answer]:
    """Return what can be filled in for the person, by the names of attributes that the tenant has."""
    mapping = mapping_of(provider)
    answers: dict[str, Answer] = {}
    for attribute in UserAttribute.objects.filter(tenant=provider.tenant_id, name__in=mapping):
        values = (value_at(claims, name) for name in mapping[attribute.name])
        found = (answer_of(attribute, value) for value in values)
        answer = next((answer for answer in found if answer is not None), None)
        if answer is not None:
            answers[attribute.name] = answer
    return answers


def mapping_of(provider: IdentityProvider) -> dict[str, tuple[str, ...]]:
    """Return the claims for each attribute: the kind's, unless the administrator chose another one, or none ("").

    The address isn't among them: it is an identity's matter (`told_mail`).
    """
    own = {name: (claim,) if claim else () for name, claim in provider.claims_mapping.items()}
    merged = {**provider.about.defaults, **own}
    return {name: tuple(names) for name, names in merged.items() if names and name != "Email"}


def value_at(claims: Mapping[str, Any], name: str) -> Any:
    """Return the claim called `name`, or else what its dots lead to: address.locality."""
    if name in claims:
        return claims[name]
    found: Any = claims
    for part in name.split("."):
        if not isinstance(found, Mapping):
            return None
        found = found.get(part)
    return found


def answer_of(attribute: UserAttribute, value: Any) -> Answer | None:
    """Return the value as an answer of the attribute's type, None for what can't be one."""
    text = as_text(value, is_long=attribute.max_length > LONGEST_LINE)
    if not text:
        return None
    if attribute.data_type == DataType.BOOLEAN:
        word = text.lower()
        return word in YES if word in YES + NO else None
    if attribute.data_type == DataType.INT:
        digits = text.removeprefix("-")
        is_number = digits.isascii() and digits.isdigit() and len(digits) < 20
        return int(text) if is_number and abs(int(text)) <= INT64_MAX else None
    if attribute.name == "Country":
        return country_code(text) or text[: attribute.max_length]
    return text[: attribute.max_length].strip()


def as_text(value: Any, *, is_long: bool = False) -> str:
    """Return a value on one line (`is_long`: on several), without what can't be seen; lists with commas, no objects."""
    if isinstance(value, list | tuple):
        words = (as_text(item, is_long=is_long) for item in value[:LISTED_AT_MOST])
        return ", ".join(word for word in words if word)
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str | int | float):
        return ""
    lines = str(value)[:READ_AT_MOST].replace("\r\n", "\n").split("\n")
    cleaned = [" ".join("".join(_seen(letter) for letter in line).split()) for line in lines]
    return ("\n" if is_long else " ").join(line for line in cleaned if line)


def country_code(text: str) -> str:
    """Return the ISO 3166 code of a country that is written as code or as name in English, "" for another word."""
    code = text.upper()
    if len(code) == 2 and code in dict(countries):
        return code
    return str(countries.by_name(text) or "")


def clean_mail(value: Any) -> str:
    """Return an address as the forms take it, "" for what can't be one."""
    if not isinstance(value, str) or len(value) > 320:
        return ""
    form = EmailForm({"email": value})
    return str(form.cleaned_data["email"]) if form.is_valid() else ""


def told_mail(provider: IdentityProvider, claims: Mapping[str, Any]) -> tuple[str, bool]:
    """Return the address of OpenID Connect's or mapped SAML claims, and whether the provider's word proves it."""
    mail = clean_mail(claims.get("email"))
    if not mail:
        # Entra: whatever the organisation likes, so it's only a suggestion of what to type.
        return clean_mail(claims.get("preferred_username")), False
    if is_trusted_domain(provider, mail):
        return mail, True
    if provider.kind == "EntraID" or provider.kind == "MicrosoftAccount":
        # An organisation writes any address into `email`; this one says that it has proven the domain to Microsoft.
        return mail, is_true(claims.get("xms_edov"))
    trusts_claim = provider.about.mail_trust is MailTrust.CLAIM or provider.setting("trusts_mail") is True
    return mail, trusts_claim and is_true(claims.get("email_verified"))


def is_trusted_domain(provider: IdentityProvider, mail: str) -> bool:
    """Answer whether the administrator said that this provider's word on addresses of this domain is good.

    Of Microsoft Entra ID that is believed only while the organisations are listed: any other could write the same.
    """
    if provider.kind == "EntraID" and not provider.setting("allowed_tenants"):
        return False
    return bool(mail) and is_listed(mail, provider.trusted_domains)


def is_true(value: Any) -> bool:
    """Apple and LinkedIn write "true", Entra 1."""
    return value is True or (isinstance(value, str | int) and str(value).lower() in ("true", "1"))


def name_of_form_post(user: str) -> dict[str, str]:
    """Return the names that Apple posts, the first time only, beside its answer. Unsigned: good to prefill a form."""
    try:
        name = json.loads(user[:READ_AT_MOST])["name"]
        parts = {"given_name": name.get("firstName"), "family_name": name.get("lastName")}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}
    return {claim: as_text(part)[:256] for claim, part in parts.items() if as_text(part)}


def _seen(letter: str) -> str:
    if letter in JOINERS or unicodedata.category(letter) not in UNSEEN:
        return letter
    return " " if letter.isspace() else ""
