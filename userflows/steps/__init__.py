"""The steps of a journey, in their order. A step is a module with:

`NAME`        its last path segment
`is_done`     whether the journey holds what the step is there to learn
`show`        the page, for GET
`page_with`   the page with a form, whatever the journey holds: previews use it too
`submit`      takes a POST for a locked journey: a page to show again, or None when the journey has learnt something
"""

from types import ModuleType

from userflows.models import Journey
from userflows.steps import attributes, choose, email_code

STEPS: tuple[ModuleType, ...] = (choose, email_code, attributes)


def next_step(journey: Journey) -> ModuleType | None:
    """Return the first step that is not done, None when the journey can be completed."""
    return next((step for step in STEPS if not step.is_done(journey)), None)


def may_open(step: ModuleType, journey: Journey) -> bool:
    """Answer whether a person may go (back) to `step`: up to the current one, and not behind a proven identity."""
    current = next_step(journey)
    if current is None or step is current:
        return step is current
    return step is choose and current is email_code
