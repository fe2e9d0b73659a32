"""A partner's SAML metadata, read in from a file, from text, or from an address that is fetched once."""

import uuid
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from directory.admin.auditing import actor_of
from directory.admin.identity_provider import IdentityProviderAdmin
from directory.admin.pages import PlainLabels
from directory.admin.step_up import to_step_up
from directory.identity_provider_kinds import Protocol
from directory.identity_provider_settings import MAX_URL_LENGTH
from directory.identity_providers import update_identity_provider
from directory.models import Identity, IdentityProvider
from directory.outgoing import check_url
from userflows.admin.identity_provider_test import FETCH_LIMIT
from userflows.federation import saml_metadata
from userflows.federation.saml_metadata import SamlMetadata
from userflows.rate_limit import count_attempt


class MetadataForm(PlainLabels, forms.Form):
    """One of three ways to bring it."""

    url = forms.CharField(
        label=_("Its address"),
        required=False,
        max_length=MAX_URL_LENGTH,
        widget=forms.TextInput(attrs={"class": "vTextField", "dir": "ltr", "inputmode": "url", "spellcheck": "false"}),
        help_text=_("It begins with https://, and is read once, now."),
    )
    file = forms.FileField(label=_("Or a file"), required=False, max_length=200)
    text = forms.CharField(
        label=_("Or its text"),
        required=False,
        max_length=saml_metadata.MAX_BYTES,
        widget=forms.Textarea(attrs={"rows": 4, "dir": "ltr", "spellcheck": "false"}),
    )

    def __init__(self, *args: Any, provider: IdentityProvider, **kwargs: Any) -> None:
        super().__init__(*args, auto_id="metadata_%s", **kwargs)
        self.provider = provider
        self.found: SamlMetadata | None = None

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        name = next((name for name in ("file", "text", "url") if values.get(name)), "")
        if not name and not self.errors:
            raise ValidationError(_now("Give the address of the metadata, or choose a file, or paste the text."))
        if name:
            try:
                self.found = _read(name, values[name])
                saml_metadata.validate_entity_id(self.found.entity_id, provider=self.provider)
            except ValidationError as error:
                self.found = None
                self.add_error(name, error)
        return values


def _read(name: str, value: Any) -> SamlMetadata:
    if name == "url":
        url = str(value).strip()
        check_url(url)
        return saml_metadata.fetch(url)
    if name == "text":
        return saml_metadata.read(str(value))
    if value.size > saml_metadata.MAX_BYTES:
        raise ValidationError(_now("The file is too large for the metadata of one provider."))
    return saml_metadata.read(value.read())


class MetadataPage(IdentityProviderAdmin):
    def get_urls(self) -> list[URLPattern]:
        page = path(
            "<uuid:provider_id>/metadata/",
            self.admin_site.admin_view(self.metadata_view),
            name="directory_identityprovider_metadata",
        )
        return [page, *super().get_urls()]

    def about(self, request: HttpRequest, provider: IdentityProvider) -> dict[str, Any]:
        shown = super().about(request, provider)
        if provider.about.protocol is Protocol.SAML and self.has_change_permission(request, provider):
            shown["metadata_form"] = MetadataForm(provider=provider)
        return shown

    def metadata_view(self, request: HttpRequest, provider_id: uuid.UUID) -> HttpResponse:
        provider = self.find(request, provider_id, action="change")
        if not provider.is_known_kind or provider.about.protocol is not Protocol.SAML:
            raise Http404
        if provider.is_enabled and self.must_step_up(request, provider):
            return to_step_up(request)
        form = MetadataForm(provider=provider)
        if request.method == "POST":
            count_attempt((FETCH_LIMIT, str(actor_of(request).pk)))
            form = MetadataForm(request.POST, request.FILES, provider=provider)
            if form.is_valid() and form.found and self._take_over(request, provider, form):
                return self.to_page("change", provider)
        return self.page(
            request, "metadata", provider, title=_now("Read in the provider's metadata"), metadata_form=form
        )

    def _take_over(self, request: HttpRequest, provider: IdentityProvider, form: MetadataForm) -> bool:
        found, before = form.found, provider.setting("entity_id")
        if found is None:
            return False
        entered = {
            "entity_id": found.entity_id,
            "sso_url": found.sso_url,
            "slo_url": found.slo_url,
            "certificates": found.certificates,
            "signs_requests": found.wants_signed_requests or provider.setting("signs_requests", False),
        }
        kept = {name: value for name, value in provider.settings.items() if name not in entered}
        provider.settings = kept | {name: value for name, value in entered.items() if value}
        try:
            update_identity_provider(provider, actor=actor_of(request))
        except ValidationError as error:
            form.add_error(None, error.messages)
            return False
        words = _now("The metadata of %(entity_id)s was read in. Certificates: %(count)d.")
        values = {"entity_id": found.entity_id, "count": len(found.certificates)}
        self.message_user(request, words % values, messages.SUCCESS)
        if before and before != found.entity_id and Identity.objects.filter(identity_provider=provider).exists():
            warning = _now("The entity ID is another one: people who came by the old one are strangers to it now.")
            self.message_user(request, warning, messages.WARNING)
        return True
