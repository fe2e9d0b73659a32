"""What a browser would send if the person pressed the button now, and what the page complains about."""

from dataclasses import dataclass, field
from html.parser import HTMLParser


@dataclass
class Choice:
    value: str
    chosen: bool


@dataclass
class Page(HTMLParser):
    """`values`: by the name of the field, in the order of the page. `errors`: by the id of their box."""

    html: str
    values: dict[str, list[str]] = field(default_factory=dict)
    attributes: dict[str, dict[str, str]] = field(default_factory=dict)
    choices: dict[str, list[Choice]] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__init__()
        self._text: list[str] = []
        self._open = ("", "")
        self._depth = 0
        self.feed(self.html)

    def handle_starttag(self, tag: str, pairs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in pairs}
        name = attributes.get("name", "")
        if tag in ("input", "select", "textarea") and name:
            self.attributes[name] = attributes
            self.values.setdefault(name, [])
        if tag == "input" and name:
            self._input(name, attributes, "checked" in attributes)
        if tag == "option":
            chosen = "selected" in attributes
            self.choices.setdefault(self._open[1], []).append(Choice(attributes.get("value", ""), chosen))
            if chosen:
                self.values[self._open[1]].append(attributes.get("value", ""))
        if tag in ("select", "textarea"):
            self._open, self._text = (tag, name), []
        if attributes.get("id", "").endswith("_error"):
            self._open, self._text = (tag, attributes["id"].removeprefix("id_").removesuffix("_error")), []

    def _input(self, name: str, attributes: dict[str, str], checked: bool) -> None:
        if attributes.get("type") in ("radio", "checkbox"):
            self.choices.setdefault(name, []).append(Choice(attributes.get("value", "on"), checked))
            if not checked:
                return
        self.values[name].append(attributes.get("value", "on" if checked else ""))

    def handle_data(self, data: str) -> None:
        self._text.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag != self._open[0]:
            return
        text = "".join(self._text)
        if tag == "textarea":
            # HTML drops the first line break in it.
            self.values[self._open[1]].append(text.removeprefix("\n"))
        if tag == "div":
            self.errors[self._open[1]] = " ".join(text.split())
        self._open = ("", "")
