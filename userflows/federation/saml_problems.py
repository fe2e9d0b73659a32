"""What may be wrong with a SAML answer, in words for the administrator who looks for the cause."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

SAML_PROBLEMS: dict[str, str | Promise] = {
    "saml_algorithm": _("It is signed in a way that isn't accepted. Choose RSA with SHA-256 there."),
    "saml_audience": _("It is for somebody else: the audience must be our entity ID."),
    "saml_comments": _("There is a comment in it, which could hide a part of a name."),
    "saml_conditions": _("It comes with conditions that aren't understood."),
    "saml_destination": _("It is addressed to another place than our ACS URL."),
    "saml_encrypted_without_key": _("It is encrypted, and this provider has no key to read it with."),
    "saml_encryption_algorithm": _("It is encrypted in a way that isn't accepted."),
    "saml_entities": _("It declares entities or a document type, as attacks do."),
    "saml_expired": _("It has expired. Compare the clocks of both servers."),
    "saml_ids": _("Two of its parts have one ID, as in attacks that wrap a signed part."),
    "saml_in_response_to": _("It doesn't answer our request. Sign-in must begin here, not at the provider."),
    "saml_issuer": _("It comes from another entity ID than the one that is set up."),
    "saml_name_qualifier": _("Its NameID was made for another service."),
    "saml_no_authentication": _("It doesn't say that anybody has signed in."),
    "saml_no_confirmation": _("It has no bearer confirmation."),
    "saml_no_end": _("Its confirmation never ends."),
    "saml_not_a_response": _("It is no SAML response by the schema."),
    "saml_not_decrypted": _("It could not be decrypted. Give the provider our current metadata."),
    "saml_not_valid": _("It isn't valid."),
    "saml_not_xml": _("It is no XML."),
    "saml_number_of_assertions": _("It must have exactly one assertion."),
    "saml_recipient": _("Its recipient is another place than our ACS URL."),
    "saml_replayed": _("It was used before."),
    "saml_signature": _(
        "Its signature is wrong, or was made with a certificate that isn't among ours for the provider."
    ),
    "saml_subject": _("Whom it names is empty, is several, or has letters in it that can't be seen."),
    "saml_subject_too_long": _("Whom it names has more than 255 characters."),
    "saml_time": _("A time in it can't be read."),
    "saml_too_early": _("It isn't valid yet. Compare the clocks of both servers."),
    "saml_too_large": _("It is too large."),
    "saml_unsigned": _("It isn't signed."),
    "saml_wrapped": _(
        "A signature covers another part than the one that is read, as in attacks that wrap a signed part."
    ),
}
