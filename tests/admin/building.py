"""The flow builder as a browser without script sends it."""

from typing import Any

from django.test import Client

from directory.models import UserAttribute
from tests.admin.conftest import Furnished
from tests.page_reader import Page
from userflows.models import UserFlow

PREFIX = "attribute_assignments"


def flow_url(ours: Furnished, flow: UserFlow | None = None, page: str = "change") -> str:
    return f"{ours.admin_url}userflows/userflow/{(flow or ours.flow).pk}/{page}/"


def form_of(html: str) -> dict[str, Any]:
    """Return what the browser would send for the builder's page as it stands."""
    values = Page(html).values
    of_others = ("csrfmiddlewaretoken", "q")
    return {
        name: sent
        for name, sent in values.items()
        if sent and "__prefix__" not in name and name not in of_others and not name.startswith("preview_")
    }


def open_builder(browser: Client, ours: Furnished, flow: UserFlow | None = None) -> dict[str, Any]:
    return form_of(browser.get(flow_url(ours, flow)).content.decode())


def save(browser: Client, ours: Furnished, form: dict[str, Any], **more: Any) -> Any:
    return browser.post(flow_url(ours), {**form, **more})


def row(number: int, **values: Any) -> dict[str, Any]:
    return {f"{PREFIX}-{number}-{name}": value for name, value in values.items()}


def new_row(form: dict[str, Any], **values: Any) -> dict[str, Any]:
    """Return the fields of one more question, by the id of its attribute, or `new`."""
    number = int(form[f"{PREFIX}-TOTAL_FORMS"][0])
    asked = {"input_type": "textBox", "required": "on", "order": str(number + 1), **values}
    return {f"{PREFIX}-TOTAL_FORMS": [str(number + 1)], **row(number, **asked)}


def attribute_id(ours: Furnished, name: str) -> str:
    return str(UserAttribute.objects.get(tenant=ours.tenant, name=name).pk)
