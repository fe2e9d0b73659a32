"""What can be done to a person: each on a page of its own that says what it hits."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from directory import people
from directory.admin.auditing import actor_of
from directory.admin.person import PersonPages, must_be_proven, why_not_shut_out
from directory.admin.step_up import to_step_up
from directory.models import User


@dataclass(frozen=True)
class PersonAction:
    """`name` stands in the URL. `shuts_out` is for what would lock the person out: not oneself, not the last one."""

    name: str
    verb: Callable[..., None]
    is_offered: Callable[[User], bool]
    label: Promise
    title: Promise
    hits: tuple[Promise, ...]
    done: Promise
    is_danger: bool = False
    shuts_out: bool = False


ACTIONS = (
    PersonAction(
        name="disable",
        verb=people.disable,
        is_offered=lambda user: user.account_enabled,
        label=_("Disable"),
        title=_("Disable %(name)s?"),
        hits=(
            _("They can no longer sign in, to no application, from this moment on."),
            _("They are signed out everywhere, and their refresh tokens and access tokens are void."),
            _("Everything else stays: you can enable the account again at any time."),
        ),
        done=_("%(name)s is disabled."),
        is_danger=True,
        shuts_out=True,
    ),
    PersonAction(
        name="enable",
        verb=people.enable,
        is_offered=lambda user: not user.account_enabled,
        label=_("Enable"),
        title=_("Enable %(name)s?"),
        hits=(_("They can sign in again, to every application that they could use before."),),
        done=_("%(name)s is enabled."),
    ),
    PersonAction(
        name="revoke-sessions",
        verb=people.revoke_sign_in_sessions,
        is_offered=lambda user: user.account_enabled,
        label=_("Revoke sessions"),
        title=_("Revoke the sessions of %(name)s?"),
        hits=(
            _("Signs them out everywhere and voids their tokens: every browser and every application asks again."),
            _("They can sign in again at once. To keep them out, disable the account instead."),
            _("An application that doesn't ask us may take an access token that it has for up to an hour."),
        ),
        done=_("The sessions of %(name)s were revoked."),
        is_danger=True,
    ),
    PersonAction(
        name="convert",
        verb=people.convert_to_member,
        is_offered=lambda user: user.is_guest and not user.is_test,
        label=_("Convert to member"),
        title=_("Convert %(name)s to a member?"),
        hits=(
            _("The user type becomes Member. There is no way back to Guest."),
            _("They keep their ways to sign in, their applications and their answers."),
            _("A member can be given roles. Without one, nothing changes in what they may do."),
        ),
        done=_("%(name)s is a member now."),
    ),
)


class PersonActionPages(PersonPages):
    def get_urls(self) -> list[URLPattern]:
        urls = [
            path(
                f"<uuid:person_id>/{action.name}/",
                self.admin_site.admin_view(partial(self.action_view, action=action)),
                name=f"directory_user_{action.name}",
            )
            for action in ACTIONS
        ]
        return urls + super().get_urls()

    def action_view(self, request: HttpRequest, person_id: uuid.UUID, *, action: PersonAction) -> HttpResponse:
        person = self.find_person(request, person_id, action="change")
        if must_be_proven(request, person):
            return to_step_up(request)
        to_person = redirect(f"{self.admin_site.name}:directory_user_change", person.pk)
        words = {"name": str(person)}
        if request.method == "POST":
            done = str(action.done) % words
            self.done_or_refused(request, done, action.verb, person, actor=actor_of(request))
            return to_person
        if not action.is_offered(person):
            return to_person
        return self.confirmation(
            request,
            person,
            title=str(action.title) % words,
            hits=action.hits,
            refusal=why_not_shut_out(request, person) if action.shuts_out else "",
            button=action.label,
            is_danger=action.is_danger,
            back=reverse(f"{self.admin_site.name}:directory_user_change", args=(person.pk,)),
        )

    def offered_actions(self, request: HttpRequest, person: User) -> list[dict[str, Any]]:
        """Return what the person's page links to: label, sentence, URL."""
        if not self.has_change_permission(request, person):
            return []
        return [
            {
                "label": action.label,
                "hint": action.hits[0],
                "url": reverse(f"{self.admin_site.name}:directory_user_{action.name}", args=(person.pk,)),
                "is_danger": action.is_danger,
            }
            for action in ACTIONS
            if action.is_offered(person)
        ]
