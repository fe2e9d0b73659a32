"""People with passkeys on the hosted pages, as a browser with an authenticator made of software."""

import re
from html import unescape
from typing import Any

from directory.models import User
from tests.passkey import SoftPasskey
from tests.relying_party import RelyingParty
from tests.stranger import Stranger
from userflows.passkey import SIGN_IN_HANDLE, add_passkey, passkey_to_make

ANSWERS = {"GivenName": "Amina", "Surname": "Haddad"}
REFUSED = "We could not sign you in with this passkey."


def options_on(page: str) -> str:
    found = re.search(r'data-options="([^"]*)"', page)
    assert found, page
    return unescape(found[1])


def give_passkey(user: User, name: str = "My phone", *, for_sign_in: bool = True, **bent: Any) -> SoftPasskey:
    passkey = SoftPasskey(handle=(SIGN_IN_HANDLE if for_sign_in else b"") + user.pk.bytes, **bent)
    options, state = passkey_to_make(user, for_sign_in=for_sign_in)
    assert add_passkey(user, name=name, state=state, answer=passkey.make(options), for_sign_in=for_sign_in)
    return passkey


def use(browser: Stranger, passkey: SoftPasskey, answer: str = "") -> Stranger:
    """Answer the first page by a passkey."""
    path = browser.path.replace("/choose/", "/passkey/")
    sent = browser.hidden_fields() | {"answer": answer or passkey.use(options_on(browser.html))}
    return browser._follow(browser.http.post(path, sent), path)


def offered(relying_party: RelyingParty, browser: Stranger, **request: str) -> Stranger:
    """Sign in by code, in a browser that says it can make passkeys."""
    browser.open(relying_party.request_url(**request)).submit(email=browser.email, can_passkey="1").give_code()
    return browser if browser.left_to or browser.step != "attributes" else browser.submit(**ANSWERS)


def claims_of(relying_party: RelyingParty, url: str) -> dict[str, Any]:
    return relying_party.verified(relying_party.redeem(relying_party.answer(url)["code"]).json()["id_token"])
