"""The drawings that challenges asked for: how often each digit was read, apart from the feedback."""

from collections import Counter
from collections.abc import Mapping

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from mnistweb.charts import plots
from mnistweb.charts.figure import Chart, share_cells
from mnistweb.database.models import PromptTally, Span
from mnistweb.insights.links import HistoryLinks
from mnistweb.insights.queries import Insights
from mnistweb.insights.wording import NAMES, axis_note, in_words, most_frequent_mistakes
from mnistweb.predictions.filters import Filter
from mnistweb.proportion import Proportion

Readings = Mapping[int, Counter[int]]
"""Counts by the digit that was asked for, then by the answer, encoded as in the aggregates."""
TITLE = "When asked for a digit"


def load_prompted(session: Session, insights: Insights) -> Readings:
    """Query the answers to prompted drawings in the time range of the insights."""
    keys = PromptTally.label, PromptTally.digit
    span = Span.DAY if insights.unit in ("day", "week") else Span.MONTH
    since = [] if insights.first is None else [PromptTally.start >= insights.first]
    rows = session.execute(
        select(*keys, func.sum(PromptTally.count)).where(PromptTally.span == span, *since).group_by(*keys)
    )
    readings: dict[int, Counter[int]] = {prompt: Counter() for prompt in range(10)}
    for prompt, digit, count in rows:
        # Never below zero: an older version of the site that deletes a drawing leaves it counted.
        readings[prompt][digit] += max(int(count), 0)
    return readings


def prompted_chart(readings: Readings, links: HistoryLinks) -> Chart | None:
    """Make the chart of the digits that challenges asked for; None if they asked for none."""
    recalls = {prompt: Proportion(read[prompt], read.total()) for prompt, read in readings.items()}
    total = Proportion(*(sum(counts) for counts in zip(*map(_counts, recalls.values()), strict=True)))
    if not total.total:
        return None
    wanted = {prompt: Filter(prompt=str(prompt)) for prompt in recalls}
    columns = plots.evenly_spaced(
        [NAMES[prompt] for prompt in recalls],
        recalls.values(),
        map(links.address, wanted.values()),
        max_ticks=10,
    )
    matrix = {prompt: {digit: read[digit] for digit in NAMES} for prompt, read in readings.items()}
    return Chart(
        "prompt",
        TITLE,
        f"How many of the drawings were read as the digit that was asked for: {in_words(total)} in all."
        f"{most_frequent_mistakes(matrix)}{axis_note(recalls.values())}",
        plots.proportion_chart(columns, f"{TITLE}: {in_words(total)} in all"),
        ("Asked for", "Drawn", "Read so", "Share", "95 % interval"),
        [_row(prompt, recall, wanted[prompt], links) for prompt, recall in recalls.items()],
    )


def _row(prompt: int, recall: Proportion, criteria: Filter, links: HistoryLinks) -> tuple[str, ...]:
    read_so = Filter(prompt=criteria.prompt, digit=criteria.prompt)
    return (
        NAMES[prompt],
        links.cell(recall.total, f"drawings: asked for {prompt}", criteria),
        links.cell(recall.part, f"drawings: asked for {prompt} and read so", read_so),
        *share_cells(recall),
    )


def _counts(proportion: Proportion) -> tuple[int, int]:
    return proportion.part, proportion.total
