"""What a health check finds: one form for the admin, `manage.py doctor` and Django's own checks."""

import enum
from dataclasses import dataclass


class Severity(enum.StrEnum):
    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True)
class Finding:
    """Something that is wrong. `fix` says what to do; `page` is the admin page where: a URL name and its arguments.

    `id` is stable: module, E or W, number. A list with an ERROR in it is red. `subject` is what a role must be allowed
    to view to see it (directory.roles; "": every administrator), `about` the name of the thing, where many are told of.
    """

    id: str
    severity: Severity
    message: str
    fix: str
    page: tuple[str, ...] = ()
    subject: str = ""
    about: str = ""

    def as_dict(self) -> dict[str, str]:
        return {"id": self.id, "severity": str(self.severity), "message": self.text, "fix": self.fix}

    @property
    def text(self) -> str:
        """The message, with the name of what it is about in front."""
        return f"{self.about}: {self.message}" if self.about else self.message


def is_healthy(findings: list[Finding]) -> bool:
    return all(finding.severity is not Severity.ERROR for finding in findings)
