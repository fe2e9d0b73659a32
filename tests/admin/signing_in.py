"""Both pages of signing in, as a browser without JavaScript sends them."""

from django.test import Client

from directory.models import User
from identity_portal.second_factor import add_app
from tests.conftest import PASSWORD
from tests.totp import code_of

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def give_app(user: User) -> User:
    """Set up an authenticator app with SECRET. The code of now is still unused."""
    assert add_app(user, secret=SECRET, code=code_of(SECRET, step=-1))
    return user


def give_password(browser: Client, url: str, mail: str, password: str = PASSWORD, **more: str) -> str:
    """Return where the browser is sent after the first page, "" when the page comes again."""
    response = browser.post(f"{url}login/", {"mail": mail, "password": password, **more})
    return str(response.get("Location", ""))


def give_code(browser: Client, url: str, code: str, way: str = "totp") -> str:
    """Return where the browser is sent after the second page, "" when the page comes again."""
    response = browser.post(f"{url}second-factor/?way={way}", {"answer": code})
    return str(response.get("Location", ""))


def sign_in(browser: Client, url: str, mail: str, password: str = PASSWORD, **more: str) -> str:
    """Return where the browser is sent in the end, "" when one of the pages comes again."""
    if give_password(browser, url, mail, password, **more) != f"{url}second-factor/":
        return ""
    return give_code(browser, url, code_of(SECRET))
