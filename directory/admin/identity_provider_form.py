"""The form on an identity provider: what is asked depends on its kind, so the kind is chosen first."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from directory.admin.identity_provider_fields import (
    CertificatesField,
    ClaimsField,
    DomainsField,
    KeyInput,
    LinesField,
    SecretInput,
)
from directory.admin.identity_provider_words import help_of, label_of
from directory.admin.scoping import TenantForm
from directory.identity_provider_kinds import Protocol, ProviderKind, kinds
from directory.identity_provider_settings import (
    MAX_ISSUER_LENGTH,
    MAX_SECRET_LENGTH,
    MAX_URL_LENGTH,
    OWN_SETTINGS,
    check_provider,
    check_secret,
)
from directory.models import PASSKEY, IdentityProvider, UserAttribute

WIDE = {"class": "vTextField"}
PLAIN = {**WIDE, "dir": "ltr", "spellcheck": "false", "autocapitalize": "none", "autocomplete": "off"}
TOKEN_AUTH = (
    ("", _("As the discovery document says")),
    ("client_secret_post", _("In the form (client_secret_post)")),
    ("client_secret_basic", _("In the header (client_secret_basic)")),
)
# What has no end: Apple's keys.
ENDLESS = ("Apple",)


def _text(length: int, **attributes: str) -> Callable[..., forms.Field]:
    widget = forms.TextInput(attrs={**PLAIN, **attributes})
    return lambda **options: forms.CharField(required=False, max_length=length, widget=widget, **options)


def _number(least: int, most: int) -> Callable[..., forms.Field]:
    return lambda **options: forms.IntegerField(required=False, min_value=least, max_value=most, **options)


def _box(**options: Any) -> forms.Field:
    return forms.BooleanField(required=False, **options)


# The inputs of the settings; those that need to know the row are made in the form.
INPUTS: dict[str, Callable[..., forms.Field]] = {
    "issuer": _text(MAX_ISSUER_LENGTH, inputmode="url"),
    "allowed_tenants": LinesField,
    "team_id": _text(10),
    "key_id": _text(10),
    "token_auth_method": lambda **options: forms.ChoiceField(required=False, choices=TOKEN_AUTH, **options),
    "scopes": _text(1000),
    "trusts_mail": _box,
    "entity_id": _text(MAX_ISSUER_LENGTH),
    "sso_url": _text(MAX_URL_LENGTH, inputmode="url"),
    "slo_url": _text(MAX_URL_LENGTH, inputmode="url"),
    "signs_requests": _box,
    "subject_attribute": _text(MAX_ISSUER_LENGTH),
    "mail_attribute": _text(MAX_ISSUER_LENGTH),
    "code_length": _number(6, 10),
    "code_minutes": _number(5, 60),
    "sender_name": lambda **options: forms.CharField(
        required=False, max_length=60, widget=forms.TextInput(attrs=WIDE), **options
    ),
}
DOMAINS_HELP = _("One on each line. Whoever types an address of one of these is led straight to this provider.")
TRUSTED_HELP = _(
    "Addresses of these domains count as verified when this provider tells them. List only domains whose owner runs "
    "it: whoever controls the provider can sign in as anybody of these domains."
)


class NewProviderForm(TenantForm):
    """The least that a provider needs to have an id, which its redirect URI is made of."""

    class Meta:
        model = IdentityProvider
        fields = ("name",)

    def __init__(self, *args: Any, kind: ProviderKind, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.instance.kind, self.instance.is_enabled = kind.id, False
        self.instance.may_create_accounts = kind.may_create_accounts
        self.fields["name"].initial = str(kind.label)
        self.fields["name"].widget.attrs.update(WIDE)

    def _get_validation_exclusions(self) -> set[str]:
        return super()._get_validation_exclusions() - {"kind"}


class IdentityProviderForm(TenantForm):
    class Meta:
        model = IdentityProvider
        # The rest depends on the kind: `_add_fields`.
        fields = ("name", "client_id", "secret_expires_on", "may_create_accounts", "signs_out_there")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.about: ProviderKind = self.instance.about
        shown = {name for _title, names in parts_of(self.about) for name in names}
        for name in set(self.fields) - shown:
            del self.fields[name]
        self._word_columns()
        for name in sorted(shown - set(self.fields)):
            self._add_field(name)

    def _word_columns(self) -> None:
        self.fields["name"].widget.attrs.update(WIDE)
        if "client_id" in self.fields:
            self.fields["client_id"].label = label_of(self.about, "client_id")
            self.fields["client_id"].help_text = help_of(self.about, "client_id")
            self.fields["client_id"].widget.attrs.update(PLAIN)
        if "secret_expires_on" in self.fields:
            self.fields["secret_expires_on"] = forms.DateField(
                label=_("The secret ends on"),
                required=False,
                input_formats=["%Y-%m-%d"],
                widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
                help_text=help_of(self.about, "secret_expires_on") or _("If it ends. You are reminded before."),
            )

    def _add_field(self, name: str) -> None:
        provider = self.instance
        if name == "secret":
            self.fields[name] = self._secret_field()
        elif name == "key_file":
            self.fields[name] = forms.FileField(
                label=_("Or choose the file"), required=False, max_length=200, help_text=_("AuthKey_….p8")
            )
        elif name in ("domains", "trusted_domains"):
            is_home = name == "domains"
            label = _("Email domains that belong to it") if is_home else _("Trusted email domains")
            self.fields[name] = DomainsField(label=label, help_text=DOMAINS_HELP if is_home else TRUSTED_HELP)
            self.initial[name] = getattr(provider, name)
        elif name == "claims_mapping":
            attributes = UserAttribute.objects.filter(tenant=provider.tenant_id).exclude(name="Email")
            self.fields[name] = ClaimsField(
                kind=self.about, attributes=attributes.order_by("attribute_type", "display_name"), label=_("Claims")
            )
            self.initial[name] = provider.claims_mapping
        else:
            self._add_setting(name)

    def _add_setting(self, name: str) -> None:
        words = {"label": label_of(self.about, name), "help_text": help_of(self.about, name)}
        value = self.instance.setting(name, None)
        if name == "certificates":
            self.fields[name] = CertificatesField(kept=value or [], **words)
            return
        self.fields[name] = INPUTS[name](**words)
        self.initial[name] = " ".join(value) if name == "scopes" and isinstance(value, list) else value

    def _secret_field(self) -> forms.Field:
        own = help_of(self.about, "secret")
        kept = _now("One is kept. Leave this empty to keep it, or paste another one to replace it.")
        return forms.CharField(
            label=label_of(self.about, "secret"),
            required=False,
            max_length=MAX_SECRET_LENGTH,
            strip=True,
            widget=KeyInput() if "key_id" in self.about.fields else SecretInput(),
            help_text=" ".join(words for words in (own, kept if self.instance.secret else "") if words),
        )

    def clean_key_file(self) -> str:
        file = self.cleaned_data["key_file"]
        if file is None:
            return ""
        if file.size > MAX_SECRET_LENGTH:
            raise ValidationError(_now("This file is too large for a key."))
        try:
            text: str = file.read().decode("ascii")
        except UnicodeDecodeError as error:
            raise ValidationError(_now("This file is no key.")) from error
        return check_secret(text, kind=self.about.id)

    def clean_secret(self) -> str:
        secret = str(self.cleaned_data["secret"])
        return check_secret(secret, kind=self.about.id) if secret else ""

    @property
    def new_secret(self) -> str:
        return str(self.cleaned_data.get("key_file") or self.cleaned_data.get("secret") or "")

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]
        provider, values = self.instance, self.cleaned_data
        own = OWN_SETTINGS.get(self.about.protocol, ())
        settings = {name: value for name, value in provider.settings.items() if name in own}
        for name in self.about.fields:
            if name in values and name in (*INPUTS, "certificates") and values[name] not in ("", None, [], False):
                settings[name] = values[name]
        provider.settings = settings
        for name in ("domains", "trusted_domains", "claims_mapping"):
            if name in values:
                # From this closed list of columns, each checked by its field.
                setattr(provider, name, values[name])
        if self.new_secret:
            provider.secret = self.new_secret
        try:
            check_provider(provider)
        except ValidationError as error:
            self._add_problems(error)
        self._tell_of_secret()

    def _add_problems(self, error: ValidationError) -> None:
        problems = error.error_dict if hasattr(error, "error_dict") else {NON_FIELD_ERRORS: error.error_list}
        for name, found in problems.items():
            if name not in self.errors:
                self.add_error(name if name in self.fields else None, ValidationError(found))

    def _tell_of_secret(self) -> None:
        if self.errors and "secret" in self.fields and self.data.get("secret") and "secret" not in self.errors:
            self.add_error("secret", _now("Nothing was saved, and this page never keeps a secret: paste it once more."))


def parts_of(kind: ProviderKind) -> list[tuple[Any, tuple[str, ...]]]:
    """Return the parts of the form: a heading, and the names of the fields."""
    entered = list(kind.fields)
    if "secret" in entered:
        place = entered.index("secret") + 1
        entered[place:place] = ["key_file"] if kind.id in ENDLESS else ["secret_expires_on"]
    parts: list[tuple[Any, tuple[str, ...]]] = [(None, ("name", *entered))]
    if kind.is_federated:
        can_leave = kind.protocol in (Protocol.OPENID_CONNECT, Protocol.SAML) and "sign_out" not in kind.lacks
        leaving = ("signs_out_there",) if can_leave else ()
        parts.append((_("Who comes by it"), ("may_create_accounts", "domains", "trusted_domains", *leaving)))
        parts.append((_("What it tells of people"), ("claims_mapping",)))
    elif kind.id != PASSKEY:
        parts.append((_("Who comes by it"), ("may_create_accounts",)))
    return parts


def chosen_kind(value: Any) -> ProviderKind | None:
    return kinds().get(str(value))
