from django.apps import AppConfig


class DemoConfig(AppConfig):
    name = "identity_portal.demo"
    label = "demo"
