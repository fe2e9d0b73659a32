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
# Control, format, surrogate, private and unassigned characters; separators of lines and paragraphs.
UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
LONGEST_LINE = 500
# Persian and the Indic scripts are spelled with these two.
JOINERS = "\u200c\u200d"


def field_for(question: Question) -> forms.Field:
    """Return the field of a question; its value is what is kept: text, a number or a truth value."""
    return _FIELDS[InputType(question["input_type"])](question)


def refuse_control_characters(text: str) -> None:
    """Names are shown to administrators: nothing in them may hide, reorder or break what is shown."""
    if any(unicodedata.category(character) in UNSEEN for character in text if character not in JOINERS):
        raise forms.ValidationError(_("Remove the characters that can't be seen."))


class LinesField(forms.CharField):
    """Text of several lines."""

    def to_python(self, value: Any) -> str:
        # Browsers send CR LF, and count one character for the two.
        return str(super().to_python(value)).replace("\r\n", "\n")

    def run_validators(self, value: str) -> None:
        super().run_validators(value)
        refuse_control_characters(value.replace("\n", ""))


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
            raise forms.ValidationError(_no_phone_number())
        return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def _no_phone_number() -> str:
    return _("Enter a phone number with its country code, such as +44 20 7946 0000.")


class CheckboxesField(forms.MultipleChoiceField):
    """Several ticked values, kept as one text separated by commas (entra: checkboxMultiSelect)."""

    def __init__(self, *, max_length: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.max_length = max_length

    def clean(self, value: Any) -> str:
        joined = ",".join(dict.fromkeys(super().clean(value)))
        if len(joined) > self.max_length:
            raise forms.ValidationError(_("That is more than can be kept. Tick fewer answers."))
        return joined


class DateField(forms.DateField):
    """A day, kept as ISO 8601."""

    def clean(self, value: Any) -> str:
        day = super().clean(value)
        return day.isoformat() if day else ""


def _common(question: Question, *, required: str, **more: Any) -> dict[str, Any]:
    return {
        "label": question["label"],
        "help_text": question["hint"],
        "required": question["required"],
        "error_messages": {
            "required": required % {"label": question["label"]},
            "invalid_choice": _("Choose one of the answers that are offered."),
            **more,
        },
    }


def _attrs(question: Question, **more: str) -> dict[str, str]:
    autocomplete = {"autocomplete": question["autocomplete"]} if question["autocomplete"] else {}
    return {"class": "input", **autocomplete, **more}


def _too_long(question: Question, max_length: int) -> str:
    words = _("Use at most %(limit)d characters for “%(label)s”.")
    # The field fills in parameters of its own: a percent sign in a label is not one of them.
    return (words % {"limit": max_length, "label": question["label"]}).replace("%", "%%")


def _text(question: Question) -> forms.Field:
    max_length = question["max_length"]
    common = _common(question, required=_("Fill in “%(label)s”."), max_length=_too_long(question, max_length))
    if max_length > LONGEST_LINE:
        return LinesField(max_length=max_length, widget=forms.Textarea(attrs=_attrs(question, rows="3")), **common)
    return forms.CharField(
        max_length=max_length,
        widget=forms.TextInput(attrs=_attrs(question)),
        validators=[refuse_control_characters],
        **common,
    )


def _email(question: Question) -> forms.Field:
    max_length = min(question["max_length"], 254)
    wrong = _("Enter an email address such as name@example.com.")
    too_long = _too_long(question, max_length)
    return forms.EmailField(
        max_length=max_length,
        widget=forms.EmailInput(attrs=_attrs(question, spellcheck="false", autocapitalize="none")),
        validators=[refuse_control_characters],
        **_common(question, required=_("Fill in “%(label)s”."), invalid=wrong, max_length=too_long),
    )


def _number(question: Question) -> forms.Field:
    out_of_range = _("Enter a number that is not so far from zero.")
    return forms.IntegerField(
        min_value=-INT64_MAX,
        max_value=INT64_MAX,
        widget=forms.TextInput(attrs=_attrs(question, inputmode="numeric")),
        **_common(
            question,
            required=_("Fill in “%(label)s”."),
            invalid=_("Enter a whole number, in digits."),
            min_value=out_of_range,
            max_value=out_of_range,
        ),
    )


def _phone(question: Question) -> forms.Field:
    return PhoneField(
        max_length=40,
        widget=forms.TextInput(attrs={**_attrs(question), "type": "tel", "autocomplete": "tel", "class": "input ltr"}),
        **_common(question, required=_("Fill in “%(label)s”."), max_length=_no_phone_number()),
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
        max_length=question["max_length"],
        choices=_choices(question),
        initial=_chosen(question),
        widget=forms.CheckboxSelectMultiple(),
        **_common(question, required=_("Tick at least one answer to “%(label)s”.")),
    )


def _date(question: Question) -> forms.Field:
    return DateField(
        # Only this one: 02/03 is a day in February for some and in March for others.
        input_formats=["%Y-%m-%d"],
        widget=forms.DateInput(attrs=_attrs(question, type="date"), format="%Y-%m-%d"),
        **_common(
            question,
            required=_("Fill in “%(label)s”."),
            invalid=_("Enter a date such as 2026-11-22: year, month, day."),
        ),
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
