"""Markdown tables of the figures in model cards, for the documentation."""

from collections.abc import Iterable, Sequence

from mnistweb.recognition.model_card import ModelCard
from mnistweb.recognition.report import Report
from mnistweb.registry.figures import FIGURES


def summary(cards: Sequence[ModelCard]) -> str:
    """Return the main figures: a row for each model."""
    rows = [[f"`{card.name}`", *(figure.markdown(card) or "" for figure in FIGURES)] for card in cards]
    return _table(["model", *(figure.column for figure in FIGURES)], rows)


def refusals(cards: Sequence[ModelCard]) -> str:
    """Return the refusal rates: a row for each kind of non-digit, a column for each model."""
    kinds = cards[0].figures["refused_by_kind"]
    rows = [
        [kind.replace("_", " "), *(f"{card.figures['refused_by_kind'][kind]:.1%}" for card in cards)]
        for kind in kinds
    ]
    return _table(["drawn", *(f"`{card.name}`" for card in cards)], rows)


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
