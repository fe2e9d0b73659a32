"""What people meet is what was published, from the first page of their journey to the last."""

import pytest
from django.db import transaction

from directory.health import Severity
from directory.models import IdentityProvider, User, UserAttribute
from tests.relying_party import RelyingParty
from tests.stranger import Stranger
from userflows.models import AttributeAssignment, Journey, SignUp, UserFlow
from userflows.models.user_flow_version import VersionChanged
from userflows.publishing import (
    DraftChanged,
    PublishRefused,
    discard_draft,
    has_unpublished_changes,
    publish,
    roll_back,
)

ANSWERS = {"GivenName": "Amina", "Surname": "Haddad"}


def ask_for_the_city(flow: UserFlow) -> None:
    city = UserAttribute.objects.get(tenant=flow.tenant, name="City")
    AttributeAssignment.objects.create(user_flow=flow, user_attribute=city, order=99)


def test_keeps_a_draft_from_people(user_flow: UserFlow, relying_party: RelyingParty, stranger: Stranger) -> None:
    ask_for_the_city(user_flow)
    UserFlow.objects.update(heading="Nobody sees this yet")
    assert has_unpublished_changes(UserFlow.objects.get())
    stranger.open(relying_party.request_url())
    assert "Nobody sees this yet" not in stranger.html
    stranger.give_email().give_code()
    assert "City" not in stranger.html


def test_finishes_a_journey_on_the_version_it_began_with(
    user_flow: UserFlow, relying_party: RelyingParty, stranger: Stranger
) -> None:
    early = Stranger(email="early@fabrikam.example").open(relying_party.request_url()).give_email()
    ask_for_the_city(user_flow)
    publish(user_flow)
    early.give_code()
    assert "City" not in early.html
    early.submit(**ANSWERS)
    stranger.open(relying_party.request_url()).give_email().give_code()
    assert "City" in stranger.html
    stranger.submit(**ANSWERS, City="Amman")
    versions = SignUp.objects.order_by("created_at").values_list("user__mail", "version_number")
    assert list(versions) == [("early@fabrikam.example", 1), ("amina@fabrikam.example", 2)]


def test_rolls_back_to_what_people_met_before(
    user_flow: UserFlow, relying_party: RelyingParty, stranger: Stranger
) -> None:
    ask_for_the_city(user_flow)
    publish(user_flow)
    roll_back(user_flow.versions.get(number=1))
    stranger.open(relying_party.request_url()).give_email().give_code()
    assert "City" not in stranger.html
    stranger.submit(**ANSWERS)
    assert SignUp.objects.get().flow_version == user_flow.versions.get(number=1)
    assert has_unpublished_changes(UserFlow.objects.get())


def test_puts_the_answers_of_the_live_version_into_tokens(
    user_flow: UserFlow, relying_party: RelyingParty, stranger: Stranger
) -> None:
    left_to = stranger.sign_up(relying_party.request_url(), **ANSWERS)
    User.objects.update(city="Amman")
    ask_for_the_city(user_flow)
    tokens = relying_party.redeem(relying_party.answer(left_to)["code"]).json()
    assert "city" not in relying_party.userinfo(tokens["access_token"]).json()
    publish(user_flow)
    assert relying_party.userinfo(tokens["access_token"]).json()["city"] == "Amman"


def test_refuses_a_broken_draft_and_says_why(user_flow: UserFlow) -> None:
    user_flow.identity_provider_assignments.all().delete()
    with pytest.raises(PublishRefused, match="no way to sign in") as refused:
        publish(user_flow)
    assert refused.value.findings[0].severity is Severity.ERROR
    assert user_flow.versions.count() == 1


def test_refuses_to_roll_back_to_a_broken_version(user_flow: UserFlow) -> None:
    IdentityProvider.objects.update(is_enabled=False)
    with pytest.raises(PublishRefused):
        roll_back(user_flow.versions.get())


def test_refuses_a_draft_that_was_changed_meanwhile(user_flow: UserFlow) -> None:
    seen = user_flow.revision
    UserFlow.objects.update(revision=seen + 1)
    with pytest.raises(DraftChanged):
        publish(user_flow, revision=seen)
    with pytest.raises(DraftChanged):
        discard_draft(user_flow, revision=seen)


def test_discards_a_draft(user_flow: UserFlow) -> None:
    ask_for_the_city(user_flow)
    UserFlow.objects.update(heading="Half-done", code_length=6)
    discard_draft(user_flow)
    user_flow = UserFlow.objects.get()
    assert (user_flow.heading, user_flow.code_length) == ("", None)
    assert not has_unpublished_changes(user_flow)


def test_keeps_what_a_flow_says_of_its_codes(user_flow: UserFlow) -> None:
    UserFlow.objects.update(code_length=6, code_minutes=30, code_sender="Suppliers")
    publish(user_flow)
    UserFlow.objects.update(code_length=None, code_minutes=5, code_sender="")
    discard_draft(UserFlow.objects.get())
    flow = UserFlow.objects.get()
    assert (flow.code_length, flow.code_minutes, flow.code_sender) == (6, 30, "Suppliers")
    assert not has_unpublished_changes(flow)


def test_keeps_a_version_as_it_was_published(user_flow: UserFlow) -> None:
    version = user_flow.versions.get()
    version.definition["heading"] = "Other"
    with pytest.raises(VersionChanged), transaction.atomic():
        version.save()
    UserFlow.objects.update(heading="Other")
    publish(user_flow)
    assert list(user_flow.versions.values_list("number", flat=True)) == [2, 1]


def test_lets_nobody_sign_up_before_the_first_publish(
    user_flow: UserFlow, relying_party: RelyingParty, stranger: Stranger
) -> None:
    UserFlow.objects.update(live_version=None)
    stranger.open(relying_party.request_url()).give_email().give_code()
    assert stranger.page.status_code == 403
    assert User.objects.count() == 0
    assert Journey.objects.get().flow_version is None
