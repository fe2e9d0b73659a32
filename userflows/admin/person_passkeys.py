"""The passkeys by which one person signs in, on their page: looked at, and taken away."""

import uuid
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _now

from directory.admin.auditing import actor_of
from directory.admin.step_up import require_step_up
from directory.models import User
from userflows.account.ways import take_passkey
from userflows.admin.person_ways import PersonWayPages
from userflows.passkey import passkeys_of


class PersonPasskeyPages(PersonWayPages):
    def about(self, request: HttpRequest, person: User) -> dict[str, Any]:
        may_remove = self.has_change_permission(request, person)
        return {**super().about(request, person), "passkeys": passkeys_of(person), "may_remove_passkeys": may_remove}

    def get_urls(self) -> list[URLPattern]:
        page = path(
            "<uuid:person_id>/passkeys/<int:passkey_id>/remove/",
            self.admin_site.admin_view(self.remove_passkey_view),
            name="directory_user_remove_passkey",
        )
        return [page, *super().get_urls()]

    @method_decorator(require_step_up)
    def remove_passkey_view(self, request: HttpRequest, person_id: uuid.UUID, passkey_id: int) -> HttpResponse:
        person = self.find_person(request, person_id, action="change")
        passkey = next((one for one in passkeys_of(person) if one.id == passkey_id), None)
        if passkey is None:
            raise Http404
        back = reverse(f"{self.admin_site.name}:directory_user_change", args=(person.pk,))
        if request.method == "POST":
            take_passkey(person, passkey_id, actor=actor_of(request))
            self.message_user(request, _now("The passkey was removed."), messages.SUCCESS)
            return redirect(back)
        return self.confirmation(
            request,
            person,
            title=_now("Remove the passkey “%(passkey)s” of %(name)s?") % {"passkey": passkey.name, "name": person},
            hits=(
                _now("They can't sign in with it any more, and they get a mail that says so."),
                _now("Their sign-ins that are open now stay open. To end those too, revoke their sessions."),
            ),
            refusal="",
            button=_now("Remove"),
            is_danger=True,
            back=back,
        )
