import json
import uuid
from datetime import timedelta
from typing import Any

from django.db import models
from django.utils import timezone

from directory.encryption import EncryptedTextField
from directory.models import Application, IdentityProvider, Tenant, User
from userflows.models.user_flow import UserFlow
from userflows.models.user_flow_version import UserFlowVersion

LIFETIME = timedelta(minutes=30)


def default_expiry() -> Any:
    return timezone.now() + LIFETIME


class Journey(models.Model):
    """One person's way through a flow, from the application's request to the answer.

    Which step comes next follows from what the row holds (userflows.journey). Nothing of the person is in the
    directory before it completes; what was collected stands encrypted in `collected` and is purged at the end.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="journeys")
    user_flow = models.ForeignKey(UserFlow, null=True, on_delete=models.SET_NULL, related_name="journeys")
    application = models.ForeignKey(Application, on_delete=models.CASCADE, related_name="journeys")
    browser_hash = models.CharField(max_length=64)
    version = models.PositiveIntegerField(default=0)
    correlation_id = models.UUIDField()
    # The path to return to (the application's request), and where cancelling leads.
    return_path = models.TextField()
    redirect_uri = models.TextField()
    state = models.TextField(blank=True)
    issuer = models.TextField(blank=True)
    ui_locales = models.CharField(max_length=200, blank=True)
    flow_version = models.ForeignKey(UserFlowVersion, null=True, on_delete=models.SET_NULL, related_name="+")
    # What the person meets, as it was when they began: a userflows.definition.Definition.
    definition = models.JSONField(default=dict)
    # Begun by an administrator with “Run user flow”: makes a test user, signs nobody in.
    is_test = models.BooleanField(default=False)
    run_by = models.ForeignKey(User, null=True, on_delete=models.CASCADE, related_name="+")
    collected = EncryptedTextField(blank=True, default="")
    code_hash = models.CharField(max_length=64, blank=True)
    code_sent_at = models.DateTimeField(null=True)
    code_tries = models.PositiveSmallIntegerField(default=0)
    user = models.ForeignKey(User, null=True, on_delete=models.CASCADE, related_name="journeys")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(default=default_expiry, db_index=True)
    completed_at = models.DateTimeField(null=True)
    signed_in_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "journey"

    def __str__(self) -> str:
        return str(self.id)

    # Looked up once for a request: people, by what was asked (userflows.proofs), and the open ways (userflows.ways).
    known: dict[str, User | None] | None = None
    ways: list[IdentityProvider] | None = None

    @property
    def facts(self) -> dict[str, Any]:
        """What the person has told and proven so far.

        `way`: id and kind of the identity provider that is tried; `proofs`: userflows.proofs.Proof, in their order.
        `mail`: to be proven; `mail_proven`; `told_mail`: a provider's word for it; `codes_sent`.
        `joining`: id of the person who proves an old way; `joins`: of the one to whom a new identity is joined.
        `told_name`, `prefill`: the provider's name and answers. `password_hash`, `wants_password`, `keep_signed_in`.
        `answers`, `pages_done`; `login_hint`, `domain_hint`; `declined`: ids of providers that led nowhere.
        A completed journey holds `session` only: what signing in takes (userflows.proofs.session_of).
        """
        return dict(json.loads(self.collected)) if self.collected else {}

    def learn(self, **facts: Any) -> None:
        """Add to `facts`. The caller saves."""
        self.collected = json.dumps(self.facts | facts)

    def forget(self, *names: str) -> None:
        """Take out of `facts`. The caller saves."""
        self.collected = json.dumps({name: fact for name, fact in self.facts.items() if name not in names})

    @property
    def application_name(self) -> str:
        return self.application.name

    @property
    def is_expired(self) -> bool:
        return self.expires_at <= timezone.now()

    @property
    def is_completed(self) -> bool:
        return self.completed_at is not None
