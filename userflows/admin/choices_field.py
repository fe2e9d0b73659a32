from typing import Any

from django import forms
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

CHOSEN = "*"
SEPARATOR = "|"


class ChoicesField(forms.CharField):
    """The choices of a question as people write lists: one on each line.

    `Germany | DE` shows “Germany” and keeps “DE”; `* Germany` is chosen beforehand.
    """

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("widget", forms.Textarea(attrs={"rows": 4}))
        super().__init__(
            label=_("Choices"),
            required=False,
            help_text=_(
                "One on each line. “Germany | DE” shows Germany and keeps DE. A line that begins with * is chosen "
                "beforehand."
            ),
            **kwargs,
        )

    def to_python(self, value: Any) -> list[dict[str, Any]]:  # type: ignore[override]
        text = str(super().to_python(value) or "")
        # Django looks for it in the text, which is a list by then; PostgreSQL refuses it in JSON.
        if "\x00" in text:
            raise forms.ValidationError(_now("Null characters are not allowed."))
        lines = [line.strip() for line in text.splitlines()]
        return [_choice(line) for line in lines if line]

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(_line(choice) for choice in value) if isinstance(value, list) else value

    def has_changed(self, initial: Any, data: Any) -> bool:
        return self.to_python(data) != self.to_python(self.prepare_value(initial or []))


def _choice(line: str) -> dict[str, Any]:
    is_default = line.startswith(CHOSEN)
    name, _separator, value = line.removeprefix(CHOSEN).partition(SEPARATOR)
    return {"name": name.strip(), "value": (value or name).strip(), "isDefault": is_default}


def _line(choice: dict[str, Any]) -> str:
    name, value = choice["name"], choice["value"]
    text = name if name == value else f"{name} {SEPARATOR} {value}"
    return f"{CHOSEN} {text}" if choice.get("isDefault") else text
