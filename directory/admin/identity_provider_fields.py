"""Fields of the forms on identity providers that are more than one input."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from directory.email_domains import split_domains
from directory.identity_provider_kinds import ProviderKind
from directory.identity_provider_settings import certificate_of, fingerprint
from directory.models import UserAttribute

MAX_TEXT = 20_000
MAX_CLAIM = 200
# Typed in the place of a claim: the attribute takes nothing from the provider, not even by default.
NOTHING = "-"


class LinesField(forms.CharField):
    """A list of words, one on each line."""

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.Textarea(attrs={"rows": 3, "spellcheck": "false", "dir": "ltr", "autocapitalize": "none"})
        super().__init__(required=False, max_length=MAX_TEXT, widget=widget, **kwargs)

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value


class DomainsField(LinesField):
    def clean(self, value: Any) -> list[str]:
        try:
            return split_domains(str(super().clean(value) or ""))
        except ValidationError as error:
            raise ValidationError(error.messages) from error


class SecretInput(forms.PasswordInput):
    """What is kept never comes back to the browser, nor what was typed on a page with mistakes."""

    def __init__(self) -> None:
        super().__init__(attrs={"autocomplete": "off", "class": "vTextField", "dir": "ltr"}, render_value=False)


class KeyInput(forms.Textarea):
    """As SecretInput, for a key of several lines."""

    def __init__(self) -> None:
        super().__init__(attrs={"rows": 6, "autocomplete": "off", "spellcheck": "false", "dir": "ltr"})

    def format_value(self, value: Any) -> str:
        return ""


class ClaimsWidget(forms.Widget):
    """A table: attribute, and the claim that it is filled from. One row is empty, for one more attribute."""

    template_name = "admin/directory/identityprovider/claims_widget.html"
    use_fieldset = True
    attributes: Sequence[UserAttribute] = ()
    defaults: Mapping[str, tuple[str, ...]] = {}

    def value_from_datadict(self, data: Any, files: Any, name: str) -> dict[str, str]:
        claims = {
            attribute.name: str(data.get(f"{name}-{attribute.name}", "")).strip() for attribute in self.attributes
        }
        added = data.get(f"{name}-new", "")
        if added in claims and not claims[added]:
            claims[added] = str(data.get(f"{name}-new-claim", "")).strip()
        return {attribute: claim for attribute, claim in claims.items() if claim}

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return False

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        mapping = value if isinstance(value, dict) else {}
        shown = [each for each in self.attributes if each.name in mapping or each.name in self.defaults]
        rows = [
            {
                "label": attribute.display_name,
                "name": f"{name}-{attribute.name}",
                "value": mapping.get(attribute.name, ""),
                "placeholder": ", ".join(self.defaults.get(attribute.name, ())),
            }
            for attribute in shown
        ]
        others = [attribute for attribute in self.attributes if attribute not in shown]
        return {**super().get_context(name, value, attrs), "rows": rows, "others": others, "nothing": NOTHING}


class ClaimsField(forms.Field):
    """Attribute name to claim name, where it differs from the kind's defaults. An empty claim takes nothing."""

    widget = ClaimsWidget

    def __init__(self, *, kind: ProviderKind, attributes: Iterable[UserAttribute], **kwargs: Any) -> None:
        super().__init__(required=False, **kwargs)
        self.widget.attributes = list(attributes)
        self.widget.defaults = kind.defaults

    def prepare_value(self, value: Any) -> Any:
        return {name: claim or NOTHING for name, claim in value.items()} if isinstance(value, dict) else value

    def clean(self, value: Any) -> dict[str, str]:
        for name, claim in value.items():
            if len(claim) > MAX_CLAIM or not claim.isprintable():
                raise ValidationError(_("The claim of %(name)s is too long, or no text.") % {"name": name})
        return {name: "" if claim == NOTHING else claim for name, claim in value.items()}


class CertificatesWidget(forms.Widget):
    """The certificates that are kept, each with a box to remove it, and a place to paste another one."""

    template_name = "admin/directory/identityprovider/certificates_widget.html"
    use_fieldset = True
    kept: Sequence[str] = ()

    def value_from_datadict(self, data: Any, files: Any, name: str) -> dict[str, Any]:
        removed = data.getlist(f"{name}-remove") if hasattr(data, "getlist") else []
        return {"removed": removed, "added": str(data.get(f"{name}-add", ""))}

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return False

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        typed = value if isinstance(value, dict) else {}
        rows = [{**described(pem), "is_removed": fingerprint(pem) in typed.get("removed", [])} for pem in self.kept]
        return {**super().get_context(name, value, attrs), "rows": rows, "added": typed.get("added", "")}


class CertificatesField(forms.Field):
    widget = CertificatesWidget

    def __init__(self, *, kept: Sequence[str], **kwargs: Any) -> None:
        super().__init__(required=False, **kwargs)
        self.widget.kept = list(kept)

    def clean(self, value: Any) -> list[str]:
        kept = [pem for pem in self.widget.kept if fingerprint(pem) not in value["removed"]]
        added = value["added"].strip()
        if len(added) > MAX_TEXT:
            raise ValidationError(_("This is too long for a certificate."))
        return [*kept, certificate_text(added)] if added else kept


def certificate_text(pem: str) -> str:
    """Return a certificate as it is kept, with the lines around it. Raises ValidationError."""
    certificate_of(pem)
    text = pem.strip()
    return text if "-----BEGIN" in text else f"-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----"


def described(pem: str) -> dict[str, Any]:
    """Return what people compare a certificate by."""
    try:
        certificate = certificate_of(pem)
    except ValidationError:
        return {"subject": _("It can't be read."), "fingerprint": "", "ends_at": None}
    return {
        "subject": certificate.subject.rfc4514_string(),
        "fingerprint": fingerprint(pem),
        "ends_at": certificate.not_valid_after_utc,
    }
