"""What stood in the database before versions were there."""

from typing import Any

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

BEFORE = [("directory", "0001_initial"), ("userflows", "0001_initial"), ("oidc", "0001_initial")]
AFTER = [("directory", "0003_fill_providers_and_search"), ("userflows", "0003_publish_existing_flows")]


@pytest.mark.django_db(transaction=True)
def test_publishes_the_flows_that_are_there() -> None:
    executor = MigrationExecutor(connection)
    latest = executor.loader.graph.leaf_nodes()
    apps = executor.migrate(BEFORE).apps
    try:
        _furnish(apps)
        apps = MigrationExecutor(connection).migrate(AFTER).apps
        flow = apps.get_model("userflows", "UserFlow").objects.get()
        definition = flow.live_version.definition
        assert [question["label"] for question in definition["pages"][0]["questions"]] == ["First name", "Your trade"]
        assert [way["kind"] for way in definition["ways"]] == ["EmailOTP"]
        assert flow.live_version.attributes.count() == 2
        user = apps.get_model("directory", "User").objects.get()
        assert user.search_text == "amina@fabrikam.example\namina\nnails"
    finally:
        MigrationExecutor(connection).migrate(latest)


def _furnish(apps: Any) -> None:
    tenant = apps.get_model("directory", "Tenant").objects.create(slug="woodgrove", name="Woodgrove")
    attributes = apps.get_model("directory", "UserAttribute").objects
    given = attributes.create(tenant=tenant, name="GivenName", display_name="First name", attribute_type="builtIn")
    trade = attributes.create(tenant=tenant, name="extension_Trade", display_name="Trade")
    flow = apps.get_model("userflows", "UserFlow").objects.create(tenant=tenant, name="B2X_1_Suppliers")
    questions = apps.get_model("userflows", "AttributeAssignment").objects
    questions.create(user_flow=flow, user_attribute=trade, order=1, label="Your trade")
    questions.create(user_flow=flow, user_attribute=given, order=0)
    users = apps.get_model("directory", "User").objects
    users.create(
        tenant=tenant, mail="Amina@Fabrikam.example", given_name="Amina", extension_values={"extension_Trade": "Nails"}
    )
