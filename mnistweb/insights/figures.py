"""The charts of the insights: each with a sentence on how to read it, and with its numbers as a table."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from markupsafe import Markup

from mnistweb.formatting import percent
from mnistweb.insights import charts
from mnistweb.insights.charts import Column
from mnistweb.insights.queries import DIGITS, Insights
from mnistweb.predictions.aggregates import NONE
from mnistweb.proportion import Proportion

NAMES = {digit: "none" if digit == NONE else str(digit) for digit in DIGITS}
SHARE_HEAD = ("Rated", "Right", "Share", "95 % interval")
UNKNOWN = "–"
JUDGED_AS = {"right": "rated right", "wrong": "rated wrong", "open": "not rated"}


@dataclass(frozen=True, slots=True)
class Chart:
    """One figure of the page. Of each row of the table the first cell is its name."""

    kind: str
    title: str
    sentence: str
    picture: Markup
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    legend: Mapping[str, str] = field(default_factory=dict)


def insight_charts(insights: Insights, titles: Mapping[str, str]) -> Iterator[Chart]:
    """All that can be drawn, networks called by their `titles`; without feedback only the refusals."""
    if insights.whole.labelled:
        yield _over_time(insights)
        yield _by_digit(insights)
        yield _by_network(insights, titles)
    if insights.whole.predictions:
        yield _refusals(insights)
    if insights.whole.labelled:
        yield _confusion(insights)
        yield _reliability(insights)


def when(start: date, unit: str) -> str:
    """The beginning of a day, week, month or year, as exactly as is known."""
    pattern = {"month": "%b %Y", "year": "%Y"}.get(unit)
    return f"{start:{pattern}}" if pattern else f"{start.day} {start:%b %Y}"


def share_cells(share: Proportion) -> tuple[str, ...]:
    """A share as SHARE_HEAD names it."""
    counts = f"{share.total:,}", f"{share.part:,}"
    if not share.total:
        return *counts, UNKNOWN, UNKNOWN
    low, high = share.interval
    return *counts, percent(share.value), f"{percent(low)} to {percent(high)}"


def _over_time(insights: Insights) -> Chart:
    shares = [stretch.right for stretch in insights.stretches]
    columns = charts.spread(_ticks(insights), shares)
    title = "Accuracy over time"
    return Chart(
        "time",
        title,
        f"Each dot is one {insights.unit}’s accuracy. The bar is its 95 % interval: fewer ratings, longer bar."
        f"{_begins(shares)}",
        charts.shares(columns, f"{title}: {_in_words(insights.whole.right)}", joined=True),
        (_unit(insights), *SHARE_HEAD),
        [(when(stretch.start, insights.unit), *share_cells(stretch.right)) for stretch in insights.stretches],
    )


def _by_digit(insights: Insights) -> Chart:
    digits = insights.digits()
    columns = charts.spread([NAMES[digit] for digit in digits], digits.values(), most=11)
    title = "Accuracy by digit"
    return Chart(
        "digit",
        title,
        "How many of the drawings of each digit were read right. For “none”, drawings of something else, the "
        "right answer is “not a digit”."
        f"{_begins(digits.values())}",
        charts.shares(columns, f"{title}: {_in_words(insights.whole.right)} in all"),
        ("It was", *SHARE_HEAD),
        [(NAMES[digit], *share_cells(share)) for digit, share in digits.items()],
    )


def _by_network(insights: Insights, titles: Mapping[str, str]) -> Chart:
    networks = insights.networks()
    title = "Accuracy by model"
    return Chart(
        "network",
        title,
        "Not a race: each model got different drawings. Where two bars overlap, the difference may be chance.",
        charts.rows({titles.get(name, name): share for name, (_, share) in networks.items()}, title),
        ("Model", "Drawings", *SHARE_HEAD),
        [
            (titles.get(name, name), f"{count:,}", *share_cells(share))
            for name, (count, share) in networks.items()
        ],
    )


def _confusion(insights: Insights) -> Chart:
    matrix = insights.matrix
    mistakes = {
        (label, digit): count
        for label, row in matrix.items()
        for digit, count in row.items()
        if digit != label
    }
    (label, digit), most = max(mistakes.items(), key=lambda each: each[1])
    worst = f" Most frequent mistake: {NAMES[label]} → {NAMES[digit]}, {most:,}×." if most else ""
    title = "What was read as what"
    return Chart(
        "confusion",
        title,
        "Rows: what was drawn. Columns: what was read. In the framed squares both agree; every other number "
        f"counts mistakes.{worst}",
        charts.matrix(matrix, NAMES, f"{title}.{worst}"),
        ("It was", *(f"read as {name}" for name in NAMES.values())),
        [(NAMES[label], *(f"{count:,}" for count in row.values())) for label, row in matrix.items()],
    )


def _reliability(insights: Insights) -> Chart:
    columns = [
        Column(
            each.confidence,
            f"About {percent(each.confidence)} sure",
            "",
            each.right,
            (each.tenth + 0.5) / 10,
        )
        for each in insights.tenths
    ]
    title = "Is its confidence honest?"
    return Chart(
        "reliability",
        title,
        "Of the answers a model is 80 % sure of, 80 in 100 should be right: then the dot is on the dashed line. "
        "Below it, the model is too sure of itself; above it, too modest.",
        charts.shares(columns, f"{title} Confidence against accuracy", diagonal=True),
        ("Confidence", "Mean", *SHARE_HEAD),
        [
            (
                f"{10 * each.tenth} to {10 * each.tenth + 10} %",
                percent(each.confidence),
                *share_cells(each.right),
            )
            for each in insights.tenths
        ],
    )


def _refusals(insights: Insights) -> Chart:
    whole = insights.whole
    judged = (
        f" Of the rated ones, {_in_words(whole.right_refusals)}." if whole.refused_labelled else ""
    )
    title = "How often “not a digit”"
    return Chart(
        "refusals",
        title,
        f"{whole.refused:,} of {whole.predictions:,} drawings were called “not a digit”: "
        f"{percent(whole.refusals.value)}.{judged} Each bar is a {insights.unit}.",
        charts.refusals(insights.stretches, _ticks(insights), f"{title}: {percent(whole.refusals.value)}"),
        (_unit(insights), "Drawings", "“Not a digit”", "Share", "Rated", "Right"),
        [
            (
                when(each.start, insights.unit),
                *share_cells(each.refusals)[:3],
                *share_cells(each.right_refusals)[:2],
            )
            for each in insights.stretches
        ],
        JUDGED_AS,
    )


def _begins(shares: Iterable[Proportion]) -> str:
    low = charts.lowest(shares)
    return f" The scale begins at {percent(low, 0)}." if low else ""


def _in_words(share: Proportion) -> str:
    return f"{share.part:,} of {share.total:,} right, {percent(share.value)}"


def _unit(insights: Insights) -> str:
    return {"day": "Day (UTC)", "week": "Week from"}.get(insights.unit, insights.unit.capitalize())


def _ticks(insights: Insights) -> list[str]:
    pattern = {"month": "%b %Y", "year": "%Y"}.get(insights.unit)
    starts = [stretch.start for stretch in insights.stretches]
    return [f"{start:{pattern}}" if pattern else f"{start.day} {start:%b}" for start in starts]
