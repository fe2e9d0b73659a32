"""A browser that follows every link."""

import re
from html import unescape
from typing import Any
from urllib.parse import urljoin

from django.test import Client

LINK = re.compile(r"<a\s[^>]*?href=\"([^\"#]*)")
# Several filters, or an order by several columns: the same rows as one by one.
COMBINED = re.compile(r"[?].*&|[?]o=[^&]*\.")
VALUE = re.compile(r"([?]\w+=).*")
# The filters of the list that one came from: the same page again.
CAME_FROM = re.compile(r"[?&]_changelist_filters=[^&]*")


def crawl(browser: Client, start: str, *, limit: int, every_value: bool = False) -> dict[str, Any]:
    """Return the answers by their addresses, redirects followed. Leaves `start` nowhere.

    Sorts each list once; of each filter it takes one value, or every one.
    """
    seen: set[str] = set()
    waiting: list[str] = [start]
    pages: dict[str, Any] = {}
    while waiting and len(pages) < limit:
        url = waiting.pop(0)
        place = url if every_value and "?o=" not in url else VALUE.sub(r"\1", url)
        if place in seen:
            continue
        seen.add(place)
        response = browser.get(url)
        if response.status_code in (301, 302, 307):
            waiting.append(urljoin(url, response["Location"]))
            continue
        pages[url] = response
        found = LINK.findall(response.content.decode())
        links = (CAME_FROM.sub("", urljoin(url, unescape(link))) for link in found)
        waiting += [link for link in links if link.startswith(start) and not COMBINED.search(link)]
    return pages
