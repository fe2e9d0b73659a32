"""The last part of “Run user flow”: the built-in test client exchanges its code and checks what it gets, as any would.

In process: a server with one worker would wait for itself for ever over HTTP.
"""

import json
import time
import uuid
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, QueryDict
from jwcrypto import jwk, jws
from jwcrypto.common import JWException

from identity_portal.authority import Authority, authority_scope
from identity_portal.oidc.endpoints import TokenView
from identity_portal.oidc.keys import published_keys
from identity_portal.oidc.models import AccessToken, Grant
from identity_portal.oidc.run import Run, built_in_client_id


def exchange(run: Run, authority: Authority, *, code: str) -> dict[str, Any]:
    """Return what came of the code: both tokens taken apart, and what a client checks; or the endpoint's `error`.

    The tokens end here: nobody holds them.
    """
    status, answer = _call_token_endpoint(run, authority, code)
    if status != 200:
        return {"error": answer.get("error", ""), "description": answer.get("error_description", "")}
    keys = {key["kid"]: key for key in published_keys(authority.tenant)}
    id_token, access_token = _taken_apart(answer["id_token"], keys), _taken_apart(answer["access_token"], keys)
    _end_tokens(authority, id_token["claims"]["sub"])
    return {
        "id_token": id_token,
        "access_token": access_token,
        "checks": _checks(run, authority, id_token),
        "scope": answer["scope"],
        "person": id_token["claims"]["sub"],
    }


def _call_token_endpoint(run: Run, authority: Authority, code: str) -> tuple[int, dict[str, Any]]:
    request = HttpRequest()
    request.method = "POST"
    request.path = request.path_info = f"{authority.path}/oauth2/v2.0/token"
    request.META = {"REQUEST_METHOD": "POST", "CONTENT_TYPE": "application/x-www-form-urlencoded"}
    request.POST = QueryDict(
        urlencode(
            {
                "grant_type": "authorization_code",
                "client_id": built_in_client_id(authority.tenant.pk),
                "redirect_uri": QueryDict(run.query)["redirect_uri"],
                "code": code,
                "code_verifier": run.verifier,
            }
        )
    )
    with authority_scope(authority):
        response = TokenView.as_view()(request)
    return response.status_code, json.loads(getattr(response, "content"))  # noqa: B009 - the endpoint doesn't stream


def _taken_apart(token: str, keys: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Return header and claims, and whether the key of the key set that the header names signed them (RFC 7515)."""
    signed = jws.JWS.from_jose_token(token)
    header = dict(signed.jose_header)
    key = keys.get(header.get("kid", ""))
    is_signed = False
    if key is not None:
        signed.allowed_algs = [key["alg"]]
        try:
            signed.verify(jwk.JWK(**key))
            is_signed = True
        except JWException:
            is_signed = False
    payload = signed.objects["payload"]
    return {"header": header, "claims": json.loads(payload), "is_signed": is_signed}


def _checks(run: Run, authority: Authority, id_token: dict[str, Any]) -> dict[str, bool]:
    """What OpenID Connect Core 3.1.3.7 asks of a client."""
    claims = id_token["claims"]
    return {
        "signature": id_token["is_signed"],
        "issuer": claims["iss"] == authority.issuer,
        "audience": claims["aud"] == built_in_client_id(authority.tenant.pk),
        "nonce": claims.get("nonce") == run.nonce,
        "time": claims["nbf"] <= time.time() + 1 and claims["exp"] > time.time(),
    }


def _end_tokens(authority: Authority, person: str) -> None:
    client_id = built_in_client_id(authority.tenant.pk)
    AccessToken.objects.filter(application__client_id=client_id, user_id=uuid.UUID(person)).delete()
    Grant.objects.filter(application__client_id=client_id, user_id=uuid.UUID(person)).delete()
