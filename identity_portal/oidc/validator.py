"""The library's questions, answered for tenants; and the mends of what it gets wrong.

Each override says which rule it keeps. Tests in tests/oidc go red without it.
"""

import hashlib
import uuid
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from oauth2_provider.models import set_token_value
from oauth2_provider.oauth2_validators import OAuth2Validator
from oauth2_provider.settings import oauth2_settings
from oauthlib.oauth2.rfc6749 import errors

from directory import audit
from directory.models import Application
from identity_portal.authority import current_authority
from identity_portal.oidc.backend import hashed_code
from identity_portal.oidc.claims import attribute_claims, profile_claims, sign_in_claims
from identity_portal.oidc.client_authentication import authorization_header, basic_credentials, has_live_secret
from identity_portal.oidc.keys import sign
from identity_portal.oidc.models import AccessToken, Grant, RefreshToken, SignInContext
from identity_portal.oidc.run import is_built_in_client
from identity_portal.oidc.tokens import signing_key

CONTEXT_FIELDS = ("issuer", "user_flow_id", "sid", "auth_time", "amr", "idp")


def context_values(context: SignInContext | None) -> dict[str, Any]:
    return {name: getattr(context, name) for name in CONTEXT_FIELDS} if context else {}


class Validator(OAuth2Validator):
    # --- Clients -------------------------------------------------------------------------------------------------

    def client_authentication_required(self, request: Any, *args: Any, **kwargs: Any) -> bool:
        if authorization_header(request) or request.client_secret:
            return True
        self._load_application(request.client_id, request)
        return bool(request.client and request.client.keeps_secret)

    def authenticate_client(self, request: Any, *args: Any, **kwargs: Any) -> bool:
        """Secrets are rows with end dates. One way of authenticating in one request (RFC 6749 2.3)."""
        header = authorization_header(request)
        in_body = bool(request.client_secret)
        credentials = basic_credentials(header) if header else (request.client_id, request.client_secret or "")
        if credentials is None or (header and in_body):
            return False
        client_id, secret = credentials
        if header and request.client_id and request.client_id != client_id:
            return False
        application = self._load_application(client_id, request) if client_id else None
        return isinstance(application, Application) and has_live_secret(application, secret)

    def authenticate_client_id(self, client_id: str, request: Any, *args: Any, **kwargs: Any) -> bool:
        application = self._load_application(client_id, request) if client_id else None
        return application is not None and not application.keeps_secret

    def validate_grant_type(
        self, client_id: str, grant_type: str, client: Any, request: Any, *args: Any, **kwargs: Any
    ) -> bool:
        """A flow is for people: a daemon asks the tenant's own authority."""
        if grant_type == "client_credentials" and current_authority().user_flow is not None:
            return False
        allowed: bool = super().validate_grant_type(client_id, grant_type, client, request)
        return allowed

    # --- prompt=none: the library leaves both unanswered, which is a 500 -----------------------------------------

    def validate_silent_login(self, request: Any) -> bool:
        """The view has looked at the session already."""
        return True

    def validate_silent_authorization(self, request: Any) -> bool:
        """There is no consent page: an application of the tenant is trusted by the tenant."""
        return True

    # --- Authorization codes -------------------------------------------------------------------------------------

    def _create_authorization_code(self, request: Any, code: dict[str, str], expires: Any = None) -> Grant:
        """Keep how the person signed in beside the code: the library takes auth_time from the last login anywhere."""
        lifetime = timedelta(seconds=oauth2_settings.AUTHORIZATION_CODE_EXPIRE_SECONDS)
        return Grant.objects.create(
            application=request.client,
            user=request.user,
            code=hashed_code(code["code"]),
            expires=expires or timezone.now() + lifetime,
            redirect_uri=request.redirect_uri,
            scope=" ".join(request.scopes),
            code_challenge=request.code_challenge,
            code_challenge_method=request.code_challenge_method,
            nonce=request.nonce or "",
            **request.sign_in,
        )

    def _grant(self, code: str | None, request: Any) -> Grant | None:
        """The grant of the code in the request: the library asks six times, the database is asked once."""
        if getattr(request, "looked_up_code", None) != code:
            grants = Grant.objects.select_related("user", "user_flow")
            request.looked_up_code = code
            request.grant = grants.filter(code=code).first() if code else None
        return request.grant  # type: ignore[no-any-return]

    def get_authorization_code_scopes(self, client_id: str, code: str, redirect_uri: str, request: Any) -> list[str]:
        grant = self._grant(code, request)
        return grant.scope.split() if grant else []

    def validate_code(self, client_id: str, code: str, client: Any, request: Any, *args: Any, **kwargs: Any) -> bool:
        grant = self._grant(code, request)
        if grant is None or grant.application_id != client.pk or grant.issuer != current_authority().issuer:
            return False
        if grant.redeemed_at is not None:
            self._revoke_tokens_of(grant)
            return False
        if grant.is_expired() or not _still_holds(grant):
            return False
        request.user = grant.user
        request.scopes = grant.scope.split()
        request.nonce = grant.nonce
        request.sign_in_context = grant
        return True

    def get_authorization_code_nonce(self, client_id: str, code: str, redirect_uri: str, request: Any) -> str | None:
        grant = self._grant(code, request)
        return grant.nonce if grant else None

    def confirm_redirect_uri(
        self, client_id: str, code: str, redirect_uri: str, client: Any, *args: Any, **kwargs: Any
    ) -> bool:
        """The library's query raises Grant.DoesNotExist, a 500, for the one who lost a race."""
        grant = self._grant(code, args[0])
        return grant is not None and grant.redirect_uri == redirect_uri

    def get_code_challenge(self, code: str, request: Any) -> str | None:
        grant = self._grant(code, request)
        return grant.code_challenge if grant else None

    def get_code_challenge_method(self, code: str, request: Any) -> str:
        return "S256"

    def invalidate_authorization_code(self, client_id: str, code: str, request: Any, *args: Any, **kwargs: Any) -> None:
        """Nothing is left to do: the code was claimed in the transaction that saved its tokens."""

    @transaction.atomic
    def _revoke_tokens_of(self, grant: Grant) -> None:
        """RFC 6749 4.1.2: a code that comes twice was stolen; what it was exchanged for ends."""
        families = grant.refresh_tokens.values_list("token_family", flat=True).distinct()
        ended = [family for family in families if _end_family(family)]
        deleted, _rows = AccessToken.objects.filter(grant=grant).delete()
        if ended or deleted:
            _record_theft("authorization_code.replayed", grant, reason="already_redeemed")

    # --- Tokens --------------------------------------------------------------------------------------------------

    def _save_bearer_token(self, token: dict[str, Any], request: Any, *args: Any, **kwargs: Any) -> None:
        """Claim the code or the refresh token in the transaction that saves what it is exchanged for.

        The library loses both races: with eight simultaneous requests a code gives eight live pairs, and a refresh
        token one pair and seven server errors. Each claim is one UPDATE that only one of them can make.
        """
        now = timezone.now()
        if request.grant_type == "authorization_code":
            if "offline_access" not in request.scopes:
                token.pop("refresh_token", None)
            unclaimed = Grant.objects.filter(pk=request.grant.pk, redeemed_at=None)
            if not unclaimed.update(redeemed_at=now):
                raise errors.InvalidGrantError(request=request)
        old: RefreshToken | None = getattr(request, "refresh_token_instance", None)
        if old is not None:
            if not RefreshToken.objects.filter(pk=old.pk, revoked=None).update(revoked=now, updated=now):
                raise errors.InvalidGrantError(request=request)
            AccessToken.objects.filter(refresh_token=old).delete()
        if request.grant_type == "client_credentials":
            request.user = None
        access_token = self._create_access_token(
            now + timedelta(seconds=token["expires_in"]), request, token, source_refresh_token=old
        )
        if token.get("refresh_token"):
            self._create_refresh_token(request, token["refresh_token"], access_token, old)

    def _create_access_token(
        self, expires: Any, request: Any, token: dict[str, Any], source_refresh_token: RefreshToken | None = None
    ) -> AccessToken:
        context = getattr(request, "sign_in_context", None)
        access_token = AccessToken(
            user=request.user,
            application=request.client,
            scope=token["scope"],
            expires=expires,
            grant_id=_grant_id(context),
            **(context_values(context) or {"issuer": current_authority().issuer}),
        )
        set_token_value(access_token, token["access_token"])
        access_token.save(force_insert=True)
        return access_token

    def _create_refresh_token(
        self, request: Any, refresh_token_code: str, access_token: AccessToken, previous: RefreshToken | None
    ) -> RefreshToken:
        context = request.sign_in_context
        refresh_token = RefreshToken(
            user=request.user,
            application=request.client,
            access_token=access_token,
            token_family=previous.token_family if previous else uuid.uuid4(),
            scope=previous.scope if previous else access_token.scope,
            grant_id=_grant_id(context),
            **context_values(context),
        )
        set_token_value(refresh_token, refresh_token_code)
        refresh_token.save(force_insert=True)
        return refresh_token

    def validate_refresh_token(self, refresh_token: str, client: Any, request: Any, *args: Any, **kwargs: Any) -> bool:
        """Unknown, ended, another client's, another authority's: refused. One that was used before ends its family."""
        checksum = hashlib.sha256(refresh_token.encode()).hexdigest()
        stored = (
            RefreshToken.objects.filter(token_checksum=checksum, application=client)
            .select_related("user", "user_flow", "access_token")
            .order_by(F("revoked").desc(nulls_first=True))
            .first()
        )
        if stored is None or stored.issuer != current_authority().issuer:
            return False
        if stored.revoked is not None:
            # RFC 9700 4.14.2: a rotated token that comes back was stolen from one of the two who used it.
            if _end_family(stored.token_family):
                _record_theft("refresh_token.reused", stored, reason="already_rotated")
            return False
        if stored.access_token is None or not _still_holds(stored):
            return False
        lifetime = timedelta(seconds=oauth2_settings.REFRESH_TOKEN_EXPIRE_SECONDS)
        if stored.created + lifetime <= timezone.now():
            return False
        request.user = stored.user
        request.refresh_token = refresh_token
        request.refresh_token_instance = stored
        request.sign_in_context = stored
        return True

    def get_original_scopes(self, refresh_token: str, request: Any, *args: Any, **kwargs: Any) -> str:
        scope: str = request.refresh_token_instance.scope
        return scope

    def validate_bearer_token(self, token: str, scopes: list[str], request: Any) -> bool:
        """For userinfo: a token of this very authority, of somebody who may still sign in."""
        if not super().validate_bearer_token(token, scopes, request):
            return False
        stored = request.access_token
        if stored.user is None or not _still_holds(stored) or stored.issuer != current_authority().issuer:
            request.oauth2_error = {
                "error": "invalid_token",
                "error_description": "The access token is not valid here.",
            }
            return False
        request.scopes = stored.scope.split()
        return True

    def _load_access_token(self, token: str) -> AccessToken | None:
        checksum = hashlib.sha256(token.encode()).hexdigest()
        tokens = AccessToken.objects.select_related("application", "user", "user_flow")
        return tokens.filter(token_checksum=checksum).first()

    # --- ID tokens and userinfo ----------------------------------------------------------------------------------

    def finalize_id_token(self, id_token: dict[str, Any], token: Any, token_handler: Any, request: Any) -> str:
        """Sign with the tenant's key, `kid` in every header. No row: a signature needs none to be verified."""
        authority = current_authority()
        context = request.sign_in_context
        id_token |= {
            "iss": authority.issuer,
            "aud": request.client.client_id,
            "nbf": id_token["iat"],
            "exp": id_token["iat"] + oauth2_settings.ID_TOKEN_EXPIRE_SECONDS,
            "jti": str(uuid.uuid4()),
            **sign_in_claims(request.user, context),
            **profile_claims(request.user, request.scopes),
            **attribute_claims(request.user, context, request.scopes),
        }
        if request.nonce:
            id_token["nonce"] = request.nonce
        return sign(id_token, key=signing_key(request))

    def get_userinfo_claims(self, request: Any) -> dict[str, Any]:
        context = request.access_token
        return {
            **sign_in_claims(request.user, context),
            **profile_claims(request.user, request.scopes),
            **attribute_claims(request.user, context, request.scopes),
        }


def _still_holds(issued: Grant | AccessToken | RefreshToken) -> bool:
    """Answer whether the person may still sign in, and has not been signed out everywhere since they did."""
    user = issued.user
    if user is None or (user.is_test and not is_built_in_client(issued.application)):
        # Test users sign in to nothing but the run that made them.
        return False
    return user.is_active and not user.was_revoked_after(issued.auth_time)


@transaction.atomic
def _end_family(token_family: uuid.UUID | None) -> bool:
    """End a family of refresh tokens with its access tokens. Answers whether it was still alive."""
    family = RefreshToken.objects.select_for_update().filter(token_family=token_family, revoked=None)
    was_alive = bool(list(family.values_list("pk")))
    RefreshToken.revoke_family(token_family)
    return was_alive


def _record_theft(activity: str, issued: Grant | RefreshToken, *, reason: str) -> None:
    """Once: whoever tries again finds nothing left to end."""
    audit.record(
        activity,
        tenant=current_authority().tenant,
        actor=issued.application,
        target=issued.user,
        reason=reason,
    )


def _grant_id(context: SignInContext | None) -> Any:
    """The grant that a context is, or was copied from."""
    if isinstance(context, Grant):
        return context.pk
    return getattr(context, "grant_id", None)
