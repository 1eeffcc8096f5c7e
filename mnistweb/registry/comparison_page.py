"""The page of a comparison of two versions: on the site, and as a file of its own."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from flask import render_template

from mnistweb.charts.differences import Interval, difference_rows, points
from mnistweb.charts.figure import UNKNOWN, Chart, share_cells
from mnistweb.config import site_files
from mnistweb.formatting import percent
from mnistweb.recognition.comparison import Comparison, Disagreement, Outcome, SetResult

SHEETS = ("base", "layout", "content", "charts", "pages/registry")
TITLES = {
    Outcome.REPAIRED: "Right only now",
    Outcome.SPOILT: "Right only before",
    Outcome.OTHERWISE: "Wrong before and now",
}


@dataclass(frozen=True, slots=True)
class Shown:
    """Drawings of a set that both versions read differently, with the same outcome."""

    title: str
    drawings: Sequence[Disagreement]


@dataclass(frozen=True, slots=True)
class Table:
    """A table whose rows begin with their heading."""

    id: str
    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]


def difference_chart(compared: Comparison, margin: float) -> Chart:
    """Draw how much more often the new version is right, for each set."""
    rows = {_heading(each): _interval(each) for each in compared.sets}
    return Chart(
        "differences",
        "How much better it is",
        "The share of right answers now less that before, in percentage points, with 95 % intervals. Right "
        f"of the line is better. The dashed line is the margin of {percent(margin)}.",
        difference_rows(rows, margin, "Difference in right answers by set"),
        ("Set", "Difference in points", "95 % interval"),
        [
            (name, points(each.value), f"{points(each.low)} to {points(each.high)}")
            for name, each in rows.items()
        ],
    )


def tables(compared: Comparison) -> Iterator[Table]:
    """Yield the figures of all sets, and those by digit."""
    yield Table(
        "accuracy",
        "Right answers",
        ("Set", "Drawings", "Before", "95 %", "Now", "95 %", "Right only before", "Right only now", "p"),
        [_accuracy_row(each) for each in compared.sets],
    )
    yield Table(
        "answers",
        "Other answers, before and now",
        ("Set", "Refused", "In doubt", "Wrong", "Wrong, but sure", "Calibration error"),
        [_answers_row(each) for each in compared.sets],
    )
    names = sorted({name for each in compared.sets for name in each.parts})
    yield Table(
        "digits",
        "Right by digit, before and now",
        ("Digit", *map(_heading, compared.sets)),
        [(name, *(_part_cell(each, name) for each in compared.sets)) for name in names],
    )


def shown(compared: Comparison, with_log: bool) -> Iterator[Shown]:
    """Yield the drawings that are read differently; those of the log only `with_log`."""
    for result in compared.sets:
        for outcome, title in TITLES.items():
            found = [
                each
                for each in compared.disagreements
                if (each.set, each.outcome) == (result.name, outcome) and (with_log or not each.drawing)
            ]
            if found:
                yield Shown(f"{title}, {result.title}", found)


def standalone_page(compared: Comparison, margin: float) -> str:
    """Return the page as a file of its own, with the pictures. Needs an application context."""
    folder = site_files() / "static" / "css"
    style = "\n".join((folder / f"{name}.css").read_text(encoding="utf-8") for name in SHEETS)
    return render_template("registry/comparison_file.html", style=style, **_values(compared, margin, True))


def site_page(compared: Comparison, margin: float) -> str:
    """Return the page of the site, without drawings of the log: whether they are public may change."""
    return render_template("registry/comparison.html", **_values(compared, margin, False))


def _values(compared: Comparison, margin: float, with_log: bool) -> dict[str, object]:
    return {
        "compared": compared,
        "verdict": compared.decision(margin),
        "chart": difference_chart(compared, margin),
        "tables": list(tables(compared)),
        "shown": list(shown(compared, with_log)),
        "percent": percent,
    }


def _heading(result: SetResult) -> str:
    return result.title[:1].upper() + result.title[1:]


def _interval(result: SetResult) -> Interval:
    difference = result.answers.difference
    return Interval(difference.value, difference.low, difference.high)


def _accuracy_row(result: SetResult) -> tuple[str, ...]:
    answers = result.answers
    counts = (f"{answers.only_old:,}", f"{answers.only_new:,}", f"{result.p:.2g}")
    return (
        _heading(result),
        f"{result.n:,}",
        *share_cells(answers.old_right),
        *share_cells(answers.new_right),
        *counts,
    )


def _answers_row(result: SetResult) -> tuple[str, ...]:
    old, new = result.answers.old, result.answers.new
    names = ("refused", "doubtful", "wrong", "sure_wrong")
    shares = ((getattr(each, name) / result.n for each in (old, new)) for name in names)
    errors = (
        UNKNOWN if error is None else percent(error)
        for error in (result.old_calibration_error, result.new_calibration_error)
    )
    return (
        _heading(result),
        *(" → ".join(percent(share) for share in pair) for pair in shares),
        " → ".join(errors),
    )


def _part_cell(result: SetResult, name: str) -> str:
    part = result.parts.get(name)
    if part is None:
        return UNKNOWN
    return f"{percent(part.old_right.value)} → {percent(part.new_right.value)}"
