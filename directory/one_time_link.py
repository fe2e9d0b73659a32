"""The link by which a person sets their password: nobody is ever given one.

Django's token: it holds for settings.PASSWORD_RESET_TIMEOUT, and dies with a new password, a sign-in and a new address.
"""

import uuid

from django.conf import settings
from django.contrib.auth.tokens import default_token_generator
from django.db import models
from django.utils.http import urlsafe_base64_decode, urlsafe_base64_encode

from directory import audit
from directory.models import Tenant, User

# Under a tenant's admin site or the platform's: identity_portal.set_password mounts it there.
ROUTE = "set-password/{uid}/{token}/"


def make_link(user: User, *, actor: models.Model | None = None, ends_earlier: bool = True) -> str:
    """Return a new link for `user`, and write down that it was made. It is readable nowhere afterwards.

    `ends_earlier` is for those who may: whoever is only asked for an address must not void somebody's invitation.
    """
    if ends_earlier and not user.has_usable_password():
        # Another unusable password: the links from before are dead.
        user.set_unusable_password()
        user.save(update_fields=["password"])
    audit.record("one_time_link.created", tenant=user.tenant, actor=actor, target=user)
    uid = urlsafe_base64_encode(user.pk.bytes)
    site = f"{settings.BASE_URL}/{user.tenant.slug}/admin/" if user.tenant else f"{settings.BASE_URL}/admin/"
    return site + ROUTE.format(uid=uid, token=default_token_generator.make_token(user))


def find_person(tenant: Tenant | None, uid: str, token: str, *, lock: bool = False) -> User | None:
    """Return whose link this is, None when it was used, has expired, was changed or is another tenant's."""
    try:
        user_id = uuid.UUID(bytes=urlsafe_base64_decode(uid))
    except ValueError:
        return None
    users = User.objects.select_for_update() if lock else User.objects.all()
    user = users.filter(tenant=tenant, pk=user_id).first()
    return user if default_token_generator.check_token(user, token) else None
