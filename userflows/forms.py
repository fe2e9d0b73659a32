"""The forms of the hosted pages. The look of a field is templates/django/forms/field.html."""

from typing import Any

from django import forms
from django.core.validators import EmailValidator
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from directory.models import User
from userflows.fields import CheckboxesField, field_for, refuse_control_characters
from userflows.password import MIN_LENGTH, problems_with
from userflows.questions import Question

MAIL_MAX_LENGTH = 254


class HostedForm(forms.Form):
    """Our own messages only, in our language: the browser's are switched off."""

    use_required_attribute = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "label_suffix": ""})


class EmailForm(HostedForm):
    email = forms.CharField(
        label=_("Email address"),
        help_text=_("We will send you a code to check that it is yours."),
        max_length=MAIL_MAX_LENGTH,
        error_messages={
            "required": _("Enter your email address."),
            "max_length": _("Enter an email address of at most 254 characters."),
        },
        validators=[EmailValidator(_("Enter an email address such as name@example.com."))],
        widget=forms.EmailInput(
            attrs={
                "class": "input ltr",
                "autocomplete": "email",
                "inputmode": "email",
                "spellcheck": "false",
                "autocapitalize": "none",
            }
        ),
    )

    def clean_email(self) -> str:
        """The domain in lower case and in its ASCII form; the part before the @ as it was typed."""
        local, _at, domain = str(self.cleaned_data["email"]).rpartition("@")
        refuse_control_characters(local)
        if not local.isascii():
            # Django lets a few letters pass (the Kelvin sign) that in lower case are others: another one's address.
            raise forms.ValidationError(_("Enter an email address such as name@example.com."))
        try:
            mail = f"{local}@{domain.encode('idna').decode().lower()}"
        except UnicodeError as error:
            raise forms.ValidationError(_("Enter an email address such as name@example.com.")) from error
        # The ASCII form of a domain is longer than what was typed.
        if len(mail) > MAIL_MAX_LENGTH:
            raise forms.ValidationError(self.fields["email"].error_messages["max_length"])
        return mail


class CodeForm(HostedForm):
    code = forms.CharField(
        label=_("Security code"),
        help_text=_("You can paste it. Spaces don't matter."),
        max_length=20,
        error_messages={
            "required": _("Enter the code from the email."),
        },
        widget=forms.TextInput(
            attrs={
                "class": "input code",
                "inputmode": "numeric",
                "autocomplete": "one-time-code",
                "spellcheck": "false",
            }
        ),
    )

    def __init__(self, *args: Any, length: int = 8, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.length = length
        self.words = _("Enter the %(length)d digits of the code.") % {"length": length}
        self.fields["code"].error_messages["max_length"] = self.words

    def clean_code(self) -> str:
        """Spaces and hyphens are how people read it out; digits of any script are digits."""
        digits = "".join(character for character in self.cleaned_data["code"] if not character.isspace())
        digits = digits.replace("-", "")
        if len(digits) != self.length or not digits.isdecimal():
            raise forms.ValidationError(self.words)
        return "".join(str(int(digit)) for digit in digits)


def _password_widget(autocomplete: str, **attributes: str) -> forms.PasswordInput:
    """Managers fill it in, and pasting works: nothing stands in their way."""
    return forms.PasswordInput(
        attrs={
            "class": "input ltr",
            "autocomplete": autocomplete,
            "spellcheck": "false",
            "autocapitalize": "none",
            **attributes,
        }
    )


class PasswordForm(HostedForm):
    password = forms.CharField(
        label=_("Password"),
        strip=False,
        error_messages={"required": _("Enter your password.")},
        widget=_password_widget("current-password"),
    )


class NewPasswordForm(HostedForm):
    """For `user`, whose name and address the password must not be like."""

    password = forms.CharField(
        label=_("New password"),
        help_text=format_lazy(
            _("At least {count} characters. Several words in a row are strong and easy to remember."), count=MIN_LENGTH
        ),
        strip=False,
        error_messages={
            "required": format_lazy(_("Choose a password of at least {count} characters."), count=MIN_LENGTH)
        },
        widget=_password_widget("new-password"),
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user

    def clean_password(self) -> str:
        password = str(self.cleaned_data["password"])
        problems = problems_with(password, self.user)
        if problems:
            raise forms.ValidationError([forms.ValidationError(problem) for problem in problems])
        return password


class AttributesForm(HostedForm):
    """One field for each question, named by the attribute."""

    def __init__(
        self, *args: Any, questions: list[Question], answers: dict[str, Any] | None = None, **kwargs: Any
    ) -> None:
        """`answers` are those that were given before, as they are kept."""
        super().__init__(*args, **kwargs)
        for question in questions:
            field = field_for(question)
            answer = (answers or {}).get(question["name"])
            if answer is not None:
                field.initial = answer.split(",") if isinstance(field, CheckboxesField) else answer
            self.fields[question["name"]] = field

    def answers(self) -> dict[str, str | int | bool]:
        """Return the answers as they are kept, without the questions that were left open or answered badly."""
        return {name: value for name, value in self.cleaned_data.items() if value not in ("", None)}
