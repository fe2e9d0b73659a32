from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class IdentityPortalConfig(AppConfig):
    name = "identity_portal"
    verbose_name = _("Identity Portal")
