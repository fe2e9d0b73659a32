"""Lists as CSV files: sent row by row, and safe to open in a spreadsheet."""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

from django.http import StreamingHttpResponse

# A spreadsheet takes a cell that begins with one of these for a formula and runs it, also in their full-width forms
# (OWASP, CSV injection).
FORMULA_STARTS = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
ROWS_AT_ONCE = 500
# By it spreadsheets know that the file is UTF-8.
BYTE_ORDER_MARK = "\ufeff"


def csv_response(file_name: str, header: Sequence[Any], rows: Iterable[Sequence[Any]]) -> StreamingHttpResponse:
    """Return `rows` as a download that never stands in memory as a whole: give a generator over `queryset.iterator()`.

    The rows are made while the response is sent, outside the request's transaction, tenant and language: filter,
    translate and audit beforehand.
    """
    titles = [str(title) for title in header]
    response = StreamingHttpResponse(_chunks(titles, rows), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{file_name}"'
    response["Cache-Control"] = "no-store"
    return response


def _chunks(titles: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    yield BYTE_ORDER_MARK + _lines([titles])
    remaining = iter(rows)
    while batch := list(islice(remaining, ROWS_AT_ONCE)):
        yield _lines(batch)


def _lines(rows: Iterable[Sequence[Any]]) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer, quoting=csv.QUOTE_ALL)
    writer.writerows([harmless(value) for value in row] for row in rows)
    return buffer.getvalue()


def harmless(value: Any) -> str:
    """Return the text of one cell. What a spreadsheet might run gets an apostrophe before it: then it is text.

    Numbers, times and truth values of ours are written as they are; everything that was typed by somebody is a string.
    """
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    if isinstance(value, dict | list):
        value = json.dumps(value, ensure_ascii=False) if value else ""
    if not isinstance(value, str):
        return str(value) if isinstance(value, bool | int | float) else harmless(str(value))
    text = value.replace("\0", "")
    is_dangerous = text[:1] in ("\t", "\r", "\n") or text.lstrip().startswith(FORMULA_STARTS)
    return f"'{text}" if is_dangerous else text
