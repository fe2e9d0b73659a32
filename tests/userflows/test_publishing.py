"""Saving and publishing drafts. What strangers meet of it is in test_versions.py, too."""

from collections.abc import Callable

import pytest

from directory.models import AuditEvent, IdentityProvider, User, UserAttribute
from tests.relying_party import RelyingParty
from tests.stranger import Stranger
from userflows.definition import definition_of
from userflows.models import AttributeAssignment, InputType, UserFlow
from userflows.publishing import DraftChanged, PublishRefused, discard_draft, publish, roll_back, save_draft


def add_city(flow: UserFlow, **values: object) -> None:
    """Put one more question into the draft, in front of the others."""
    attribute = UserAttribute.objects.get(tenant=flow.tenant, name="City")
    city = AttributeAssignment(user_flow=flow, user_attribute=attribute, input_type=InputType.TEXT, **values)
    others = list(flow.attribute_assignments.select_related("user_attribute"))
    save_draft(flow, providers=providers(flow), questions=[city, *others], revision=flow.revision)
    flow.refresh_from_db()


def providers(flow: UserFlow) -> list[IdentityProvider]:
    return list(IdentityProvider.objects.filter(user_flow_assignments__user_flow=flow))


def test_a_journey_survives_the_removal_of_its_questions(
    user_flow: UserFlow, relying_party: RelyingParty, stranger: Stranger
) -> None:
    stranger.open(relying_party.request_url()).give_email().give_code()
    save_draft(user_flow, providers=providers(user_flow), questions=[], revision=0)
    publish(user_flow)
    assert stranger.submit(GivenName="Amina", Surname="Haddad").left_to
    assert User.objects.get(given_name="Amina").surname == "Haddad"


def test_the_next_version_after_a_roll_back_has_a_number_of_its_own(user_flow: UserFlow) -> None:
    add_city(user_flow)
    publish(user_flow)
    roll_back(user_flow.versions.get(number=1))
    assert publish(user_flow).number == 3


def test_a_broken_draft_reaches_nobody(user_flow: UserFlow, relying_party: RelyingParty, stranger: Stranger) -> None:
    save_draft(user_flow, providers=[], questions=[], revision=0)
    with pytest.raises(PublishRefused, match="nobody can get in"):
        publish(user_flow)
    stranger.open(relying_party.request_url()).give_email().give_code()
    assert 'name="GivenName"' in stranger.html


def test_publishing_the_same_again_makes_no_version(user_flow: UserFlow) -> None:
    assert publish(user_flow) == publish(user_flow)
    assert user_flow.versions.count() == 1


def test_saves_over_nobody(user_flow: UserFlow) -> None:
    stale = UserFlow.objects.get(pk=user_flow.pk)
    user_flow.heading = "First"
    questions = list(user_flow.attribute_assignments.select_related("user_attribute"))
    save_draft(user_flow, providers=providers(user_flow), questions=questions, revision=0)
    stale.heading = "Second"
    with pytest.raises(DraftChanged):
        save_draft(stale, providers=providers(user_flow), questions=questions, revision=0)
    assert UserFlow.objects.get().heading == "First"


def test_saving_touches_neither_the_pause_switch_nor_what_is_live(user_flow: UserFlow) -> None:
    old = UserFlow.objects.get(pk=user_flow.pk)
    UserFlow.objects.update(sign_up_enabled=False)
    old.heading, old.live_version = "New", None
    save_draft(old, providers=providers(user_flow), questions=[], revision=0)
    saved = UserFlow.objects.get()
    assert (saved.heading, saved.sign_up_enabled, saved.live_version) == ("New", False, user_flow.live_version)


def test_the_log_tells_what_each_save_changed(user_flow: UserFlow, make_member: Callable[..., User]) -> None:
    actor = make_member(user_flow.tenant)
    user_flow.heading = "Welcome"
    sentences = save_draft(user_flow, providers=[], questions=[], revision=0, actor=actor)
    event = AuditEvent.objects.get(activity="user_flow.updated")
    assert event.details == {"revision": 1, "changes": sentences}
    assert event.actor_name == str(actor)
    user_flow.refresh_from_db()
    discard_draft(user_flow, actor=actor)
    discarded = AuditEvent.objects.get(activity="user_flow.draft_discarded")
    assert discarded.details["revision"] == 2
    assert any("instead of “Welcome”" in sentence for sentence in discarded.details["changes"])


def test_a_draft_that_was_saved_and_discarded_is_what_is_live(user_flow: UserFlow) -> None:
    add_city(user_flow, starts_page=True, page_heading="Where", hint="Town", required=False)
    discard_draft(user_flow)
    assert user_flow.live_version is not None
    assert definition_of(UserFlow.objects.get()) == user_flow.live_version.definition
