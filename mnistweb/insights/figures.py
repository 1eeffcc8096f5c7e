"""The charts of the insights, each with an explanation and with its numbers as a table."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date

from mnistweb.charts import plots as charts
from mnistweb.charts.figure import Chart, proportion_cells
from mnistweb.charts.plots import Column
from mnistweb.formatting import percent
from mnistweb.insights.queries import DIGITS, Insights
from mnistweb.predictions.aggregates import NOT_A_DIGIT
from mnistweb.proportion import Proportion

NAMES = {digit: "none" if digit == NOT_A_DIGIT else str(digit) for digit in DIGITS}
PROPORTION_HEAD = ("Rated", "Right", "Share", "95 % interval")
FEEDBACK_NAMES = {"right": "rated right", "wrong": "rated wrong", "open": "not rated"}


def insight_charts(insights: Insights, titles: Mapping[str, str]) -> Iterator[Chart]:
    """Yield the charts, without feedback only refusals; `titles` are the models' titles by name."""
    if insights.total.labelled:
        yield _over_time(insights)
        yield _by_digit(insights)
        yield _by_model(insights, titles)
    if insights.total.predictions:
        yield _refusals(insights)
    if insights.total.labelled:
        yield _confusion(insights)
        yield _reliability(insights)


def period_name(start: date, unit: str) -> str:
    """Format the start of a day, week, month or year, as precisely as its unit."""
    pattern = {"month": "%b %Y", "year": "%Y"}.get(unit)
    return f"{start:{pattern}}" if pattern else f"{start.day} {start:%b %Y}"


def _over_time(insights: Insights) -> Chart:
    shares = [period.accuracy for period in insights.periods]
    columns = charts.evenly_spaced(_ticks(insights), shares)
    title = "Accuracy over time"
    return Chart(
        "time",
        title,
        f"Each dot is one {insights.unit}’s accuracy. The bar is its 95 % interval: fewer ratings, longer "
        f"bar.{_axis_note(shares)}",
        charts.proportion_chart(columns, f"{title}: {_in_words(insights.total.accuracy)}", joined=True),
        (_unit_heading(insights), *PROPORTION_HEAD),
        [
            (period_name(period.start, insights.unit), *proportion_cells(period.accuracy))
            for period in insights.periods
        ],
    )


def _by_digit(insights: Insights) -> Chart:
    recalls = insights.recall_by_digit()
    columns = charts.evenly_spaced([NAMES[digit] for digit in recalls], recalls.values(), max_ticks=11)
    title = "Accuracy by digit"
    return Chart(
        "digit",
        title,
        "How many of the drawings of each digit were read right. For “none”, drawings of something else, the "
        "right answer is “not a digit”."
        f"{_axis_note(recalls.values())}",
        charts.proportion_chart(columns, f"{title}: {_in_words(insights.total.accuracy)} in all"),
        ("It was", *PROPORTION_HEAD),
        [(NAMES[digit], *proportion_cells(recall)) for digit, recall in recalls.items()],
    )


def _by_model(insights: Insights, titles: Mapping[str, str]) -> Chart:
    models = insights.models()
    title = "Accuracy by model"
    return Chart(
        "network",
        title,
        "Not a race: each model got different drawings. Where two bars overlap, the difference may be "
        "chance.",
        charts.proportion_rows(
            {titles.get(name, name): accuracy for name, (_, accuracy) in models.items()}, title
        ),
        ("Model", "Drawings", *PROPORTION_HEAD),
        [
            (titles.get(name, name), f"{count:,}", *proportion_cells(accuracy))
            for name, (count, accuracy) in models.items()
        ],
    )


def _confusion(insights: Insights) -> Chart:
    matrix = insights.confusion_matrix
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
        charts.confusion_matrix(matrix, NAMES, f"{title}.{worst}"),
        ("It was", *(f"read as {name}" for name in NAMES.values())),
        [(NAMES[label], *(f"{count:,}" for count in row.values())) for label, row in matrix.items()],
    )


def _reliability(insights: Insights) -> Chart:
    columns = [
        Column(
            x=group.confidence,
            name=f"About {percent(group.confidence)} sure",
            tick="",
            proportion=group.accuracy,
            count_x=(group.number + 0.5) / 10,
        )
        for group in insights.confidence_bins
    ]
    title = "Is its confidence honest?"
    return Chart(
        "reliability",
        title,
        "Of the answers a model is 80 % sure of, 80 in 100 should be right: then the dot is on the dashed "
        "line. Below it, the model is too sure of itself; above it, too modest.",
        charts.proportion_chart(columns, f"{title} Confidence against accuracy", diagonal=True),
        ("Confidence", "Mean", *PROPORTION_HEAD),
        [
            (
                f"{10 * group.number} to {10 * group.number + 10} %",
                percent(group.confidence),
                *proportion_cells(group.accuracy),
            )
            for group in insights.confidence_bins
        ],
    )


def _refusals(insights: Insights) -> Chart:
    total = insights.total
    feedback = f" Of the rated ones, {_in_words(total.refusal_accuracy)}." if total.refused_labelled else ""
    title = "How often “not a digit”"
    return Chart(
        "refusals",
        title,
        f"{total.refused:,} of {total.predictions:,} drawings were called “not a digit”: "
        f"{percent(total.refusal_rate.value)}.{feedback} Each bar is a {insights.unit}.",
        charts.refusal_chart(
            insights.periods, _ticks(insights), f"{title}: {percent(total.refusal_rate.value)}"
        ),
        (_unit_heading(insights), "Drawings", "“Not a digit”", "Share", "Rated", "Right"),
        [
            (
                period_name(period.start, insights.unit),
                *proportion_cells(period.refusal_rate)[:3],
                *proportion_cells(period.refusal_accuracy)[:2],
            )
            for period in insights.periods
        ],
        [(charts.swatch(kind), words) for kind, words in FEEDBACK_NAMES.items()],
    )


def _axis_note(proportions: Iterable[Proportion]) -> str:
    low = charts.axis_start(proportions)
    return f" The scale begins at {percent(low, 0)}." if low else ""


def _in_words(proportion: Proportion) -> str:
    return f"{proportion.part:,} of {proportion.total:,} right, {percent(proportion.value)}"


def _unit_heading(insights: Insights) -> str:
    return {"day": "Day (UTC)", "week": "Week from"}.get(insights.unit, insights.unit.capitalize())


def _ticks(insights: Insights) -> list[str]:
    pattern = {"month": "%b %Y", "year": "%Y"}.get(insights.unit)
    starts = [period.start for period in insights.periods]
    return [f"{start:{pattern}}" if pattern else f"{start.day} {start:%b}" for start in starts]
