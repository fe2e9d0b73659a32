from django.apps import AppConfig

from directory.encryption import sealing_key_id


class DirectoryConfig(AppConfig):
    name = "directory"
    verbose_name = "Directory"

    def ready(self) -> None:
        """Unreadable keys stop the start, of a server too: Django's checks run for commands only."""
        sealing_key_id()
