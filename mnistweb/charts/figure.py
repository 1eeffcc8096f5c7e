"""A chart on a page, with its explanation and its numbers."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from mnistweb.formatting import percent
from mnistweb.proportion import Proportion

UNKNOWN = "–"


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart on the page: title, explanation, SVG and table, whose rows begin with their heading.

    `kind` is unique on its page. `legend` has a sample and its meaning for each kind of mark.
    """

    kind: str
    title: str
    sentence: str
    picture: Markup
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    legend: Sequence[tuple[Markup, str]] = ()


def share_cells(proportion: Proportion) -> tuple[str, str]:
    """Format a proportion as cells: share, 95 % interval."""
    if not proportion.total:
        return UNKNOWN, UNKNOWN
    low, high = proportion.interval
    return percent(proportion.value), f"{percent(low)} to {percent(high)}"
