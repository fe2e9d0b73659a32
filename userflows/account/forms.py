from django import forms
from django.utils.translation import gettext_lazy as _

from userflows.forms import HostedForm
from userflows.passkey import MAX_NAME_LENGTH


class PasskeyNameForm(HostedForm):
    name = forms.CharField(
        label=_("Name"),
        help_text=_("So that you know it later: “My phone”, “The blue key”."),
        max_length=MAX_NAME_LENGTH,
        error_messages={
            "required": _("Enter a name."),
            "max_length": _("Enter a name of at most 60 characters."),
        },
        widget=forms.TextInput(attrs={"class": "input", "autocomplete": "off"}),
    )


class NewPasskeyForm(PasskeyNameForm):
    """`answer` is what the browser says: JSON, filled in by passkey.js."""

    answer = forms.CharField(
        max_length=40_000, widget=forms.HiddenInput, error_messages={"required": _("Your browser made no passkey.")}
    )
