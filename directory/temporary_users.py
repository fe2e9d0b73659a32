"""The people that “Run user flow” makes. They are gone after a day, and sign in nowhere else."""

from datetime import datetime

from django.db import transaction

from directory import audit
from directory.models import Tenant, User

BATCH = 500


@transaction.atomic
def delete_test_user(user: User) -> None:
    """Delete a test user with everything that hangs on them: identity, answers, sign-up, tokens."""
    if not user.is_test:
        raise ValueError(f"{user.pk} is no test user.")
    audit.record("test_user.deleted", tenant=user.tenant, target=user)
    user.delete()


def delete_test_user_with_mail(tenant: Tenant, mail: str) -> bool:
    """Make room for who signs up with this address, in another run or for real. Answers whether there was anybody."""
    user = User.objects.with_mail(tenant, mail).filter(is_test=True).first()
    if user is None:
        return False
    delete_test_user(user)
    return True


def purge_test_users(*, before: datetime) -> int:
    """Delete the test users that were made before a moment, and return how many they were."""
    old = User.objects.filter(is_test=True, created_at__lt=before).select_related("tenant").order_by("created_at")
    count = 0
    while batch := list(old[:BATCH]):
        for user in batch:
            delete_test_user(user)
        count += len(batch)
    return count
