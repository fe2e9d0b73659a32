"""What is different between two definitions of a flow, in sentences for the people who publish it."""

from collections.abc import Iterator
from typing import Any

from django.utils.text import Truncator
from django.utils.translation import gettext as _

from directory.models import DataType
from userflows.definition import Definition, Page, questions_in
from userflows.models import Admission, InputType
from userflows.questions import Choice, Question

LONGEST_QUOTE = 120


def changes(before: Definition | None, after: Definition) -> list[str]:
    """Return a sentence for each difference, in the order of the builder; without `before`, for all that there is."""
    if before is None:
        return list(_contents(after))
    if before == after:
        return []
    parts = (_first_page, _ways, _code, _questions, _pages, _admission, _languages)
    found = [sentence for part in parts for sentence in part(before, after)]
    # Nobody is ever told that nothing changed when something did.
    return found or [_("Something else was changed.")]


def _contents(definition: Definition) -> Iterator[str]:
    if definition["heading"]:
        yield _("The first page is headed %(heading)s.") % {"heading": quoted(definition["heading"])}
    if definition["introduction"]:
        yield _("Below stands %(text)s.") % {"text": quoted(definition["introduction"])}
    for way in definition["ways"]:
        yield _("People can sign in with %(name)s.") % {"name": quoted(way["name"])}
    yield from _code({}, definition)
    place = 0
    for number, page in enumerate(definition["pages"], start=1):
        if page["heading"] or number > 1:
            heading = quoted(page["heading"]) if page["heading"] else _("the standard one")
            yield _("Page %(number)d of the questions is headed %(heading)s.") % {"number": number, "heading": heading}
        for question in page["questions"]:
            place += 1
            words = _("%(place)d. %(label)s: %(kind)s, required.")
            if not question["required"]:
                words = _("%(place)d. %(label)s: %(kind)s, optional.")
            kind = InputType(question["input_type"]).label
            yield words % {"place": place, "label": quoted(question["label"]), "kind": kind}
    yield _("Who can sign up: %(kind)s.") % {"kind": Admission(definition["admission"]).label}
    if definition["domains"]:
        yield _("The email domains: %(domains)s.") % {"domains": ", ".join(definition["domains"])}


def quoted(text: str) -> str:
    return _("“%(text)s”") % {"text": Truncator(" ".join(text.split())).chars(LONGEST_QUOTE)}


def _text_change(before: str, after: str, *, what: str, standard: str) -> Iterator[str]:
    """`what` opens the sentence: “The heading”. An empty text stands for the `standard` one."""
    if before != after:
        yield _("%(what)s is now %(after)s instead of %(before)s.") % {
            "what": what,
            "after": quoted(after) if after else standard,
            "before": quoted(before) if before else standard,
        }


def _first_page(before: Definition, after: Definition) -> Iterator[str]:
    heading = {"what": _("The heading of the first page"), "standard": _("the standard one")}
    yield from _text_change(before["heading"], after["heading"], **heading)
    text = {"what": _("The text of the first page"), "standard": _("the standard one")}
    yield from _text_change(before["introduction"], after["introduction"], **text)


def _ways(before: Definition, after: Definition) -> Iterator[str]:
    old, new = ({way["id"]: way for way in definition["ways"]} for definition in (before, after))
    for key, way in new.items():
        if key not in old:
            yield _("People can sign in with %(name)s.") % {"name": quoted(way["name"])}
        elif way["name"] != old[key]["name"]:
            names = {"before": quoted(old[key]["name"]), "after": quoted(way["name"])}
            yield _("The way to sign in %(before)s is now called %(after)s.") % names
        elif way["kind"] != old[key]["kind"]:
            yield _("The way to sign in %(name)s is now of another kind.") % {"name": quoted(way["name"])}
    for key, way in old.items():
        if key not in new:
            yield _("People can't sign in with %(name)s any more.") % {"name": quoted(way["name"])}
    if [key for key in new if key in old] != [key for key in old if key in new]:
        names_in_order = ", ".join(way["name"] for way in new.values())
        yield _("The ways to sign in stand in this order: %(names)s.") % {"names": names_in_order}


