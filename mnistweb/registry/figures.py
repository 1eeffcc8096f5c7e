"""Figures of model cards, for the pages of the models and the tables of the documentation."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from mnistweb.formatting import percent
from mnistweb.recognition.model_card import Card, ModelCard


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of model cards: its names, its path in a card, and its formats.

    `column` and `format` are for the Markdown tables; `name`, `meaning` and `page_format` for the pages.
    There `format` is the default. A figure without a `name` is not on the pages. `best` is max or min.
    """

    column: str
    path: tuple[str, ...]
    best: Callable[[Sequence[float]], float]
    format: Callable[[float], str]
    name: str = ""
    meaning: str = ""
    page_format: Callable[[float], str] | None = None

    def value(self, card: Card) -> float | None:
        """Return the value; None if the card has none."""
        if not isinstance(card, ModelCard):
            return None
        value: Any = {"parameters": card.parameters, "size": card.size, **card.figures}
        for key in self.path:
            value = value.get(key) if isinstance(value, Mapping) else None
        return cast(float | None, value)

    def markdown(self, card: Card) -> str | None:
        """Format the value for a Markdown table; None if the card has none."""
        value = self.value(card)
        return None if value is None else self.format(value)

    def text(self, card: Card) -> str | None:
        """Format the value for a page; None if the card has none."""
        value = self.value(card)
        return None if value is None else (self.page_format or self.format)(value)

    def spread(self, card: Card) -> str | None:
        """Format mean and standard deviation over several training runs; None if the card has none."""
        seeds = card.figures.get("over_seeds", {}) if isinstance(card, ModelCard) else {}
        spread = seeds.get("_".join(self.path))
        if spread is None:
            return None
        mean, deviation = 100 * spread["mean"], 100 * spread["deviation"]
        return f"{len(seeds['seeds'])} seeds: {mean:.2f} ± {deviation:.2f} %"

    def best_of(self, cards: Sequence[Card]) -> str | None:
        """Format the best value among several models for a page; None without a comparison."""
        values = [value for card in cards if (value := self.value(card)) is not None]
        return (self.page_format or self.format)(self.best(values)) if len(values) > 1 else None


def _share(value: float) -> str:
    return percent(value, 2)


FIGURES = (
    Figure(
        "MNIST test",
        ("mnist_test", "accuracy"),
        max,
        "{:.2%}".format,
        "MNIST test set",
        "Read right, of the images by which all digit models are compared.",
        _share,
    ),
    Figure(
        "drawings",
        ("drawings_test", "accuracy"),
        max,
        "{:.2%}".format,
        "Drawings",
        "Read right, of drawings by people it never saw anything from.",
        _share,
    ),
    Figure(
        "another donor",
        ("unipen_test", "answered_right"),
        max,
        "{:.2%}".format,
    ),
    Figure(
        "digits refused",
        ("drawings_test", "refused"),
        min,
        "{:.2%}".format,
        "Digits refused",
        "Of those drawings, wrongly called “not a digit”.",
        _share,
    ),
    Figure(
        "calibration error",
        ("drawings_test", "expected_calibration_error"),
        min,
        "{:.2%}".format,
        "Calibration error",
        "The gap between its confidence and how often it is right, on those drawings.",
        _share,
    ),
    Figure(
        "symbols refused",
        ("held_out_symbols", "refused"),
        max,
        "{:.1%}".format,
        "Symbols refused",
        "Letters of alphabets it never saw, rightly called “not a digit”.",
        _share,
    ),
    Figure("symbols sure", ("held_out_symbols", "sure"), min, "{:.1%}".format),
    Figure("AUROC", ("held_out_symbols", "auroc"), max, "{:.4f}".format),
    Figure("parameters", ("parameters",), min, "{:,}".format, "Parameters", "Learned weights."),
    Figure("file", ("size",), min, lambda size: f"{size / 1e6:.2f} MB", "Size", "The model’s file."),
    Figure(
        "one image",
        ("milliseconds",),
        min,
        "{:.2f} ms".format,
        "Time",
        "For one image, on one thread of the processor used to measure it.",
    ),
)
PAGE_FIGURES = tuple(figure for figure in FIGURES if figure.name)


def setting_rows(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Flatten nested settings to rows of name and text, in their order."""
    for key, value in values.items():
        name = f"{prefix}{key.replace('_', ' ')}"
        if isinstance(value, Mapping):
            yield from setting_rows(value, f"{name}: ")
        elif isinstance(value, list | tuple):
            yield name, ", ".join(map(_setting_text, value))
        else:
            yield name, _setting_text(value)


def _setting_text(value: object) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "none"}[value]
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:g}" if isinstance(value, float) else str(value)
