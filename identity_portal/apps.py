from importlib import import_module

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class IdentityPortalConfig(AppConfig):
    name = "identity_portal"
    verbose_name = _("Identity Portal")

    def ready(self) -> None:
        """The checks need the models, which are not there yet when this file is read."""
        import_module("identity_portal.checks")