def _code(before: Definition | dict[str, Any], after: Definition) -> Iterator[str]:
    old, new = before.get("code", {}), after.get("code", {})
    if old.get("length") != new.get("length"):
        words = _("Codes that we mail have %(count)d digits.")
        none = _("Codes that we mail have as many digits as the identity provider says.")
        yield words % {"count": new["length"]} if "length" in new else none
    if old.get("minutes") != new.get("minutes"):
        words = _("Codes that we mail work for %(count)d minutes.")
        none = _("Codes that we mail work for as long as the identity provider says.")
        yield words % {"count": new["minutes"]} if "minutes" in new else none
    if old.get("sender") != new.get("sender"):
        words = _("Mail with codes comes from %(name)s.")
        none = _("Mail with codes comes from whom the identity provider says.")
        yield words % {"name": quoted(new["sender"])} if "sender" in new else none


def _questions(before: Definition, after: Definition) -> Iterator[str]:
    old, new = ({question["name"]: question for question in questions_in(one)} for one in (before, after))
    for name, question in old.items():
        if name not in new:
            yield _("The question %(label)s isn't asked any more.") % {"label": quoted(question["label"])}
    for place, (name, question) in enumerate(new.items(), start=1):
        if name not in old:
            yield _added(question, place)
    yield from _moves(old, new)
    for name, question in new.items():
        if name in old:
            yield from _question_change(old[name], question)


def _added(question: Question, place: int) -> str:
    values = {
        "label": quoted(question["label"]),
        "place": _ordinal(place),
        "kind": InputType(question["input_type"]).label,
    }
    if question["required"]:
        return _("The question %(label)s is new, asked %(place)s: %(kind)s, required.") % values
    return _("The question %(label)s is new, asked %(place)s: %(kind)s, optional.") % values


def _moves(old: dict[str, Question], new: dict[str, Question]) -> Iterator[str]:
    """As few as tell it all: what was only pushed along by others isn't mentioned."""
    common = [name for name in new if name in old]
    old_places = {name: place for place, name in enumerate(old)}
    stayed = _longest_rising([old_places[name] for name in common])
    new_names = list(new)
    for name in common:
        if old_places[name] in stayed:
            continue
        place, earlier, label = new_names.index(name), old_places[name], quoted(new[name]["label"])
        if place != earlier:
            values = {"label": label, "after": _ordinal(place + 1), "before": _ordinal(earlier + 1)}
            yield _("The question %(label)s is asked %(after)s instead of %(before)s.") % values
        elif place == 0:
            yield _("The question %(label)s is asked before all others.") % {"label": label}
        else:
            values = {"label": label, "other": quoted(new[new_names[place - 1]]["label"])}
            yield _("The question %(label)s is asked after %(other)s.") % values


def _longest_rising(places: list[int]) -> set[int]:
    """Return the longest rising sub-sequence: those that kept their order among themselves."""
    best: list[list[int]] = []
    for place in places:
        before = [run for run in best if run[-1] < place]
        best.append([*_longest(before), place])
    return set(_longest(best))


def _longest(runs: list[list[int]]) -> list[int]:
    # Of two that changed places, the one that went up is told of.
    return max(reversed(runs), key=lambda run: len(run), default=[])


def _ordinal(place: int) -> str:
    words = (_("first"), _("second"), _("third"), _("fourth"), _("fifth"), _("sixth"), _("seventh"), _("eighth"))
    return words[place - 1] if place <= len(words) else _("at place %(place)d") % {"place": place}


def _question_change(old: Question, new: Question) -> Iterator[str]:
    label = quoted(new["label"])
    if old["label"] != new["label"]:
        yield _("The question %(before)s is now put as %(after)s.") % {"before": quoted(old["label"]), "after": label}
    hint = {"what": _("The hint of %(label)s") % {"label": label}, "standard": _("empty")}
    yield from _text_change(old["hint"], new["hint"], **hint)
    if old["required"] != new["required"]:
        words = _("%(label)s is now required.") if new["required"] else _("%(label)s is now optional.")
        yield words % {"label": label}
    if old["input_type"] != new["input_type"]:
        kinds = {
            "label": label,
            "after": InputType(new["input_type"]).label,
            "before": InputType(old["input_type"]).label,
        }
        yield _("%(label)s is now asked as “%(after)s” instead of “%(before)s”.") % kinds
    yield from _choice_changes(old["choices"], new["choices"], label)
    yield from _data_changes(old, new, label)


