"""The charts of the insights, each with an explanation and with its numbers as a table."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from mnistweb.charts import plots
from mnistweb.charts.figure import UNKNOWN, Chart
from mnistweb.charts.plots import Column
from mnistweb.formatting import percent
from mnistweb.insights.bins import ENOUGH, rated_bins
from mnistweb.insights.links import HistoryLinks
from mnistweb.insights.queries import Insights, Period, last_day
from mnistweb.insights.wording import (
    CERTAINTY_NAMES,
    FEEDBACK_NAMES,
    NAMES,
    PROPORTION_HEAD,
    axis_note,
    days_name,
    filter_text,
    in_words,
    most_frequent_mistakes,
    period_name,
    proportion_cells,
    tick_labels,
    unit_heading,
)
from mnistweb.predictions.filter_fields import NONE, Verdict
from mnistweb.predictions.filters import Filter
from mnistweb.recognition.boundaries import Certainty


def insight_charts(insights: Insights, titles: Mapping[str, str], links: HistoryLinks) -> Iterator[Chart]:
    """Yield the charts, without feedback only certainties and refusals; `titles` are the models' by name."""
    if insights.total.labelled:
        yield _over_time(insights, links)
        yield _by_digit(insights, links)
        yield _by_model(insights, titles, links)
    if insights.total.predictions:
        yield _by_certainty(insights, links)
        yield _refusals(insights, links)
    if insights.total.labelled:
        yield _confusion(insights, links)
        yield _reliability(insights, links)


def _over_time(insights: Insights, links: HistoryLinks) -> Chart:
    bins = rated_bins(insights)
    names = [days_name(each.start, each.last, insights.unit) for each in bins]
    wanted = [Filter(verdict=Verdict.LABELLED, first=each.start, last=each.last) for each in bins]
    shares = [each.accuracy for each in bins]
    columns = plots.evenly_spaced(
        names, shares, map(links.address, wanted), ticks=tick_labels(insights, (each.start for each in bins))
    )
    title = "Accuracy over time"
    return Chart(
        "time",
        title,
        f"Each dot is one {insights.unit}’s accuracy, or that of several {insights.unit}s together, so that "
        f"at least {ENOUGH} answers are rated. The bar is its 95 % interval: fewer ratings, longer "
        f"bar.{axis_note(shares)}",
        plots.proportion_chart(columns, f"{title}: {in_words(insights.total.accuracy)}", joined=True),
        ("Days (UTC)", *PROPORTION_HEAD),
        [
            (name, *proportion_cells(share, links, name, criteria))
            for name, share, criteria in zip(names, shares, wanted, strict=True)
        ],
    )


def _by_digit(insights: Insights, links: HistoryLinks) -> Chart:
    recalls = insights.recall_by_digit()
    wanted = [Filter(label=filter_text(digit)) for digit in recalls]
    columns = plots.evenly_spaced(
        [NAMES[digit] for digit in recalls], recalls.values(), map(links.address, wanted), max_ticks=11
    )
    title = "Accuracy by digit"
    return Chart(
        "digit",
        title,
        "How many of the drawings of each digit were read right. For “none”, drawings of something else, the "
        "right answer is “not a digit”."
        f"{axis_note(recalls.values())}",
        plots.proportion_chart(columns, f"{title}: {in_words(insights.total.accuracy)} in all"),
        ("It was", *PROPORTION_HEAD),
        [
            (NAMES[digit], *proportion_cells(recall, links, NAMES[digit], criteria))
            for (digit, recall), criteria in zip(recalls.items(), wanted, strict=True)
        ],
    )


def _by_model(insights: Insights, titles: Mapping[str, str], links: HistoryLinks) -> Chart:
    models = insights.models()
    wanted = {name: Filter(model=name, verdict=Verdict.LABELLED) for name in models}
    title = "Accuracy by model"
    return Chart(
        "network",
        title,
        "Not a race: each model got different drawings. Where two bars overlap, the difference may be "
        "chance.",
        plots.proportion_rows(
            {titles.get(name, name): accuracy for name, (_, accuracy) in models.items()},
            map(links.address, wanted.values()),
            title,
        ),
        ("Model", "Drawings", *PROPORTION_HEAD),
        [
            (
                titles.get(name, name),
                links.cell(count, f"drawings: {titles.get(name, name)}", Filter(model=name)),
                *proportion_cells(accuracy, links, titles.get(name, name), wanted[name]),
            )
            for name, (count, accuracy) in models.items()
        ],
    )


