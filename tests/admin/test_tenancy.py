"""Nothing of another tenant is seen, found, guessed, linked to or changed."""

import pytest
from django.contrib.admin import RelatedOnlyFieldListFilter
from django.contrib.contenttypes.models import ContentType
from django.http import HttpRequest
from django.test import Client

from directory.admin.scoping import TenantModelAdmin
from directory.models import Application, AppRoleAssignment, AuditEvent, User, UserAttribute
from identity_portal.admin_sites import tenant_site
from identity_portal.oidc.models import SigningKey
from tests.admin.conftest import Furnished
from tests.admin.crawling import crawl
from tests.admin.form_data import flow_form
from userflows.models import ApplicationAssignment, AttributeAssignment, UserFlow

pytestmark = pytest.mark.any_database

OWNED = {
    "userflows/userflow": "flow",
    "directory/application": "application",
    "directory/userattribute": "attribute",
    "directory/identityprovider": "provider",
    "directory/user": "guest",
    "directory/auditevent": "event",
    "userflows/signin": "entry",
    "directory/tenant": "tenant",
    "oidc/signingkey": "key",
}


def test_every_registered_model_is_in_these_tests() -> None:
    registered = {f"{model._meta.app_label}/{model._meta.model_name}" for model in tenant_site._registry}
    # Roles are no rows with pages of their own: tests/admin/test_role_pages.py.
    assert registered - {"directory/roleassignment"} == set(OWNED)


def test_shows_nothing_of_another_tenant_on_any_page(browser: Client, ours: Furnished, theirs: Furnished) -> None:
    pages = crawl(browser, ours.admin_url, limit=300, every_value=True)
    assert 25 < len(pages) < 300
    assert {url: page.status_code for url, page in pages.items() if page.status_code != 200} == {}
    for url, page in pages.items():
        html = page.content.decode()
        assert theirs.marker not in html, url
        assert [id for id in theirs.ids if id in html] == [], url
    assert any(ours.marker in page.content.decode() for page in pages.values())


@pytest.mark.parametrize("page", ["change/", "delete/", "history/"])
def test_knows_no_object_of_another_tenant(browser: Client, ours: Furnished, theirs: Furnished, page: str) -> None:
    for path, name in OWNED.items():
        target = getattr(theirs, name)
        url = f"{ours.admin_url}{path}/{target.pk}/{page}"
        for response in (browser.get(url), browser.post(url, {"post": "yes", "name": "taken over", "_save": "Save"})):
            assert response.status_code in (302, 403, 404), url
            assert theirs.marker not in response.content.decode(), url
        assert str(type(target).objects.get(pk=target.pk)) == str(target), url


def test_keeps_secrets_pages_to_the_own_applications(browser: Client, ours: Furnished, theirs: Furnished) -> None:
    foreign = theirs.application
    secret = foreign.secrets.get()
    base = f"{ours.admin_url}directory/application"
    pages = ("secrets/add/", "secrets/new/", f"secrets/{secret.pk}/remove/")
    urls = [f"{base}/{foreign.pk}/{page}" for page in pages]
    urls.append(f"{base}/{ours.application.pk}/secrets/{secret.pk}/remove/")
    for url in urls:
        assert browser.get(url).status_code == 404
        assert browser.post(url, {"days": "30"}).status_code == 404
    assert list(foreign.secrets.all()) == [secret]


def test_refuses_a_foreign_attribute_in_a_question(browser: Client, ours: Furnished, theirs: Furnished) -> None:
    row = {
        "attribute_assignments-TOTAL_FORMS": "1",
        "attribute_assignments-0-user_flow": str(ours.flow.pk),
        "attribute_assignments-0-user_attribute": str(theirs.attribute.pk),
        "attribute_assignments-0-order": "1",
        "attribute_assignments-0-input_type": "textBox",
    }
    response = browser.post(f"{ours.admin_url}userflows/userflow/{ours.flow.pk}/change/", flow_form(**row))
    assert response.status_code == 200
    assert "Select a valid choice" in response.content.decode()
    assert not AttributeAssignment.objects.filter(user_flow=ours.flow, user_attribute=theirs.attribute).exists()


def test_refuses_a_foreign_application_in_a_flow(browser: Client, ours: Furnished, theirs: Furnished) -> None:
    ApplicationAssignment.objects.filter(application=theirs.application).delete()
    row = {"applications-application": str(theirs.application.pk)}
    response = browser.post(f"{ours.admin_url}userflows/userflow/{ours.flow.pk}/change/", flow_form(**row))
    assert response.status_code == 200
    assert "Select a valid choice" in response.content.decode()
    assert not ApplicationAssignment.objects.filter(application=theirs.application).exists()


