"""What a provider told of a person, once its answer was checked."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Told:
    """`issuer` and `subject` become an Identity. `mail` is "" where there is none that could be one.

    `answers` are by the names of the tenant's attributes, through the claims mapping. `sign_out` is what signing the
    person out there takes. `claims` are as they came, for “Test connection” only: no journey keeps them.
    """

    issuer: str
    subject: str
    mail: str = ""
    is_mail_verified: bool = False
    answers: dict[str, str | int | bool] = field(default_factory=dict)
    sign_out: dict[str, str] = field(default_factory=dict)
    claims: dict[str, Any] = field(default_factory=dict)
