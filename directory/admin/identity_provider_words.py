"""How to set up each kind of identity provider, in the words of the provider's own pages. A kind without a row here
is set up in the words of its protocol."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from directory.identity_provider_kinds import Protocol, ProviderKind

Words = str | Promise


@dataclass(frozen=True)
class Guide:
    """`steps` are done at the provider, in their order. `pasted` are the names of our values that are pasted there,
    with what they are called there. `labels` and `helps` are those of our fields that have other words there."""

    steps: tuple[Words, ...] = ()
    pasted: tuple[tuple[str, Words], ...] = (("callback", _("Redirect URI")),)
    labels: Mapping[str, Words] = field(default_factory=dict)
    helps: Mapping[str, Words] = field(default_factory=dict)


LABELS: dict[str, Words] = {
    "client_id": _("Client ID"),
    "secret": _("Client secret"),
    "allowed_tenants": _("Allowed organisations"),
    "team_id": _("Team ID"),
    "key_id": _("Key ID"),
    "issuer": _("Issuer"),
    "token_auth_method": _("How the client secret is sent"),
    "scopes": _("Scopes"),
    "trusts_mail": _("Believe what it says of email addresses"),
    "entity_id": _("Entity ID (issuer)"),
    "sso_url": _("Sign-in URL"),
    "slo_url": _("Sign-out URL"),
    "certificates": _("Certificates"),
    "signs_requests": _("Sign our requests"),
    "subject_attribute": _("Attribute that identifies a person"),
    "mail_attribute": _("Attribute with the email address"),
    "code_length": _("Digits of the code"),
    "code_minutes": _("The code works for"),
    "sender_name": _("Name of the sender"),
}
HELPS: dict[str, Words] = {
    "allowed_tenants": _("Tenant IDs, one on each line. Empty: people of any organisation can sign in."),
    "team_id": _("Ten letters and digits: “Membership details” of your developer account shows it."),
    "key_id": _("Ten letters and digits: they stand beside the key, and in the name of its file."),
    "issuer": _("The provider's address, to the letter: https://login.fabrikam.com. Its settings are read from there."),
    "token_auth_method": _("As the provider says. Most take both."),
    "scopes": _("What we ask for, separated by spaces. Empty: openid profile email."),
    "trusts_mail": _(
        "An address counts as proven when it says email_verified. Tick it only if you know that it checks addresses; "
        "otherwise we mail a code."
    ),
    "entity_id": _("The provider's name for itself, to the letter. Its metadata tells it."),
    "sso_url": _("Where people are sent to sign in (SingleSignOnService, HTTP-Redirect)."),
    "slo_url": _("Where people are sent to sign out (SingleLogoutService, HTTP-Redirect). It may be empty."),
    "certificates": _("With one of them the provider signs its answers. Add the next one before the old one ends."),
    "signs_requests": _("The provider can be sure that a request is ours. Our certificate stands in our metadata."),
    "subject_attribute": _("Empty: the name ID. Choose one that never changes, and is never given to somebody else."),
    "mail_attribute": _("Empty: the usual ones are tried, such as mail and emailaddress."),
    "code_length": _("6 to 10. A user flow can ask for another number."),
    "code_minutes": _("5 to 60 minutes. A user flow can ask for another time."),
    "sender_name": _("Mails come from this name. Empty: the name of this tenant."),
}
APP_REGISTRATION = (
    _("Open Entra ID › App registrations, and choose “New registration”."),
    _("Under “Redirect URI” choose the platform “Web”, and paste the redirect URI."),
    _("Copy the “Application (client) ID” of the overview into the field below."),
    _("Open “Certificates & secrets”, add a client secret, and copy its “Value” (not its ID) at once."),
)
# Where providers let people back who have signed out there.
SIGNED_OUT = ("signed_out", _("One more redirect URI, for “sign out there too” (post-logout redirect URI)"))
ENTRA_LABELS = {"client_id": _("Application (client) ID"), "secret": _("Client secret (value)")}

GUIDES: dict[str, Guide] = {
    "EntraID": Guide(
        steps=(
            *APP_REGISTRATION,
            _("Under “Supported account types” choose accounts in any organisation, unless all come from yours."),
            _("Open “Token configuration”, and add the optional claims email and xms_edov to the ID token."),
        ),
        labels=ENTRA_LABELS,
        pasted=(("callback", _("Redirect URI")), SIGNED_OUT),
        helps={"secret_expires_on": _("Microsoft shows the day on which the secret ends: at most two years.")},
    ),
    "MicrosoftAccount": Guide(
        steps=(*APP_REGISTRATION, _("Under “Supported account types” choose personal Microsoft accounts.")),
        labels=ENTRA_LABELS,
        pasted=(("callback", _("Redirect URI")), SIGNED_OUT),
    ),
    "Google": Guide(
        steps=(
            _("Open Google Cloud › APIs & Services › Credentials, and choose a project."),
            _("Choose “Create credentials › OAuth client ID”, and the type “Web application”."),
            _("Paste the redirect URI under “Authorised redirect URIs”."),
            _("Copy the client ID and the client secret into the fields below."),
            _("Under “OAuth consent screen” choose “External”, and publish the app: before, only test users get in."),
        ),
        pasted=(("callback", _("Authorised redirect URI")), ("scopes", _("Scopes"))),
    ),
    "Facebook": Guide(
        steps=(
            _("Create an app for “Authenticate and request data from users with Facebook Login”."),
            _("Open Facebook Login › Settings, and paste the redirect URI under “Valid OAuth Redirect URIs”."),
            _("Add the permission email to the use case."),
            _("Copy the app ID and the app secret from App settings › Basic into the fields below."),
            _("Enter the address of your privacy policy there, and publish the app: before, only its testers get in."),
        ),
        pasted=(("callback", _("Valid OAuth Redirect URI")), ("scopes", _("Permissions"))),
        labels={"client_id": _("App ID"), "secret": _("App secret")},
    ),
    "Apple": Guide(
        steps=(
            _("Under “Identifiers”, give an App ID the capability “Sign in with Apple”."),
            _("Add a Services ID, tick “Sign in with Apple”, and choose “Configure”."),
            _("Paste the domain and the return URL there."),
            _("Under “Keys”, make a key for “Sign in with Apple”, and download its file. It can be downloaded once."),
            _("Enter the Services ID, the Team ID, the Key ID and the key below."),
        ),
        pasted=(("domain", _("Domain")), ("callback", _("Return URL"))),
        labels={"client_id": _("Services ID"), "secret": _("Private key (.p8)")},
        helps={
            "client_id": _("The identifier of the Services ID, such as com.fabrikam.signin; not that of the App ID."),
            "secret": _("The whole text of the file AuthKey_….p8. We make the client secret from it: it doesn't end."),
        },
    ),
    "GitHub": Guide(
        steps=(
            _("Open Settings › Developer settings › OAuth Apps, and choose “New OAuth App”."),
            _("Paste the callback URL. The homepage URL is your own website."),
            _("Copy the client ID, then choose “Generate a new client secret” and copy that."),
        ),
        pasted=(("callback", _("Authorization callback URL")),),
    ),
    "LinkedIn": Guide(
        steps=(
            _("Create an app, and let the company's page confirm it."),
            _("Under “Products”, ask for “Sign In with LinkedIn using OpenID Connect”."),
            _("Under “Auth”, paste the redirect URI under “Authorized redirect URLs for your app”."),
            _("Copy the client ID and the primary client secret into the fields below."),
        ),
        pasted=(("callback", _("Authorized redirect URL")), ("scopes", _("OAuth 2.0 scopes"))),
        labels={"secret": _("Primary client secret")},
    ),
}
OF_PROTOCOL: dict[Protocol, Guide] = {
    Protocol.OPENID_CONNECT: Guide(
        steps=(
            _("Add an application at the provider: a web application with the authorization code flow."),
            _("Paste the redirect URI."),
            _("Copy the client ID and the client secret into the fields below, and the provider's issuer."),
        ),
        pasted=(("callback", _("Redirect URI")), ("scopes", _("Scopes")), SIGNED_OUT),
    ),
    Protocol.OAUTH: Guide(
        steps=(
            _("Add an application at the provider, and paste the redirect URI."),
            _("Copy the client ID and the client secret into the fields below."),
        ),
        pasted=(("callback", _("Redirect URI")), ("scopes", _("Scopes"))),
    ),
    Protocol.SAML: Guide(
        steps=(
            _("Give the partner's administrators the address of our metadata. It has everything that they need."),
            _("If they enter it by hand: the entity ID, the reply URL and the sign-out URL."),
            _("Ask them to send an email address, and a name ID that never changes for a person (persistent)."),
            _("Get their metadata, as a file or an address, and read it in below."),
        ),
        pasted=(
            ("metadata", _("Entity ID, and address of our metadata")),
            ("acs", _("Reply URL (assertion consumer service, ACS)")),
            ("sls", _("Sign-out URL (single logout service)")),
        ),
    ),
}


def guide_of(kind: ProviderKind) -> Guide:
    return GUIDES.get(kind.id) or OF_PROTOCOL.get(kind.protocol) or Guide(pasted=())


def label_of(kind: ProviderKind, name: str) -> str:
    return str(guide_of(kind).labels.get(name) or LABELS[name])


def help_of(kind: ProviderKind, name: str) -> str:
    return str(guide_of(kind).helps.get(name) or HELPS.get(name, ""))
