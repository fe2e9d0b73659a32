"""Deleting people for good, with what user flows keep of them."""

from datetime import datetime

from django.db import models, transaction

from directory import people
from directory.models import User
from userflows import sign_in_log

AT_ONCE = 200


@transaction.atomic
def delete_for_good(user: User, *, actor: models.Model | None = None) -> None:
    """Delete a deleted person with their answers, identities, tokens and sign-up; the sign-in log forgets who it was.

    The audit log stays: it tells who did what until its own time is over.
    """
    sign_in_log.forget([user])
    people.erase_user(user, actor=actor)


def purge_deleted_users(before: datetime) -> int:
    """Delete for good who was deleted before that time. Answers how many."""
    count = 0
    overdue = User.objects.filter(deleted_at__lt=before).select_related("tenant").order_by("deleted_at")
    while batch := list(overdue[:AT_ONCE]):
        with transaction.atomic():
            sign_in_log.forget(batch)
            for user in batch:
                people.erase_user(user)
        count += len(batch)
    return count
