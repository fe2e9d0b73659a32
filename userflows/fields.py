"""From a question to the form field that asks it."""

import unicodedata
from collections.abc import Callable
from typing import Any

import phonenumbers
from django import forms
from django.utils.translation import gettext as _
from django_countries import countries

from directory.models import DataType
from userflows.models import InputType
from userflows.questions import Question

INT64_MAX = 2**63 - 1


def field_for(question: Question) -> forms.Field:
    """Return the field of a question; its value is what is kept: text, a number or a truth value."""
    return _FIELDS[InputType(question["input_type"])](question)


def refuse_control_characters(text: str) -> None:
    """Names are shown to administrators: nothing in them may hide, reorder or break what is shown."""
    if any(unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co") for character in text if character not in "\u200c\u200d"):
        raise forms.ValidationError(_("Remove the characters that can't be seen."))


class PhoneField(forms.CharField):
    """A telephone number in any usual spelling, kept as E.164."""

    def clean(self, value: Any) -> str:
        typed = super().clean(value)
        if not typed:
            return ""
        international = "+" + typed[2:] if typed.startswith("00") else typed
        try:
            number = phonenumbers.parse(international)
        except phonenumbers.NumberParseException:
            number = None
        if number is None or not phonenumbers.is_possible_number(number):
            raise forms.ValidationError(_("Enter a phone number with its country code, such as +44 20 7946 0000."))
        return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


class CheckboxesField(forms.MultipleChoiceField):
    """Several ticked values, kept as one text separated by commas (entra: checkboxMultiSelect)."""

    def clean(self, value: Any) -> str:  # type: ignore[override]
        return ",".join(super().clean(value))


class DateField(forms.DateField):
    """A day, kept as ISO 8601."""

    def clean(self, value: Any) -> str:  # type: ignore[override]
        day = super().clean(value)
        return day.isoformat() if day else ""


def _common(question: Question, *, required: str, **more: Any) -> dict[str, Any]:
    return {
        "label": question["label"],
        "help_text": question["hint"],
        "required": question["required"],
        "error_messages": {"required": required % {"label": question["label"]}, **more},
    }


def _attrs(question: Question, **more: str) -> dict[str, str]:
    autocomplete = {"autocomplete": question["autocomplete"]} if question["autocomplete"] else {}
    return {"class": "input", **autocomplete, **more}


def _text(question: Question) -> forms.Field:
    too_long = _("Use at most %(limit_value)d characters for “%(label)s”.").replace("%(label)s", question["label"])
    widget = forms.Textarea if question["max_length"] > 500 else forms.TextInput
    rows = {"rows": "3"} if widget is forms.Textarea else {}
    return forms.CharField(
        max_length=question["max_length"],
        widget=widget(attrs=_attrs(question, **rows)),
        validators=[refuse_control_characters],
        **_common(question, required=_("Fill in “%(label)s”."), max_length=too_long),
    )


def _email(question: Question) -> forms.Field:
    wrong = _("Enter an email address such as name@example.com.")
    return forms.EmailField(
        max_length=min(question["max_length"], 254),
        widget=forms.EmailInput(attrs=_attrs(question, spellcheck="false", autocapitalize="none")),
        **_common(question, required=_("Fill in “%(label)s”."), invalid=wrong),
    )


def _number(question: Question) -> forms.Field:
    return forms.IntegerField(
        min_value=-INT64_MAX,
        max_value=INT64_MAX,
        widget=forms.TextInput(attrs=_attrs(question, inputmode="numeric")),
        **_common(question, required=_("Fill in “%(label)s”."), invalid=_("Enter a whole number, in digits.")),
    )


def _phone(question: Question) -> forms.Field:
    return PhoneField(
        max_length=40,
        widget=forms.TextInput(
            attrs={**_attrs(question), "type": "tel", "autocomplete": "tel", "class": "input ltr"}
        ),
        **_common(question, required=_("Fill in “%(label)s”.")),
    )


def _choices(question: Question) -> list[tuple[str, str]]:
    return [(choice["value"], choice["name"]) for choice in question["choices"]]


def _chosen(question: Question) -> list[str]:
    return [choice["value"] for choice in question["choices"] if choice.get("isDefault")]


def _select(question: Question, choices: list[tuple[str, str]]) -> forms.Field:
    coerce = int if question["data_type"] == DataType.INT else str
    return forms.TypedChoiceField(
        choices=[("", _("Choose…")), *choices],
        coerce=coerce,
        initial=next(iter(_chosen(question)), ""),
        widget=forms.Select(attrs=_attrs(question)),
        **_common(question, required=_("Choose an answer to “%(label)s”.")),
    )


def _dropdown(question: Question) -> forms.Field:
    return _select(question, _choices(question))


def _country(question: Question) -> forms.Field:
    return _select(question, [(code, str(name)) for code, name in countries])


def _radio(question: Question) -> forms.Field:
    coerce = int if question["data_type"] == DataType.INT else str
    return forms.TypedChoiceField(
        choices=_choices(question),
        coerce=coerce,
        initial=next(iter(_chosen(question)), None),
        widget=forms.RadioSelect(),
        **_common(question, required=_("Choose an answer to “%(label)s”.")),
    )


def _checkbox(question: Question) -> forms.Field:
    return forms.BooleanField(**_common(question, required=_("Tick “%(label)s” to go on.")))


def _checkboxes(question: Question) -> forms.Field:
    return CheckboxesField(
        choices=_choices(question),
        initial=_chosen(question),
        widget=forms.CheckboxSelectMultiple(),
        **_common(question, required=_("Tick at least one answer to “%(label)s”.")),
    )


def _date(question: Question) -> forms.Field:
    return DateField(
        widget=forms.DateInput(attrs=_attrs(question, type="date"), format="%Y-%m-%d"),
        **_common(question, required=_("Fill in “%(label)s”."), invalid=_("Enter a date such as 2026-11-22.")),
    )


_FIELDS: dict[InputType, Callable[[Question], forms.Field]] = {
    InputType.TEXT: _text,
    InputType.EMAIL: _email,
    InputType.NUMBER: _number,
    InputType.PHONE: _phone,
    InputType.COUNTRY: _country,
    InputType.DROPDOWN: _dropdown,
    InputType.RADIO: _radio,
    InputType.CHECKBOX: _checkbox,
    InputType.CHECKBOXES: _checkboxes,
    InputType.DATE: _date,
}
