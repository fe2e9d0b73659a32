"""What the SAML toolkit is told: who we are, who the provider is, and what its messages must have.

django-allauth's own configuration takes our addresses from the Host header and one certificate only, so none of it is
used: this is the one place that knows the toolkit's settings.
"""

from typing import Any
from urllib.parse import urlsplit
from xml.sax.saxutils import escape

from onelogin.saml2.auth import OneLogin_Saml2_Auth
from onelogin.saml2.constants import OneLogin_Saml2_Constants as Names
from onelogin.saml2.settings import OneLogin_Saml2_Settings

from directory.models import IdentityProvider
from userflows.federation.addresses import acs_url, metadata_url, single_logout_url

RSA_SIGNATURES = frozenset((Names.RSA_SHA256, Names.RSA_SHA384, Names.RSA_SHA512))
ECDSA_SIGNATURES = frozenset(f"http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha{bits}" for bits in (256, 384, 512))
SIGNATURES = RSA_SIGNATURES | ECDSA_SIGNATURES
DIGESTS = frozenset((Names.SHA256, Names.SHA384, Names.SHA512))
SECURITY = {
    "signatureAlgorithm": Names.RSA_SHA256,
    "digestAlgorithm": Names.SHA256,
    "rejectDeprecatedAlgorithm": True,
    "requestedAuthnContext": False,
    "wantAttributeStatement": False,
    "wantNameId": False,
    "allowRepeatAttributeName": True,
    "allowSingleLabelDomains": True,
    # A partner takes our metadata in once: it never ends.
    "metadataValidUntil": "",
    "metadataCacheDuration": "",
}


def toolkit_settings(
    provider: IdentityProvider, *, quoted: bool = False, for_metadata: bool = False
) -> OneLogin_Saml2_Settings:
    """Return the toolkit's settings. `quoted`: to write messages with, since its templates escape nothing."""
    certificates = list(provider.setting("certificates", []))
    # Taken from what the row holds at this moment: a key without its certificate signs nothing.
    key, certificate = provider.secret, str(provider.setting("sp_certificate"))
    signs = bool(provider.setting("signs_requests", False) and key and certificate)
    written = escape_all if quoted else str
    told: dict[str, Any] = {
        "strict": True,
        "security": {
            **SECURITY,
            "authnRequestsSigned": signs,
            "logoutRequestSigned": signs,
            "logoutResponseSigned": signs,
            # In our metadata it asks the partner to sign assertions; answers may be signed as a whole as well.
            "wantAssertionsSigned": for_metadata,
            "wantAssertionsEncrypted": for_metadata and bool(key and certificate),
        },
        "sp": {
            "entityId": metadata_url(provider),
            "assertionConsumerService": {"url": acs_url(provider), "binding": Names.BINDING_HTTP_POST},
            "singleLogoutService": {"url": single_logout_url(provider), "binding": Names.BINDING_HTTP_REDIRECT},
            "NameIDFormat": written(provider.setting("name_id_format") or Names.NAMEID_UNSPECIFIED),
            "x509cert": certificate if key else "",
            "privateKey": key if certificate else "",
        },
        "idp": {
            "entityId": written(provider.setting("entity_id")),
            "singleSignOnService": {"url": written(provider.setting("sso_url"))},
            "x509cert": certificates[0] if certificates else "",
            "x509certMulti": {"signing": certificates},
        },
    }
    if provider.setting("slo_url"):
        told["idp"]["singleLogoutService"] = {"url": written(provider.setting("slo_url"))}
    return OneLogin_Saml2_Settings(told, sp_validation_only=for_metadata)


def escape_all(value: object) -> str:
    return escape(str(value), {'"': "&quot;"})


def request_to(url: str, **more: Any) -> dict[str, Any]:
    """Return what the toolkit calls the request: one that came to `url`, which is an address of ours."""
    parts = urlsplit(url)
    return {
        "https": "on" if parts.scheme == "https" else "off",
        "http_host": parts.netloc,
        "script_name": "",
        "path_info": parts.path,
        "get_data": {},
        "post_data": {},
        **more,
    }


def redirect_url(provider: IdentityProvider, url: str, message: dict[str, str]) -> str:
    """Return `url` with a SAMLRequest or SAMLResponse, and a RelayState maybe; signed where the provider wants that."""
    toolkit = toolkit_settings(provider)
    writer = OneLogin_Saml2_Auth(request_to(acs_url(provider)), toolkit)
    security = toolkit.get_security_data()
    parameters = dict(message)
    if security["authnRequestsSigned"]:
        sign = writer.add_request_signature if "SAMLRequest" in message else writer.add_response_signature
        sign(parameters, security["signatureAlgorithm"])
    return str(writer.redirect_to(url, parameters))
