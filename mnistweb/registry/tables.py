"""Markdown tables of the figures in model cards, for the documentation."""

import re
from collections.abc import Iterable, Mapping, Sequence

from mnistweb.recognition.model_card import ModelCard
from mnistweb.recognition.report import Report
from mnistweb.registry.figures import FIGURES

ANSWERS = {
    "right": "answered_right",
    "wrong": "answered_wrong",
    "refused": "refused",
    "in doubt": "doubtful",
    "best of ten": "accuracy",
}
"""Columns of answers, and their names in a card."""


def all_tables(cards: Sequence[ModelCard], reports: Mapping[str, Report]) -> dict[str, str]:
    """Return all tables by name. Raises KeyError for a card without a figure."""
    named = {
        "summary": summary(cards),
        "refusals": refusals(cards),
        "robustness": robustness(cards),
        "ways": digits(cards, "ways"),
        "pictures": digits(cards, "pictures"),
    }
    return named | {f"layers of {name}": layers(report) for name, report in reports.items()}


def fill(text: str, tables: Mapping[str, str]) -> str:
    """Renew the tables in a Markdown text, each between `<!-- name -->` and `<!-- end -->`."""

    def renew(place: re.Match[str]) -> str:
        table = tables.get(place["name"])
        return place[0] if table is None else f"<!-- {place['name']} -->\n{table}\n<!-- end -->"

    return re.sub(r"<!-- (?P<name>[\w ]+) -->\n.*?<!-- end -->", renew, text, flags=re.DOTALL)


def summary(cards: Sequence[ModelCard]) -> str:
    """Return the main figures: a row for each model."""
    rows = [[f"`{card.name}`", *(figure.markdown(card) or "" for figure in FIGURES)] for card in cards]
    return _table(["model", *(figure.column for figure in FIGURES)], rows)


def refusals(cards: Sequence[ModelCard]) -> str:
    """Return what becomes of non-digits: for each model, the shares refused and read as a sure digit."""
    rows = [
        [kind.replace("_", " "), *(cell for card in cards for cell in _other_cells(card, kind))]
        for kind in cards[0].figures["not_digits"]
    ]
    return _table(["drawn", *(head for card in cards for head in (f"`{card.name}`", "sure"))], rows)


def _other_cells(card: ModelCard, kind: str) -> tuple[str, str]:
    figures = card.figures["not_digits"][kind]
    return f"{figures['refused']:.1%}", f"{figures['sure']:.1%}"


def digits(cards: Sequence[ModelCard], part: str) -> str:
    """Return a model's answers to kinds of digits: `part` is "ways" or "pictures"."""
    rows = []
    for card in cards:
        for kind, figures in card.figures.get(part, {}).items():
            if "accuracy" in figures:
                shares = (figures[name] for name in ANSWERS.values())
                rows.append(
                    [f"`{card.name}`", kind, f"{figures['count']:,}", *(f"{share:.1%}" for share in shares)]
                )
    return _table(["model", "digits", "n", *ANSWERS], rows)


def robustness(cards: Sequence[ModelCard]) -> str:
    """Return the accuracy per distortion: for each model, also with a plain resize as preprocessing."""
    rows = []
    for results in zip(*(card.figures["robustness"] for card in cards), strict=True):
        shares = [share for result in results for share in (result["right"], result["plain_resize"])]
        rows.append([results[0]["condition"], *(f"{share:.1%}" for share in shares)])
    heads = [head for card in cards for head in (f"`{card.name}`", "resized")]
    return _table(["", *heads], rows)


def layers(report: Report) -> str:
    """Return the layers of a model: a row for each, with the shape of its output and its weights."""
    rows = [
        [layer.name, " × ".join(map(str, layer.shape)), f"{layer.parameters:,}"] for layer in report.layers
    ]
    return _table(["layer", "output", "weights"], rows)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    rule = ["---", *["--:"] * (len(head) - 1)]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (head, rule, *rows))