def _data_changes(old: Question, new: Question, label: str) -> Iterator[str]:
    """What follows from the attribute, not from the flow."""
    if old["data_type"] != new["data_type"]:
        kind = DataType(new["data_type"]).label
        yield _("Answers to %(label)s are now kept as “%(kind)s”.") % {"label": label, "kind": kind}
    if old["max_length"] != new["max_length"]:
        values = {"label": label, "limit": new["max_length"]}
        yield _("Answers to %(label)s can now have %(limit)d characters.") % values
    if old["autocomplete"] != new["autocomplete"]:
        yield _("Browsers fill in %(label)s in another way than before.") % {"label": label}


def _choice_changes(old: list[Choice], new: list[Choice], label: str) -> Iterator[str]:
    if old == new:
        return
    before, after = ({choice["value"]: choice for choice in choices} for choices in (old, new))
    count = 0
    for value, choice in after.items():
        values = {"label": label, "name": quoted(choice["name"])}
        if value not in before:
            count += 1
            yield _("%(label)s can be answered with %(name)s.") % values
        elif choice["name"] != before[value]["name"]:
            count += 1
            values["before"] = quoted(before[value]["name"])
            yield _("%(label)s: the answer %(before)s is now shown as %(name)s.") % values
    for value, choice in before.items():
        if value not in after:
            count += 1
            values = {"label": label, "name": quoted(choice["name"])}
            yield _("%(label)s can't be answered with %(name)s any more.") % values
    chosen = [[choice["name"] for choice in choices if choice.get("isDefault")] for choices in (old, new)]
    if chosen[0] != chosen[1]:
        count += 1
        names = ", ".join(quoted(name) for name in chosen[1]) or _("nothing")
        yield _("%(label)s: chosen beforehand is now %(names)s.") % {"label": label, "names": names}
    if [value for value in after if value in before] != [value for value in before if value in after] or not count:
        names = ", ".join(choice["name"] for choice in new)
        yield _("%(label)s offers its answers in this order: %(names)s.") % {"label": label, "names": names}


def _pages(before: Definition, after: Definition) -> Iterator[str]:
    old, new = _page_starts(before["pages"]), _page_starts(after["pages"])
    known = {question["name"] for question in questions_in(before)} | {""}
    labels = {question["name"]: question["label"] for one in (before, after) for question in questions_in(one)}
    for name, heading in new.items():
        page = {"label": quoted(labels.get(name, name)), "heading": quoted(heading) if heading else ""}
        if name in old and old[name] != heading:
            what = (
                _("The heading of the page that begins with %(label)s") % page
                if name
                else _("The heading above the questions")
            )
            yield from _text_change(old[name], heading, what=what, standard=_("the standard one"))
        elif name not in old and heading:
            yield _("A new page begins with %(label)s, headed %(heading)s.") % page
        elif name not in old:
            yield _("A new page begins with %(label)s.") % page
    for name in old:
        if name not in new and name in known:
            yield _("No new page begins with %(label)s any more.") % {"label": quoted(labels.get(name, name))}


def _page_starts(pages: list[Page]) -> dict[str, str]:
    """Return the headings by the question that each page begins with; the first page by ""."""
    starts = {}
    for place, page in enumerate(pages):
        first = page["questions"][0]["name"] if page["questions"] else f"#{place}"
        starts["" if place == 0 else first] = page["heading"]
    return starts or {"": ""}


def _admission(before: Definition, after: Definition) -> Iterator[str]:
    old, new = set(before["domains"]), set(after["domains"])
    if before["admission"] != after["admission"]:
        kind = Admission(after["admission"]).label
        yield _("Who can sign up: %(kind)s.") % {"kind": kind}
        old = set()
    opened = after["admission"] == Admission.ALLOWED_DOMAINS
    can = _("People with addresses of %(domain)s can sign up.")
    cannot = _("People with addresses of %(domain)s can't sign up.")
    for domain in after["domains"]:
        if domain not in old:
            yield (can if opened else cannot) % {"domain": domain}
    for domain in before["domains"]:
        if before["admission"] == after["admission"] and domain not in new:
            yield (cannot if opened else can) % {"domain": domain}
    if after["domains"] and before["domains"] != after["domains"] and old == new:
        yield _("The email domains stand in this order: %(domains)s.") % {"domains": ", ".join(after["domains"])}


def _languages(before: Definition, after: Definition) -> Iterator[str]:
    if before["languages"] != after["languages"]:
        names = ", ".join(after["languages"]) or _("all that there are")
        yield _("The pages are offered in these languages: %(names)s.") % {"names": names}
