"""What was just removed in this session: a button pressed twice does no more, and asks nobody what a 404 is."""

from django.http import HttpRequest

KEPT = 5
FACT = "account_removed"


def note_removed(request: HttpRequest, id_: object) -> None:
    request.session[FACT] = [*request.session.get(FACT, []), str(id_)][-KEPT:]


def was_removed(request: HttpRequest, id_: object) -> bool:
    return str(id_) in request.session.get(FACT, [])
