"""django-allauth's hooks (SOCIALACCOUNT_ADAPTER): requests leave through the guarded client, and nothing is stored."""

from allauth.socialaccount.adapter import DefaultSocialAccountAdapter


class FederationAdapter(DefaultSocialAccountAdapter):
    """Used by django-allauth's providers while they do a handshake; none of its views is mounted."""
