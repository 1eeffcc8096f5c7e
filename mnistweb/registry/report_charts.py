"""Charts of a model's page, from its card and its report."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mnistweb.charts.curves import curve_chart, curve_sample, error_axis, linear_axis, share_chart
from mnistweb.charts.figure import Chart, share_cells
from mnistweb.charts.plots import Column, confusion_matrix, proportion_chart
from mnistweb.formatting import percent
from mnistweb.proportion import Proportion
from mnistweb.recognition.model_card import ModelCard
from mnistweb.recognition.report import CONFIDENCE_BINS, Bin, Report

TEST_SETS = {"mnist_test": "MNIST test set", "drawings_test": "Drawings by unseen writers"}
SHORT_NAMES = {"mnist_test": "MNIST", "drawings_test": "drawings"}
BOUNDARY_SHARES = {
    "right": "Digits right",
    "doubtful": "Digits in doubt",
    "refused": "Digits refused",
    "wrong": "Digits wrong",
    "non_digits_sure": "Others read as a sure digit",
    "non_digits_refused": "Others refused",
}
"""The columns of the table of the boundary for "not a digit", by their names in a card."""
VALIDATION_SETS = {"mnist": "MNIST’s images", "drawings": "drawings"}


def report_charts(card: ModelCard, report: Report) -> Iterator[Chart]:
    """Yield all charts of a model's page."""
    yield from learning_charts(card.figures.get("history", ()))
    yield from boundary_charts(card)
    yield from confusion_charts(report)
    yield from (chart for key in report.reliability if (chart := reliability_chart(report, key)))


def boundary_charts(card: ModelCard) -> Iterator[Chart]:
    """Yield the cost and the errors by the boundary for "not a digit"; none if the card has no such curve."""
    found = card.figures.get("boundaries", {})
    curve: Sequence[Mapping[str, float]] = found.get("curve", ())
    if not curve:
        return
    here = card.boundaries.not_a_digit
    place = f"The dashed line is where this site draws the line, at {percent(here)}."
    named = {key: name for key, name in BOUNDARY_SHARES.items() if key in curve[0]}
    if "cost" in curve[0]:
        costs = [row["cost"] for row in curve]
        prices = ", ".join(f"{name.replace('_', ' ')} {cost:g}" for name, cost in found["costs"].items())
        yield Chart(
            "boundary-cost",
            "What the boundary costs",
            f"The mean cost of an answer, by the probability of “not a digit” from which it refuses. {place}"
            f" Costs: {prices}.",
            share_chart(
                {"Cost": [(row["not_a_digit"], row["cost"]) for row in curve]},
                linear_axis(costs),
                here,
                f"Cost by boundary: at least {min(costs):.3g}",
            ),
            ("Refuses from", "Cost", *named.values()),
            [
                (
                    percent(row["not_a_digit"]),
                    f"{row['cost']:.4f}",
                    *(percent(row[key], 2) for key in named),
                )
                for row in curve
            ],
        )
    errors = {BOUNDARY_SHARES[key]: key for key in ("refused", "non_digits_sure") if key in named}
    if len(errors) < 2:
        return
    points = {name: [(row["not_a_digit"], row[key]) for row in curve] for name, key in errors.items()}
    yield Chart(
        "boundary-errors",
        "What the boundary trades",
        "A higher boundary refuses fewer digits, and takes more other things for a digit that it is sure of. "
        f"{place}",
        share_chart(
            points,
            error_axis([row[key] for row in curve for key in errors.values()]),
            here,
            "Errors by boundary",
        ),
        ("Refuses from", *errors),
        [(percent(row["not_a_digit"]), *(percent(row[key], 2) for key in errors.values())) for row in curve],
        list(zip([curve_sample(kind, marked=False) for kind in ("solid", "dashed")], errors, strict=True)),
    )


def confusion_charts(report: Report) -> Iterator[Chart]:
    """Yield the confusion matrix of each test set."""
    for key, counts in report.confusions.items():
        names = {digit: str(digit) for digit in range(len(counts))}
        title = f"{TEST_SETS[key]}: what was read as what"
        wrong = sum(
            count for digit, row in enumerate(counts) for read, count in enumerate(row) if read != digit
        )
        total = sum(map(sum, counts))
        yield Chart(
            f"confusion-{key}",
            title,
            "Rows: what was drawn. Columns: what was read. In the framed squares both agree; the other "
            f"numbers count its mistakes, {wrong:,} of {total:,}.",
            confusion_matrix(
                {digit: dict(enumerate(row)) for digit, row in enumerate(counts)},
                names,
                lambda *_: "",
                f"{title}: {wrong:,} mistakes",
            ),
            ("It was", *(f"read as {name}" for name in names.values())),
            [(names[digit], *(f"{count:,}" for count in row)) for digit, row in enumerate(counts)],
        )


def reliability_chart(report: Report, key: str) -> Chart | None:
    """Return the reliability diagram of a test set; None if the report has none."""
    bins = report.reliability.get(key)
    if not bins:
        return None
    title = f"Is its confidence honest on {SHORT_NAMES[key]}?"
    return Chart(
        f"reliability-{key}",
        title,
        "Of the answers it is 80 % sure of, 80 in 100 should be right: then the dot is on the dashed line. "
        "The bars are 95 % intervals, long where there are few answers; below are their numbers. "
        f"{_surest(bins)}",
        proportion_chart(
            [_column(each) for each in bins],
            f"{title} Confidence against accuracy",
            diagonal=True,
            bins=CONFIDENCE_BINS,
            counted="images",
        ),
        ("Mean confidence", "Images", "Right", "Share", "95 % interval"),
        [
            (
                percent(each.confidence),
                f"{each.count:,}",
                f"{each.right:,}",
                *share_cells(Proportion(each.right, each.count)),
            )
            for each in bins
        ],
    )


def _surest(bins: Sequence[Bin]) -> str:
    total, surest = sum(each.count for each in bins), bins[-1]
    return f"{percent(surest.count / total)} of all answers are in the rightmost one."


def _column(group: Bin) -> Column:
    name = f"About {percent(group.confidence)} sure"
    return Column(group.confidence, name, "", Proportion(group.right, group.count), group.centre)


def learning_charts(history: Sequence[Mapping[str, Any]]) -> Iterator[Chart]:
    """Yield the loss and the validation errors by epoch; none without a history."""
    if not history:
        return
    losses = [row["loss"] for row in history]
    yield Chart(
        "loss",
        "Training loss",
        "How far its answers to the training images were from the right ones (cross-entropy), after each "
        "pass over them.",
        curve_chart({"Training loss": losses}, linear_axis(losses), "pass", "Training loss by pass"),
        ("Pass", "Loss"),
        [(f"{row['epoch']}", f"{row['loss']:.4f}") for row in history],
    )
    errors = {
        name: [max(1 - row[key], 0.0) for row in history]
        for key, name in VALIDATION_SETS.items()
        if key in history[0]
    }
    if not errors:
        return
    samples = [curve_sample(kind) for kind in ("solid", "dashed")]
    yield Chart(
        "errors",
        "Validation errors",
        "How many of the images kept aside it read wrong. Each step of the scale is a factor of ten; the "
        "lowest line is no mistake at all.",
        curve_chart(
            errors,
            error_axis([share for shares in errors.values() for share in shares]),
            "pass",
            "Validation errors by pass",
        ),
        ("Pass", *errors),
        [
            (f"{row['epoch']}", *(percent(shares[number], 2) for shares in errors.values()))
            for number, row in enumerate(history)
        ],
        list(zip(samples, errors, strict=False)),
    )
