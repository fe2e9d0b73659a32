"""The geometry of charts. The templates draw them as SVG without any text in it, so that they may be stretched."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from math import log10

from django.utils.formats import number_format

# The drawing's own units; the page gives it its size.
HEIGHT = 100
DAY_WIDTH = 10
BAR_WIDTH = 100


@dataclass(frozen=True)
class Day:
    """What stands over one day: a strip to point at, and its values."""

    x: float
    width: int
    day: date
    started: int
    finished: int


@dataclass(frozen=True)
class LineChart:
    """Two lines over the days. `scale` is what stands beside it, from the top down; `labels` what stands below it."""

    width: int
    height: int
    started: str
    finished: str
    area: str
    days: list[Day]
    scale: list[int]
    labels: list[date]

    @property
    def middle(self) -> int:
        return self.height // 2


@dataclass(frozen=True)
class Bar:
    """One step of a funnel: how many came to it, their share of those who began, and who was lost on the way to it."""

    label: str
    count: int
    width: float
    share: int
    lost: int
    lost_share: int

    @property
    def people(self) -> str:
        return number_format(self.count, force_grouping=True)


def line_chart(days: Sequence[tuple[date, int, int]]) -> LineChart:
    """Draw how many began and finished on each day: at least two days, oldest first."""
    top = _round_up(max(max(started, finished) for _day, started, finished in days))
    width = DAY_WIDTH * (len(days) - 1)
    started = _points([started for _day, started, _finished in days], top)
    finished = _points([finished for _day, _started, finished in days], top)
    strips = [Day(DAY_WIDTH * (index - 0.5), DAY_WIDTH, *values) for index, values in enumerate(days)]
    labels = [days[round(part * (len(days) - 1) / 4)][0] for part in range(5)]
    area = f"0,{HEIGHT} {started} {width},{HEIGHT}"
    return LineChart(width, HEIGHT, started, finished, area, strips, [top, top // 2, 0], labels)


def funnel_chart(steps: Sequence[tuple[str, int]]) -> list[Bar]:
    """Draw how many came to each step, the first being all."""
    bars = []
    everybody = steps[0][1]
    before = everybody
    for label, count in steps:
        lost = max(before - count, 0)
        share = percentage(count, everybody)
        bars.append(Bar(label, count, BAR_WIDTH * count / (everybody or 1), share, lost, percentage(lost, before)))
        before = count
    return bars


def percentage(part: int, whole: int) -> int:
    return round(100 * part / whole) if whole else 0


def _points(values: Sequence[int], top: int) -> str:
    return " ".join(f"{DAY_WIDTH * index},{HEIGHT - HEIGHT * value / top:.1f}" for index, value in enumerate(values))


def _round_up(value: int) -> int:
    """Return the next of 2, 4, 6, 8, 10, 20, 40, …: a scale whose middle is a whole number."""
    magnitude = int(10 ** int(log10(max(value, 1))))
    return next(factor * magnitude for factor in (2, 4, 6, 8, 10) if factor * magnitude >= value)
