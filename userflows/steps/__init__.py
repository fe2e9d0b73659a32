"""The steps of a journey, in their order. A step is a module with:

`NAME`        its last path segment
`is_done`     whether the journey holds what the step is there to learn
`show`        the page, for GET
`page_with`   the page with a form, whatever the journey holds: previews use it too
`submit`      takes a POST for a locked journey: a page to show again, or None when the journey has learnt something
`attempts`    where a POST guesses something or mails something: what it counts against (userflows.rate_limit), before
              the journey is locked. A step without limits has none
`prepare`     what takes its time (hashing a password), also before the journey is locked: `submit` finds it in
              `request.prepared`. Few steps have it
"""

from types import ModuleType

from userflows.models import Journey
from userflows.steps import attributes, choose, email, email_code, federation, link, new_password, password

STEPS: tuple[ModuleType, ...] = (choose, federation, password, email, email_code, link, new_password, attributes)


def next_step(journey: Journey) -> ModuleType | None:
    """Return the first step that is not done, None when the journey can be completed."""
    return next((step for step in STEPS if not step.is_done(journey)), None)


def may_open(step: ModuleType, journey: Journey) -> bool:
    """Answer whether a person may go (back) to `step`: up to the current one, and not behind a proven identity."""
    current = next_step(journey)
    if current is None or step is current:
        return step is current
    facts = journey.facts
    if step is choose:
        return not facts.get("proofs")
    if step is email:
        # A provider's word is there, and the address that it told (or was typed) isn't proven yet.
        return current is email_code and bool(facts.get("proofs")) and not facts.get("joining")
    return step is link and bool(facts.get("joining")) and current in (federation, password, email_code)
