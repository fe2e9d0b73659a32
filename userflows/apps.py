from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class UserFlowsConfig(AppConfig):
    name = "userflows"
    verbose_name = _("User flows")
