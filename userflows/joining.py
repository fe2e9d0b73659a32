"""Joining an identity to somebody who is there already: the last step of what userflows.proofs lets happen."""

from django.db import IntegrityError, models, transaction
from django.utils import timezone

from directory import audit
from directory.models import Identity, IdentityProvider, User
from directory.temporary_users import delete_test_user
from userflows.errors import AnotherPerson
from userflows.mail import send_mail_in_background
from userflows.models import Journey
from userflows.proofs import Proof, identity_of, unknown_proofs


def join_identities(journey: Journey, user: User) -> None:
    """Give the person what was proven beside the way that they had: from now on each of them signs them in.

    Raises AnotherPerson when somebody else got one of the identities meanwhile.
    """
    for proof in unknown_proofs(journey):
        if _join(journey, proof, user):
            _tell(journey, proof, user)


def _join(journey: Journey, proof: Proof, user: User) -> bool:
    """Answer whether the identity is new: in another journey the same person may just have said the same."""
    _delete_test_user(journey, proof)
    try:
        with transaction.atomic():
            identity_of(journey, proof, user).save(force_insert=True)
    except IntegrityError as error:
        if _identities(journey, proof).filter(user=user).exists():
            return False
        raise AnotherPerson(tenant_name=journey.tenant.name) from error
    return True


def _delete_test_user(journey: Journey, proof: Proof) -> None:
    """An earlier run of the flow may have made a test user of the identity: nobody who could stand in the way."""
    identity = _identities(journey, proof).filter(user__is_test=True).select_related("user").first()
    if identity is not None:
        delete_test_user(identity.user)


def _identities(journey: Journey, proof: Proof) -> models.QuerySet[Identity]:
    return Identity.objects.filter(tenant=journey.tenant, issuer=proof["issuer"], issuer_assigned_id=proof["subject"])


def _tell(journey: Journey, proof: Proof, user: User) -> None:
    """Write it down, and mail it to the person in case it wasn't them."""
    provider = IdentityProvider.objects.filter(tenant=journey.tenant, pk=proof["way"]).first()
    name = provider.shown_name if provider else proof["issuer"]
    audit.record(
        "identity.linked",
        tenant=journey.tenant,
        actor=user,
        target=user,
        details={
            "issuer": proof["issuer"],
            "identity_provider": name,
            "application": journey.application.name,
            "journey": str(journey.pk),
        },
    )
    send_mail_in_background(
        "identity_added",
        to=user.mail,
        tenant=journey.tenant,
        subject_values={"tenant": journey.tenant.name},
        context={
            "provider_name": name,
            "application_name": journey.application_name,
            "tenant_name": journey.tenant.name,
            "support_contact": journey.tenant.support_contact,
            "at": timezone.now(),
        },
    )
