"""Passwords: checked, guarded against guessing, chosen anew. They prove what the e-mail code proves: the address.

Wrong tries count for the network, for the address from that network, and for the address from all browsers in which its
owner has never signed in. The owner's own browsers have an allowance of theirs, and a code by mail is always another
way: nobody is locked out by somebody else's guesses. Tries are counted before they are judged, so that many at once
are no more than the limit; what was right is given back.
"""

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from directory.models import Identity, Tenant, User
from directory.models.identity import MAIL_ISSUER
from directory.people import exchange_password
from userflows.known_browser import knows_browser
from userflows.mail import send_mail_in_background
from userflows.models import Journey
from userflows.proofs import proofs_of
from userflows.rate_limit import Attempts, Limit, count_attempt, give_back, network_of
from userflows.requests import TenantRequest, client_address

MIN_LENGTH = 12
# Far beyond any passphrase; a cap only so that nobody has the portal hash megabytes.
MAX_BYTES = 1024

NETWORK_LIMIT = Limit("password.network", count=60, seconds=900)
ACCOUNT_NETWORK_LIMIT = Limit("password.account_network", count=10, seconds=900)
ACCOUNT_LIMIT = Limit("password.account", count=50, seconds=24 * 3600)
KNOWN_BROWSER_LIMIT = Limit("password.known_browser", count=20, seconds=3600)


def person_with_password(request: TenantRequest, mail: str, password: str) -> User | None:
    """Return whose address and password these are. Call it outside a transaction. Raises TooManyRequests.

    An unknown address, a person without a password and one who may not sign in are the same refusal for the same work:
    the same statements, and one hash.
    """
    user = _person_with_address(request.tenant, mail)
    attempts = _attempts(request, mail, user)
    count_attempt(*attempts)
    if not _is_right(user, password):
        return None
    give_back(*attempts)
    return user


def _person_with_address(tenant: Tenant, mail: str) -> User | None:
    identities = Identity.objects.filter(tenant=tenant, issuer=MAIL_ISSUER, issuer_assigned_id=mail.lower())
    identity = identities.filter(user__is_test=False).select_related("user").first()
    return identity.user if identity else None


def _attempts(request: TenantRequest, mail: str, user: User | None) -> Attempts:
    if user is not None and knows_browser(request, user):
        return ((KNOWN_BROWSER_LIMIT, str(user.pk)),)
    network = f"{request.tenant.pk}|{network_of(client_address(request))}"
    account = f"{request.tenant.pk}|{mail.lower()}"
    # The network's comes first: whoever has used it up takes nothing more from the owner of an address.
    return (
        (NETWORK_LIMIT, network),
        (ACCOUNT_NETWORK_LIMIT, f"{network}|{account}"),
        (ACCOUNT_LIMIT, account),
    )


def _is_right(user: User | None, password: str) -> bool:
    if len(password.encode()) > MAX_BYTES:
        return False
    if user is None or not user.is_active or not user.has_usable_password():
        # The same work as for somebody's password, so that the time tells nothing.
        User().set_password(password)
        return False
    return user.check_password(password)


def problems_with(password: str, user: User) -> list[str]:
    """Return what is wrong with a new password of this person (saved or not), each with what to do about it."""
    if len(password.encode()) > MAX_BYTES:
        return [_("This is longer than we can keep. Use a password of at most 1,000 characters.")]
    try:
        validate_password(password, user)
    except ValidationError as error:
        return [_in_our_words(problem) for problem in error.error_list]
    return []


def _in_our_words(problem: ValidationError) -> str:
    words = {
        "password_too_short": _("Use at least %(count)d characters. Several words in a row are easy to remember.")
        % {"count": MIN_LENGTH},
        "password_too_common": _(
            "Many people use this password, so it is among the first that are guessed. "
            "Take several words that don't belong together."
        ),
        "password_too_similar": _(
            "This is too much like your name or your email address. Take words that have nothing to do with you."
        ),
    }
    return words.get(problem.code or "", " ".join(problem.messages))


def hashed(password: str) -> str:
    """Return what is kept of a password."""
    person = User()
    person.set_password(password)
    return person.password


def may_choose_password(journey: Journey) -> bool:
    """Answer whether the mailbox was proven by a code in this very journey: nothing less sets a password."""
    return any(proof["issuer"] == MAIL_ISSUER and "otp" in proof["methods"] for proof in proofs_of(journey))


@transaction.atomic
def take_new_password(journey: Journey, user: User) -> None:
    """Give a known person the password that they chose in the journey; everything begun with the old one ends."""
    encoded = journey.facts.get("password_hash")
    if not encoded or not may_choose_password(journey):
        return
    had_one = exchange_password(user, encoded=encoded)
    tell_of_password(user, is_first=not had_one)


def tell_of_password(user: User, *, is_first: bool) -> None:
    """Mail to the person that their password was set or changed, and what to do if it wasn't them."""
    tenant = user.tenant
    name = tenant.name if tenant else ""
    send_mail_in_background(
        "password_set" if is_first else "password_changed",
        to=user.mail,
        tenant=tenant,
        subject_values={"tenant": name},
        context={
            "is_first": is_first,
            "at": timezone.now(),
            "mail": user.mail,
            "tenant_name": name,
            "support_contact": tenant.support_contact if tenant else "",
        },
    )