def test_does_not_edit_a_foreign_question_sent_as_an_own_row(
    browser: Client, ours: Furnished, theirs: Furnished
) -> None:
    question = theirs.flow.attribute_assignments.first()
    assert question is not None
    row = {
        "attribute_assignments-TOTAL_FORMS": "1",
        "attribute_assignments-INITIAL_FORMS": "1",
        "attribute_assignments-0-id": str(question.pk),
        "attribute_assignments-0-user_flow": str(ours.flow.pk),
        "attribute_assignments-0-user_attribute": str(ours.attribute.pk),
        "attribute_assignments-0-order": "1",
        "attribute_assignments-0-label": "Taken over",
        "attribute_assignments-0-input_type": "textBox",
        "attribute_assignments-0-DELETE": "on",
    }
    browser.post(f"{ours.admin_url}userflows/userflow/{ours.flow.pk}/change/", flow_form(**row))
    question.refresh_from_db()
    assert (question.user_flow, question.label) == (theirs.flow, "")


@pytest.mark.parametrize(
    ("source", "own"),
    [
        ("userflows.applicationassignment.application", "woodgrove-marker app"),
        ("userflows.attributeassignment.user_attribute", "woodgrove_marker"),
        ("userflows.attributeassignment.user_flow", "B2X_1_woodgrove_marker"),
        ("directory.identity.user", "woodgrove-marker guest"),
    ],
)
def test_completes_from_the_own_tenant_only(
    browser: Client, ours: Furnished, theirs: Furnished, source: str, own: str
) -> None:
    query = dict(zip(("app_label", "model_name", "field_name"), source.split("."), strict=True)) | {"term": "marker"}
    answer = browser.get(f"{ours.admin_url}autocomplete/", query).json()
    texts = [result["text"] for result in answer["results"]]
    assert any(own in text for text in texts)
    assert not [text for text in texts if "globex" in text.lower()]


def test_has_no_bulk_deletion(browser: Client, ours: Furnished, theirs: Furnished) -> None:
    for path, name in OWNED.items():
        for owner in (ours, theirs):
            target = getattr(owner, name)
            data = {"action": "delete_selected", "_selected_action": str(target.pk), "post": "yes"}
            browser.post(f"{ours.admin_url}{path}/", data)
            assert type(target).objects.filter(pk=target.pk).exists(), path


@pytest.mark.parametrize(
    "query",
    [
        "directory/user/?password__startswith=argon2",
        "directory/user/?tenant__slug__startswith=g",
        "directory/user/?identities__issuer_assigned_id__startswith=a",
        "directory/user/?role_assignments__role=global_administrator",
        "directory/application/?secrets__secret_hash__startswith=s",
        "directory/application/?client_secret__startswith=s",
        "directory/auditevent/?tenant__name__startswith=g",
        "oidc/signingkey/?private_jwk__isnull=0",
        "userflows/userflow/?application_assignments__application__tenant__name__startswith=g",
        "directory/user/?_to_field=password",
    ],
)
def test_answers_no_guesses_in_the_query(browser: Client, ours: Furnished, query: str) -> None:
    assert browser.get(f"{ours.admin_url}{query}").status_code == 400


def test_resolves_no_object_by_its_content_type(browser: Client, ours: Furnished, theirs: Furnished) -> None:
    content_type = ContentType.objects.get_for_model(Application)
    for application in (ours.application, theirs.application):
        assert browser.get(f"{ours.admin_url}r/{content_type.pk}/{application.pk}/").status_code == 404


def test_names_are_unique_in_the_tenant_and_free_in_another(
    browser: Client, ours: Furnished, theirs: Furnished
) -> None:
    add = f"{ours.admin_url}userflows/userflow/add/"
    taken = browser.post(add, flow_form(name=ours.flow.name.lower().removeprefix("b2x_1_")))
    assert "This tenant has a user flow with this name." in taken.content.decode()
    assert browser.post(add, flow_form(name=theirs.flow.name)).status_code == 302
    assert UserFlow.objects.filter(name=theirs.flow.name).count() == 2


def test_the_same_address_may_live_in_two_tenants(browser: Client, ours: Furnished, theirs: Furnished) -> None:
    add = f"{ours.admin_url}directory/user/add/"
    person = {"mail": theirs.guest.mail, "display_name": "Ana", "password": "staple battery horse"}
    assert browser.post(add, person).status_code == 302
    assert User.objects.get(tenant=ours.tenant, mail=theirs.guest.mail).display_name == "Ana"
    again = browser.post(add, {**person, "mail": theirs.guest.mail.upper()})
    assert "Somebody in this tenant" in again.content.decode()


def test_a_filter_by_a_relation_lists_no_rows_of_others(ours: Furnished, theirs: Furnished) -> None:
    class Probe(TenantModelAdmin):
        tenant_path = "user__tenant"
        list_filter = ("application", "created_at")

    filters = Probe(AppRoleAssignment, tenant_site).get_list_filter(HttpRequest())
    assert filters == [("application", RelatedOnlyFieldListFilter), "created_at"]


def test_counts_rows_of_the_own_tenant_only(browser: Client, ours: Furnished, theirs: Furnished) -> None:
    for path, model in {
        "directory/user": User,
        "directory/application": Application,
        "directory/userattribute": UserAttribute,
        "userflows/userflow": UserFlow,
        "directory/auditevent": AuditEvent,
        "oidc/signingkey": SigningKey,
    }.items():
        shown = browser.get(f"{ours.admin_url}{path}/").context["cl"].result_count
        own = model._default_manager.filter(tenant=ours.tenant).count()
        assert (shown, model._default_manager.count() > own) == (own, True)