def _by_certainty(insights: Insights, links: HistoryLinks) -> Chart:
    total, groups = insights.total.predictions, insights.by_certainty()
    names = {certainty: CERTAINTY_NAMES[certainty] for certainty in groups}
    wanted = {certainty: Filter(certainty=certainty) for certainty in groups}
    rated = {certainty: replace(each, verdict=Verdict.LABELLED) for certainty, each in wanted.items()}
    shares = {certainty: percent(group.predictions / total) for certainty, group in groups.items()}
    title = "How sure it was, and how often right"
    return Chart(
        "certainty",
        title,
        f"{shares[Certainty.SURE]} of all answers were sure digits, {shares[Certainty.DOUBTFUL]} digits in "
        f"doubt, {shares[Certainty.NOT_A_DIGIT]} “not a digit”. The dots show how many of each were right.",
        plots.proportion_rows(
            {names[certainty]: group.accuracy for certainty, group in groups.items()},
            map(links.address, rated.values()),
            title,
        ),
        ("Answer", "Drawings", "Of all", *PROPORTION_HEAD),
        [
            (
                name,
                links.cell(groups[certainty].predictions, f"drawings: {name}", wanted[certainty]),
                shares[certainty],
                *proportion_cells(groups[certainty].accuracy, links, name, rated[certainty]),
            )
            for certainty, name in names.items()
        ],
    )


def _confusion(insights: Insights, links: HistoryLinks) -> Chart:
    matrix = insights.confusion_matrix
    worst = most_frequent_mistakes(matrix)
    title = "What was read as what"

    def wanted(label: int, digit: int) -> Filter:
        # The verdict follows from the two, but with it the database finds the mistakes sooner.
        verdict = None if label == digit else Verdict.WRONG
        return Filter(label=filter_text(label), digit=filter_text(digit), verdict=verdict)

    return Chart(
        "confusion",
        title,
        "Rows: what was drawn. Columns: what was read. In the framed squares both agree; every other number "
        f"counts mistakes.{worst}",
        plots.confusion_matrix(
            matrix, NAMES, lambda label, digit: links.address(wanted(label, digit)), f"{title}.{worst}"
        ),
        ("It was", *(f"read as {name}" for name in NAMES.values())),
        [
            (
                NAMES[label],
                *(
                    links.cell(
                        count, f"drawings: {NAMES[label]} read as {NAMES[digit]}", wanted(label, digit)
                    )
                    for digit, count in row.items()
                ),
            )
            for label, row in matrix.items()
        ],
    )


def _reliability(insights: Insights, links: HistoryLinks) -> Chart:
    wanted = [
        Filter(
            verdict=Verdict.LABELLED,
            confidence_min=group.number / 10 or None,
            confidence_below=None if group.number == 9 else (group.number + 1) / 10,
        )
        for group in insights.confidence_bins
    ]
    columns = [
        Column(
            x=group.confidence,
            name=f"About {percent(group.confidence)} sure",
            tick="",
            proportion=group.accuracy,
            count_x=(group.number + 0.5) / 10,
            address=links.address(criteria),
        )
        for group, criteria in zip(insights.confidence_bins, wanted, strict=True)
    ]
    title = "Is its confidence honest?"
    return Chart(
        "reliability",
        title,
        "Of the answers a model is 80 % sure of, 80 in 100 should be right: then the dot is on the dashed "
        "line. Below it, the model is too sure of itself; above it, too modest.",
        plots.proportion_chart(columns, f"{title} Confidence against accuracy", diagonal=True),
        ("Confidence", "Mean", *PROPORTION_HEAD),
        [
            (
                bounds := f"{10 * group.number} to {10 * group.number + 10} %",
                percent(group.confidence),
                *proportion_cells(group.accuracy, links, bounds, criteria),
            )
            for group, criteria in zip(insights.confidence_bins, wanted, strict=True)
        ],
    )


def _refusals(insights: Insights, links: HistoryLinks) -> Chart:
    total = insights.total
    feedback = f" Of the rated ones, {in_words(total.refusal_accuracy)}." if total.refused_labelled else ""
    title = "How often “not a digit”"
    addresses = (links.address(_refused(period, insights.unit)) for period in insights.periods)
    starts = (period.start for period in insights.periods)
    return Chart(
        "refusals",
        title,
        f"{total.refused:,} of {total.predictions:,} drawings were called “not a digit”: "
        f"{percent(total.refusal_rate.value)}.{feedback} Each bar is a {insights.unit}.",
        plots.refusal_chart(
            insights.periods,
            tick_labels(insights, starts),
            addresses,
            f"{title}: {percent(total.refusal_rate.value)}",
        ),
        (unit_heading(insights), "Drawings", "“Not a digit”", "Share", "Rated", "Right"),
        [_refusal_row(period, insights.unit, links) for period in insights.periods],
        [(plots.swatch(kind), words) for kind, words in FEEDBACK_NAMES.items()],
    )


def _refused(period: Period, unit: str) -> Filter:
    return Filter(digit=NONE, first=period.start, last=last_day(period.start, unit))


def _refusal_row(period: Period, unit: str, links: HistoryLinks) -> tuple[str, ...]:
    name, refused = period_name(period.start, unit), _refused(period, unit)
    rated = replace(refused, verdict=Verdict.LABELLED)
    right = replace(refused, verdict=Verdict.RIGHT)
    share = percent(period.refusal_rate.value) if period.predictions else UNKNOWN
    return (
        name,
        links.cell(period.predictions, f"drawings: {name}", replace(refused, digit=None)),
        links.cell(period.refused, f"“not a digit”: {name}", refused),
        share,
        links.cell(period.refused_labelled, f"“not a digit” and rated: {name}", rated),
        links.cell(period.refused_correct, f"“not a digit” and right: {name}", right),
    )
