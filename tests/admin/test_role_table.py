"""Role by page by action: every page of a tenant's site that is not one of Django's five for each model.

tests/admin/test_roles.py goes through those. A page that is in neither list makes the first test fail.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import URLPattern

from directory.models import IdentityProvider, User
from directory.roles import PERMISSIONS, Role
from identity_portal.admin_sites import tenant_site
from tests.admin.conftest import Furnished, browser_of
from tests.admin.crawling import crawl
from tests.hosted_passkeys import give_passkey
from userflows.passkey import Passkey, passkeys_of

pytestmark = pytest.mark.any_database

STANDARD = ("changelist", "add", "history", "delete", "change")
# Each person's own: signing in, the second factor, the home page and what it is made of.
OWN = {
    *("index", "login", "logout", "password_change", "password_change_done", "autocomplete", "jsi18n", "search"),
    *("second_factor", "set_up_factor", "set_up_app", "set_up_passkey", "forgot_password", "set_password"),
    *("one_time_link", "step_up", "your_sign_in", "remove_factor", "end_session", "replace_recovery_codes"),
    *("recovery_codes", "recovery_codes_text", "app_list"),
    # Reached with the run that one administrator began; tests/admin/test_run_user_flow.py tries everybody else.
    *("userflows_userflow_run_callback", "userflows_userflow_run_result"),
    # Shows the link that this very session has just made.
    "directory_user_show_link",
    # Shows what each role may see: tests/admin/test_health_page.py.
    "health",
}


@dataclass(frozen=True)
class Page:
    """What a role needs on `subject` to open the page, and to post to it ("": there is nothing to post)."""

    path: str
    subject: str
    get: str
    post: str


FLOW = "userflows/userflow/{flow.pk}/"
APPLICATION = "directory/application/{application.pk}/"
PERSON = "directory/user/{guest.pk}/"
PROVIDER = "directory/identityprovider/{saml.pk}/"
PAGES = {
    "userflows_userflow_run": Page(FLOW + "run/", "userflow", "change", "change"),
    "userflows_userflow_preview": Page(FLOW + "preview/", "userflow", "view", "view"),
    "userflows_userflow_publish": Page(FLOW + "publish/", "userflow", "change", "change"),
    "userflows_userflow_discard": Page(FLOW + "discard/", "userflow", "change", "change"),
    "userflows_userflow_pause": Page(FLOW + "pause/", "userflow", "change", "change"),
    "userflows_userflow_versions": Page(FLOW + "versions/", "userflow", "view", ""),
    "userflows_userflow_version": Page(FLOW + "versions/1/", "userflow", "view", ""),
    "userflows_userflow_version_preview": Page(FLOW + "versions/1/preview/", "userflow", "view", ""),
    "userflows_userflow_roll_back": Page(FLOW + "versions/1/roll-back/", "userflow", "change", "change"),
    "directory_application_flows": Page(APPLICATION + "flow/", "userflow", "change", ""),
    "directory_application_leave_flow": Page(APPLICATION + "flow/leave/", "userflow", "change", "change"),
    "directory_application_use_flow": Page(APPLICATION + "flow/{flow.pk}/", "userflow", "change", "change"),
    "directory_application_check_uris": Page("directory/application/check-uris/", "application", "", "add"),
    "directory_application_add_secret": Page(APPLICATION + "secrets/add/", "clientsecret", "add", "add"),
    "directory_application_show_secret": Page(APPLICATION + "secrets/new/", "clientsecret", "add", ""),
    "directory_application_remove_secret": Page(
        APPLICATION + "secrets/{secret_row.pk}/remove/", "clientsecret", "delete", "delete"
    ),
    "directory_user_new_link": Page("directory/user/{reader.pk}/link/", "roleassignment", "change", "change"),
    "directory_user_reset_factor": Page(
        "directory/user/{reader.pk}/second-factor/reset/", "roleassignment", "change", "change"
    ),
    "directory_user_deleted": Page("directory/user/deleted/", "user", "view", ""),
    "directory_user_restore": Page("directory/user/deleted/{deleted.pk}/restore/", "user", "delete", "delete"),
    "directory_user_erase": Page(
        "directory/user/deleted/{long_deleted.pk}/delete-for-good/", "user", "delete", "delete"
    ),
    "directory_user_disable": Page(PERSON + "disable/", "user", "change", "change"),
    "directory_user_enable": Page(PERSON + "enable/", "user", "change", "change"),
    "directory_user_revoke-sessions": Page(PERSON + "revoke-sessions/", "user", "change", "change"),
    "directory_user_convert": Page(PERSON + "convert/", "user", "change", "change"),
    "directory_user_export": Page("directory/user/export/", "user", "view", "view"),
    "directory_roleassignment_role": Page("directory/roleassignment/global_reader/", "roleassignment", "view", ""),
    "directory_roleassignment_assign": Page(
        "directory/roleassignment/global_reader/assign/{member.pk}/", "roleassignment", "change", "change"
    ),
    "directory_roleassignment_remove": Page(
        "directory/roleassignment/global_reader/remove/{member.pk}/", "roleassignment", "change", "change"
    ),
    "directory_user_remove_identity": Page(PERSON + "ways/{identity.pk}/remove/", "user", "change", "change"),
    "directory_user_remove_passkey": Page(PERSON + "passkeys/{passkey.id}/remove/", "user", "change", "change"),
    "directory_identityprovider_switch": Page(PROVIDER + "switch/", "identityprovider", "change", "change"),
    "directory_identityprovider_test": Page(PROVIDER + "test/", "identityprovider", "", "change"),
    "directory_identityprovider_test_result": Page(PROVIDER + "test/result/", "identityprovider", "change", ""),
    "directory_identityprovider_metadata": Page(PROVIDER + "metadata/", "identityprovider", "change", "change"),
    # Only with both: a role that may see people may see identity providers as well.
    "directory_identityprovider_explain": Page("directory/identityprovider/explain/", "user", "view", "view"),
    "userflows_signin_export": Page("userflows/signin/export/", "signin", "", "view"),
    "directory_auditevent_export": Page("directory/auditevent/export/", "auditevent", "", "view"),
    "oidc_signingkey_rotate": Page("oidc/signingkey/rotate/", "signingkey", "change", "change"),
}


def passkey_of(user: User) -> Passkey:
    give_passkey(user, origin=settings.BASE_URL)
    return passkeys_of(user)[0]


@pytest.fixture
def pages_of(make_admin: Callable[..., User], make_guest: Callable[..., User]) -> Callable[[Furnished], dict[str, str]]:
    """The paths of PAGES for what one tenant has."""

    def make(owner: Furnished) -> dict[str, str]:
        rows: dict[str, Any] = {
            "member": make_admin(owner.tenant, mail=f"member@{owner.tenant.slug}.example"),
            "reader": make_admin(owner.tenant, Role.GLOBAL_READER, mail=f"reader@{owner.tenant.slug}.example"),
            "deleted": make_guest(owner.tenant, f"gone@{owner.tenant.slug}.example", deleted_at=owner.event.at),
            "long_deleted": make_guest(owner.tenant, f"lost@{owner.tenant.slug}.example", deleted_at=owner.event.at),
            "secret_row": owner.application.secrets.get(),
            "identity": owner.guest.identities.get(),
            "passkey": passkey_of(owner.guest),
            "saml": IdentityProvider.objects.create(
                tenant=owner.tenant, kind="Saml", name=owner.marker, is_enabled=False
            ),
        }
        parts = {name: getattr(owner, name) for name in ("flow", "application", "guest")} | rows
        return {name: page.path.format(**parts) for name, page in PAGES.items()}

    return make


def named_urls(patterns: Any) -> Iterator[str]:
    for entry in patterns:
        if isinstance(entry, URLPattern):
            yield entry.name or ""
        else:
            yield from named_urls(entry.url_patterns)


def test_every_page_is_in_a_table() -> None:
    names = {name for name in named_urls(tenant_site.get_urls()) if name}
    standard = {
        f"{model._meta.app_label}_{model._meta.model_name}_{page}"
        for model in tenant_site._registry
        for page in STANDARD
    }
    assert names - standard - OWN == set(PAGES)


@pytest.mark.parametrize("role", list(Role))
def test_opens_and_posts_what_its_row_says(
    ours: Furnished,
    role: Role,
    make_admin: Callable[..., User],
    pages_of: Callable[[Furnished], dict[str, str]],
) -> None:
    paths = pages_of(ours)
    admin = browser_of(make_admin(ours.tenant, role, mail="one.role@woodgrove.example"))
    wrong = {}
    for name, page in PAGES.items():
        granted = PERMISSIONS[role].get(page.subject, frozenset())
        for method, action in (("get", page.get), ("post", page.post)):
            if action:
                response = getattr(admin, method)(ours.admin_url + paths[name])
                assert response.status_code in (200, 302, 400, 403, 409), (name, method, response.status_code)
                if (response.status_code != 403) != (action in granted):
                    wrong[name, method] = response.status_code
    assert wrong == {}


def test_opens_and_posts_nothing_of_another_tenant(
    browser: Client, ours: Furnished, theirs: Furnished, pages_of: Callable[[Furnished], dict[str, str]]
) -> None:
    paths = pages_of(theirs)
    for name, page in PAGES.items():
        if "{" in page.path:
            for response in (browser.get(ours.admin_url + paths[name]), browser.post(ours.admin_url + paths[name])):
                assert response.status_code in (404, 405), (name, response.status_code)
                assert theirs.marker not in response.content.decode(), name


@pytest.mark.parametrize("role", list(Role))
def test_shows_no_link_that_its_row_shuts(
    ours: Furnished, theirs: Furnished, role: Role, make_admin: Callable[..., User]
) -> None:
    admin = browser_of(make_admin(ours.tenant, role, mail="one.role@woodgrove.example"))
    pages = crawl(admin, ours.admin_url, limit=300)
    assert 10 < len(pages) < 300
    assert {url: page.status_code for url, page in pages.items() if page.status_code != 200} == {}
    for url, page in pages.items():
        assert theirs.marker not in page.content.decode(), url
