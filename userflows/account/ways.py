"""The ways in which a person signs in, and which of them may go: never the last one."""

import uuid
from dataclasses import dataclass
from datetime import datetime

from django.db import models, transaction
from django.utils.translation import gettext as _

from directory.models import EMAIL_CODE, EMAIL_PASSWORD, Identity, IdentityProvider, User
from directory.models.identity import MAIL_ISSUER
from directory.people import revoke_sign_in_sessions
from userflows.account_notice import Change, tell
from userflows.passkey import lock_factors, remove_passkey


class LastWay(Exception):
    """Without it nobody could sign in to the account any more. A passkey alone doesn't count: devices get lost."""


class PasswordStays(Exception):
    """The password goes with the address: it is removed first."""


@dataclass(frozen=True)
class WayIn:
    """One identity as its owner sees it. `detail` is the address, `is_usable` whether the tenant lets it in today."""

    id: uuid.UUID
    name: str
    icon: str
    detail: str
    since: datetime
    is_usable: bool
    may_go: bool = False


def ways_in(user: User) -> list[WayIn]:
    """Return the person's identities, the oldest first."""
    providers = list(IdentityProvider.objects.filter(tenant=user.tenant_id))
    identities = list(Identity.objects.filter(tenant=user.tenant_id, user=user).order_by("created_at"))
    usable = [identity.pk for identity in identities if _is_usable(identity, providers)]
    return [
        _way_in(
            identity,
            _provider_of(identity, providers),
            is_usable=identity.pk in usable,
            may_go=bool(set(usable) - {identity.pk}),
        )
        for identity in identities
    ]


def _way_in(identity: Identity, provider: IdentityProvider | None, *, is_usable: bool, may_go: bool) -> WayIn:
    if identity.issuer == MAIL_ISSUER:
        name, icon, detail = _("Email"), "mail", identity.issuer_assigned_id
    else:
        known = provider if provider and provider.is_known_kind else None
        name = known.shown_name if known else identity.issuer
        icon, detail = known.about.mark.icon if known else "", ""
    return WayIn(identity.pk, name, icon, detail, identity.created_at, is_usable, may_go)


def _provider_of(identity: Identity, providers: list[IdentityProvider]) -> IdentityProvider | None:
    own = next((provider for provider in providers if provider.pk == identity.identity_provider_id), None)
    if own is not None or identity.issuer == MAIL_ISSUER:
        return own
    return next((one for one in providers if one.is_known_kind and one.issuer == identity.issuer), None)


def _is_usable(identity: Identity, providers: list[IdentityProvider]) -> bool:
    if identity.issuer == MAIL_ISSUER:
        return any(one.is_enabled and one.kind in (EMAIL_CODE, EMAIL_PASSWORD) for one in providers)
    provider = _provider_of(identity, providers)
    return provider is not None and provider.is_enabled and provider.is_known_kind


@transaction.atomic
def remove_identity(user: User, identity_id: uuid.UUID, *, actor: models.Model | None = None) -> WayIn | None:
    """Take a way in from a person. None: they have no such. Raises LastWay and PasswordStays."""
    lock_factors(user)
    way = next((way for way in ways_in(user) if way.id == identity_id), None)
    if way is None:
        return None
    if not way.may_go:
        raise LastWay
    identity = Identity.objects.get(pk=way.id)
    if identity.issuer == MAIL_ISSUER and user.has_usable_password():
        raise PasswordStays
    identity.delete()
    tell(user, Change.IDENTITY_REMOVED, way=way.name, actor=actor)
    return way


@transaction.atomic
def take_passkey(user: User, passkey_id: int, *, actor: models.Model | None = None) -> bool:
    """Remove a passkey, and say so. False: there is no such."""
    removed = remove_passkey(user, passkey_id)
    if removed is None:
        return False
    tell(user, Change.PASSKEY_REMOVED, way=removed.name, actor=actor)
    return True


@transaction.atomic
def drop_password(user: User) -> bool:
    """Take the password from a guest; all sign-ins end. False: there is none, or it opens the administration."""
    lock_factors(user)
    user.refresh_from_db()
    if not user.is_guest or not user.has_usable_password():
        return False
    revoke_sign_in_sessions(user, actor=user)
    user.set_unusable_password()
    user.save(update_fields=["password"])
    tell(user, Change.PASSWORD_REMOVED, way="")
    return True
