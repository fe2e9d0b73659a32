"""The kinds of identity providers: one row each. Another one that django-allauth knows takes one more row.

What a row says is data: the pages to set it up, the rules on addresses and the handshake read it here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Protocol(Enum):
    """How people prove who they are, and so which module of `userflows` does it."""

    EMAIL_CODE = "email_code"
    PASSWORD = "password"  # noqa: S105
    PASSKEY = "passkey"
    OPENID_CONNECT = "openid_connect"
    OAUTH = "oauth"
    SAML = "saml"


class MailTrust(Enum):
    """When an address that a provider tells counts as proven.

    CLAIM: the provider says so itself (`email_verified`), and is known to check. NEVER: a code is mailed first. The
    domains that an administrator lists on a provider count as proven with every kind.
    """

    CLAIM = "claim"
    NEVER = "never"


@dataclass(frozen=True)
class Mark:
    """How a provider wants to be shown: the icon's id in static/portal/providers.svg, and the name on the button.

    An empty name is the administrator's own. `qualifier` tells two kinds of one vendor apart.
    """

    icon: str
    name: str = ""
    qualifier: str | Promise = ""


@dataclass(frozen=True)
class ProviderKind:
    """One kind of identity provider.

    `id` is Graph's identityProviderType where there is one. `issuer` is what identities and the `idp` claim carry;
    empty: the provider's own (its issuer or entity id). `discovery_issuer` is the OpenID Provider's issuer; `{tenant}`
    in it is replaced by what the ID token says, checked against the allowed ones. `subject_claim` identifies a person
    for ever. `allauth_provider` is the path of django-allauth's provider class. `defaults` maps attributes to the
    provider's claims, the first that is there. `fields` are what the administrator enters. `hints` are values of
    `domain_hint` that mean this kind. `is_single`: a tenant has at most one. `console_url` is where applications are
    made at the provider, `guide_url` where its own guide stands. `lacks` is what the provider doesn't do of its
    protocol: "nonce" (its ID tokens have none), "pkce" (it refuses a code_verifier), "sign_out" (nobody can be signed
    out there). `token_auth_method` and `other_issuers` are what its discovery document leaves out. `prompts` are values
    of `prompt` that it understands.
    """

    id: str
    label: str | Promise
    summary: str | Promise
    protocol: Protocol
    mark: Mark
    issuer: str = ""
    discovery_issuer: str = ""
    allauth_provider: str = ""
    scopes: tuple[str, ...] = ()
    subject_claim: str = "sub"
    mail_trust: MailTrust = MailTrust.NEVER
    may_create_accounts: bool = True
    is_single: bool = False
    fields: tuple[str, ...] = ()
    defaults: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    hints: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()
    token_auth_method: str = ""
    other_issuers: tuple[str, ...] = ()
    prompts: tuple[str, ...] = ()
    console_url: str = ""
    guide_url: str = ""

    @property
    def is_federated(self) -> bool:
        """The person leaves for a provider of their own, and comes back with its word."""
        return self.protocol in (Protocol.OPENID_CONNECT, Protocol.OAUTH, Protocol.SAML)

    @property
    def is_built_in(self) -> bool:
        return not self.is_federated


STANDARD_CLAIMS = {
    "DisplayName": ("name",),
    "GivenName": ("given_name",),
    "Surname": ("family_name",),
    "City": ("address.locality",),
    "Country": ("address.country",),
}
SAML_ATTRIBUTES = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims"

KINDS: tuple[ProviderKind, ...] = (
    ProviderKind(
        id="EmailOTP",
        label=_("Email one-time code"),
        summary=_("People type a code that we mail to them. Works for everybody who has an email address."),
        protocol=Protocol.EMAIL_CODE,
        mark=Mark("mail"),
        issuer="mail",
        mail_trust=MailTrust.CLAIM,
        is_single=True,
        fields=("code_length", "code_minutes", "sender_name"),
    ),
    ProviderKind(
        id="EmailPassword",
        label=_("Email with password"),
        summary=_("People choose a password. They can reset it with a code that we mail to them."),
        protocol=Protocol.PASSWORD,
        mark=Mark("password"),
        issuer="mail",
        mail_trust=MailTrust.CLAIM,
        is_single=True,
    ),
    ProviderKind(
        id="Passkey",
        label=_("Passkey"),
        summary=_("People who have signed in once use their fingerprint, face or screen lock from then on."),
        protocol=Protocol.PASSKEY,
        issuer="passkey",
        mark=Mark("passkey"),
        may_create_accounts=False,
        is_single=True,
    ),
    ProviderKind(
        id="EntraID",
        label=_("Microsoft Entra ID"),
        summary=_("Work or school accounts: of any organisation, or only of those that you list."),
        protocol=Protocol.OPENID_CONNECT,
        mark=Mark("microsoft", "Microsoft", _("work or school")),
        discovery_issuer="https://login.microsoftonline.com/{tenant}/v2.0",
        allauth_provider="allauth.socialaccount.providers.openid_connect.provider.OpenIDConnectProvider",
        scopes=("openid", "profile", "email"),
        # The same for every application of a tenant, and never given to anybody else; `sub` changes with the client id.
        subject_claim="oid",
        fields=("client_id", "secret", "allowed_tenants"),
        defaults={**STANDARD_CLAIMS, "JobTitle": ("jobTitle",), "Country": ("ctry",)},
        hints=("organizations",),
        prompts=("login", "select_account"),
        console_url="https://entra.microsoft.com/",
        guide_url="https://learn.microsoft.com/entra/identity-platform/quickstart-register-app",
    ),
    ProviderKind(
        id="MicrosoftAccount",
        label=_("Microsoft account"),
        summary=_("Personal accounts: Outlook.com, Hotmail, Xbox, Skype."),
        protocol=Protocol.OPENID_CONNECT,
        mark=Mark("microsoft", "Microsoft", _("personal")),
        issuer="live.com",
        # The tenant in which all personal accounts live.
        discovery_issuer="https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0",
        allauth_provider="allauth.socialaccount.providers.openid_connect.provider.OpenIDConnectProvider",
        scopes=("openid", "profile", "email"),
        subject_claim="oid",
        is_single=True,
        fields=("client_id", "secret"),
        defaults=STANDARD_CLAIMS,
        hints=("live.com", "consumers"),
        prompts=("login", "select_account"),
        console_url="https://entra.microsoft.com/",
        guide_url="https://learn.microsoft.com/entra/identity-platform/quickstart-register-app",
    ),
    ProviderKind(
        id="Google",
        label=_("Google"),
        summary=_("Gmail and Google Workspace accounts."),
        protocol=Protocol.OPENID_CONNECT,
        mark=Mark("google", "Google"),
        issuer="google.com",
        discovery_issuer="https://accounts.google.com",
        allauth_provider="allauth.socialaccount.providers.openid_connect.provider.OpenIDConnectProvider",
        scopes=("openid", "profile", "email"),
        mail_trust=MailTrust.CLAIM,
        is_single=True,
        fields=("client_id", "secret"),
        defaults=STANDARD_CLAIMS,
        hints=("google.com",),
        prompts=("select_account",),
        other_issuers=("accounts.google.com",),
        lacks=("sign_out",),
        console_url="https://console.cloud.google.com/apis/credentials",
        guide_url="https://developers.google.com/identity/openid-connect/openid-connect",
    ),
    ProviderKind(
        id="Facebook",
        label=_("Facebook"),
        summary=_("Facebook accounts. Some have no email address: people are asked for one."),
        protocol=Protocol.OAUTH,
        mark=Mark("facebook", "Facebook"),
        issuer="facebook.com",
        allauth_provider="allauth.socialaccount.providers.facebook.provider.FacebookProvider",
        scopes=("public_profile", "email"),
        subject_claim="id",
        is_single=True,
        fields=("client_id", "secret"),
        defaults={"DisplayName": ("name",), "GivenName": ("first_name",), "Surname": ("last_name",)},
        hints=("facebook.com",),
        console_url="https://developers.facebook.com/apps/",
        guide_url="https://developers.facebook.com/docs/facebook-login/",
    ),
    ProviderKind(
        id="Apple",
        label=_("Apple"),
        summary=_("Apple accounts, with hidden email addresses too."),
        protocol=Protocol.OPENID_CONNECT,
        mark=Mark("apple", "Apple"),
        issuer="apple.com",
        discovery_issuer="https://appleid.apple.com",
        allauth_provider="allauth.socialaccount.providers.openid_connect.provider.OpenIDConnectProvider",
        scopes=("openid", "name", "email"),
        mail_trust=MailTrust.CLAIM,
        is_single=True,
        fields=("client_id", "team_id", "key_id", "secret"),
        defaults={"GivenName": ("given_name",), "Surname": ("family_name",)},
        hints=("apple.com",),
        lacks=("sign_out",),
        console_url="https://developer.apple.com/account/resources/identifiers/list/serviceId",
        guide_url="https://developer.apple.com/documentation/signinwithapple",
    ),
    ProviderKind(
        id="GitHub",
        label=_("GitHub"),
        summary=_("GitHub accounts, for developers."),
        protocol=Protocol.OAUTH,
        mark=Mark("github", "GitHub"),
        issuer="github.com",
        allauth_provider="allauth.socialaccount.providers.github.provider.GitHubProvider",
        scopes=("read:user", "user:email"),
        subject_claim="id",
        is_single=True,
        fields=("client_id", "secret"),
        defaults={"DisplayName": ("name",), "extension_Company": ("company",), "City": ("location",)},
        hints=("github.com",),
        prompts=("select_account",),
        console_url="https://github.com/settings/developers",
        guide_url="https://docs.github.com/apps/oauth-apps/building-oauth-apps/creating-an-oauth-app",
    ),
    ProviderKind(
        id="LinkedIn",
        label=_("LinkedIn"),
        summary=_("LinkedIn members, for business partners."),
        protocol=Protocol.OPENID_CONNECT,
        mark=Mark("linkedin", "LinkedIn"),
        issuer="linkedin.com",
        discovery_issuer="https://www.linkedin.com/oauth",
        allauth_provider="allauth.socialaccount.providers.openid_connect.provider.OpenIDConnectProvider",
        scopes=("openid", "profile", "email"),
        mail_trust=MailTrust.CLAIM,
        is_single=True,
        fields=("client_id", "secret"),
        defaults=STANDARD_CLAIMS,
        hints=("linkedin.com",),
        lacks=("nonce", "pkce", "sign_out"),
        token_auth_method="client_secret_post",  # noqa: S106
        other_issuers=("https://www.linkedin.com",),
        console_url="https://www.linkedin.com/developers/apps",
        guide_url="https://learn.microsoft.com/linkedin/consumer/integrations/self-serve/sign-in-with-linkedin-v2",
    ),
    ProviderKind(
        id="OpenIdConnect",
        label=_("OpenID Connect"),
        summary=_("Any provider that speaks OpenID Connect: Okta, Auth0, Keycloak, a partner's own."),
        protocol=Protocol.OPENID_CONNECT,
        mark=Mark("openid"),
        allauth_provider="allauth.socialaccount.providers.openid_connect.provider.OpenIDConnectProvider",
        scopes=("openid", "profile", "email"),
        fields=("issuer", "client_id", "secret", "token_auth_method", "scopes", "trusts_mail"),
        prompts=("login",),
        defaults=STANDARD_CLAIMS,
    ),
    ProviderKind(
        id="Saml",
        label=_("SAML 2.0"),
        summary=_("A partner's own sign-in, by SAML: AD FS, Shibboleth, Okta, Ping."),
        protocol=Protocol.SAML,
        mark=Mark("saml"),
        allauth_provider="allauth.socialaccount.providers.saml.provider.SAMLProvider",
        fields=(
            *("entity_id", "sso_url", "slo_url", "certificates", "signs_requests"),
            *("subject_attribute", "mail_attribute"),
        ),
        defaults={
            "DisplayName": ("displayName", f"{SAML_ATTRIBUTES}/name", "urn:oid:2.16.840.1.113730.3.1.241"),
            "GivenName": ("givenName", f"{SAML_ATTRIBUTES}/givenname", "urn:oid:2.5.4.42"),
            "Surname": ("sn", "surname", f"{SAML_ATTRIBUTES}/surname", "urn:oid:2.5.4.4"),
        },
    ),
)


def kinds() -> dict[str, ProviderKind]:
    """Return the kinds by id, in the order in which administrators see them."""
    return {kind.id: kind for kind in KINDS}


def kind_choices() -> list[tuple[str, str | Promise]]:
    return [(kind.id, kind.label) for kind in KINDS]
