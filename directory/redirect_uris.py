"""What may be registered as a redirect URI, and when a sent one matches.

RFC 6749 3.1.2, RFC 8252 7, RFC 9700 4.1.3.
"""

import re
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})
HOST = re.compile(r"[A-Za-z0-9._-]+|[0-9A-Fa-f:.]+")
# The origin and the rest, without the port between them.
LOOPBACK = re.compile(r"(http://(?:localhost|127\.0\.0\.1|\[::1\]))(?::[0-9]{1,5})?((?:[/?][!\"$-~]*)?)")
SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
MAX_LENGTH = 256
MAX_COUNT = 100


@dataclass(frozen=True)
class Remark:
    """What is to be said of one line of a list of URIs. `line` counts from 1; 0 is the list as a whole.

    A problem is refused; what is none is advice.
    """

    line: int
    message: str
    is_problem: bool


def split_uris(text: str) -> list[str]:
    """Return the URIs of a column in which they stand separated by white space, duplicates dropped."""
    return list(dict.fromkeys(text.split()))


def examine_redirect_uris(text: str, *, private_schemes: bool) -> list[Remark]:
    """Return what is wrong with a list of URIs, one on each line, and what is worth knowing, in the order of lines."""
    remarks = []
    lines = text.splitlines()
    for number, line in enumerate(lines, start=1):
        for is_problem, message in _examine_line(line.split(), private_schemes=private_schemes):
            named = _("Line %(number)d: %(message)s") % {"number": number, "message": message}
            remarks.append(Remark(number, named if len(lines) > 1 else message, is_problem))
    if len(split_uris(text)) > MAX_COUNT:
        remarks.append(Remark(0, _("At most %(limit)d URIs.") % {"limit": MAX_COUNT}, is_problem=True))
    return remarks


def _examine_line(words: list[str], *, private_schemes: bool) -> list[tuple[bool, str]]:
    """Return pairs of (is a problem, message)."""
    if not all(SCHEME.match(word) for word in words[1:]):
        message = _("%(uri)s has a space in it. Write one URI on each line, and a space inside a URI as %%20.")
        return [(True, message % {"uri": _shortened(" ".join(words))})]
    found = []
    for uri in words:
        try:
            check_redirect_uri(uri, private_schemes=private_schemes)
        except ValidationError as problem:
            found.append((True, problem.messages[0]))
        else:
            found += [(False, advice) for advice in redirect_uri_advice(uri, private_schemes=private_schemes)]
    return found


def redirect_uri_advice(uri: str, *, private_schemes: bool) -> list[str]:
    """Return what is worth knowing of a URI that may be registered: it must match to the letter."""
    parts = urlsplit(uri)
    advice = []
    if len(parts.path) > 1 and parts.path.endswith("/"):
        advice.append(_("%(uri)s ends with a slash. Your application must send it with the slash."))
    if not uri.startswith(parts.scheme) or parts.netloc != parts.netloc.lower():
        advice.append(_("%(uri)s has capital letters in front of its path. Your application must send it with them."))
    if parts.hostname == "localhost" and parts.scheme == "http":
        if private_schemes:
            advice.append(
                _("%(uri)s works with any port. 127.0.0.1 is safer than localhost, which may be another host.")
            )
        else:
            advice.append(
                _("%(uri)s is for development, and 127.0.0.1 in the place of localhost would be another URI.")
            )
    return [message % {"uri": uri} for message in advice]


def _shortened(uri: str) -> str:
    return uri if len(uri) <= MAX_LENGTH else f"{uri[:60]}…"


def check_redirect_uri(uri: str, *, private_schemes: bool) -> None:
    """Refuse a URI that must not be registered, in words that help to correct it.

    `private_schemes` is true for mobile and desktop applications (RFC 8252 7.1).

    Raises ValidationError.
    """
    if len(uri) > MAX_LENGTH:
        raise ValidationError(
            _("%(uri)s… is longer than %(limit)d characters."), params={"uri": uri[:60], "limit": MAX_LENGTH}
        )
    try:
        parts = urlsplit(uri)
        parts.port  # noqa: B018 - raises for a port that is no number
    except ValueError as error:
        raise ValidationError(_("%(uri)s is not a URI."), params={"uri": uri}) from error
    problem = _shape_problem(uri, parts) or _scheme_problem(parts, private_schemes=private_schemes)
    if problem:
        raise ValidationError(problem, params={"uri": uri})


def _shape_problem(uri: str, parts: SplitResult) -> str:
    if not uri.isascii() or not uri.isprintable():
        return _(
            "%(uri)s has characters that are not allowed in a URI. Write them percent-encoded, in a host name as xn--…"
        )
    if "*" in uri:
        return _("%(uri)s has a wildcard. Add each URI that your application uses.")
    if "#" in uri:
        return _("%(uri)s has a fragment (#…). Remove it.")
    if "\\" in uri:
        return _("%(uri)s has a backslash in it. Write slashes.")
    if parts.username is not None or parts.password is not None:
        return _("%(uri)s has a user name or password in front of the host name (…@). Remove it.")
    if parts.scheme in ("http", "https") and not (parts.hostname and HOST.fullmatch(parts.hostname)):
        return _("%(uri)s has no host name, or one with characters that don't belong there.")
    return ""


def _scheme_problem(parts: SplitResult, *, private_schemes: bool) -> str:
    if parts.scheme == "https":
        return ""
    if parts.scheme == "http":
        if parts.hostname in LOOPBACK_HOSTS:
            return ""
        return _("%(uri)s must begin with https://. Only localhost, 127.0.0.1 and [::1] may use http://.")
    if private_schemes and "." in parts.scheme:
        return ""
    if private_schemes:
        return _(
            "%(uri)s must begin with https://, http://localhost or a scheme of your own that has a dot in it, "
            "such as com.example.app:"
        )
    if "." in parts.scheme:
        return _("%(uri)s must begin with https://. Schemes of their own are for mobile and desktop applications.")
    return _("%(uri)s must begin with https://.")


def is_registered(sent: str, registered: list[str], *, any_loopback_port: bool) -> bool:
    """Answer whether `sent` is one of `registered`: exact, but for the port of loopback (RFC 8252 7.3)."""
    if sent in registered:
        return True
    return any_loopback_port and any(_same_but_port(sent, uri) for uri in registered)


def _same_but_port(sent: str, registered: str) -> bool:
    # On the text, not on parsed parts: a parser forgives what a browser may read in another way.
    a, b = LOOPBACK.fullmatch(sent), LOOPBACK.fullmatch(registered)
    return a is not None and b is not None and a.groups() == b.groups()


def form_action_source(uri: str) -> str:
    """Return the CSP source that allows a form's redirect to reach `uri`: its origin, or its private-use scheme."""
    parts = urlsplit(uri)
    if parts.scheme in ("http", "https"):
        return f"{parts.scheme}://{parts.netloc}"
    return f"{parts.scheme}:"
