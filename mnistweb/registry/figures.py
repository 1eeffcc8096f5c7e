"""The figures of model cards by which networks are compared: where they stand, and how they are written."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from mnistweb.formatting import percent
from mnistweb.recognition.model_card import Card, ModelCard


@dataclass(frozen=True, slots=True)
class Measure:
    """One figure: what it is called, what it says, how to find it in a card, how to write it.

    `best` picks the best of several, max or min.
    """

    name: str
    meaning: str
    path: tuple[str, ...]
    write: Callable[[float], str]
    best: Callable[[Sequence[float]], float]

    def value(self, card: Card) -> float | None:
        """The figure; None where it was not measured, or cannot be."""
        if not isinstance(card, ModelCard):
            return None
        found: Any = {"parameters": card.parameters, "size": card.size, **card.figures}
        for key in self.path:
            found = found.get(key) if isinstance(found, Mapping) else None
        return cast(float | None, found)

    def text(self, card: Card) -> str | None:
        """The figure as it is written."""
        value = self.value(card)
        return None if value is None else self.write(value)

    def spread(self, card: Card) -> str | None:
        """Mean and deviation over several trainings, where the card holds them."""
        seeds = card.figures.get("over_seeds", {}) if isinstance(card, ModelCard) else {}
        spread = seeds.get("_".join(self.path))
        if spread is None:
            return None
        mean, deviation = 100 * spread["mean"], 100 * spread["deviation"]
        return f"{len(seeds['seeds'])} seeds: {mean:.2f} ± {deviation:.2f} %"

    def best_of(self, cards: Sequence[Card]) -> str | None:
        """The best figure of several networks as it is written; None where there is nothing to compare."""
        values = [value for card in cards if (value := self.value(card)) is not None]
        return self.write(self.best(values)) if len(values) > 1 else None


def _share(value: float) -> str:
    return percent(value, 2)


MEASURES = (
    Measure(
        "MNIST test set",
        "Read right, of the images by which all digit models are compared.",
        ("mnist_test", "accuracy"),
        _share,
        max,
    ),
    Measure(
        "Drawings",
        "Read right, of drawings by people it never saw anything from.",
        ("drawings_test", "accuracy"),
        _share,
        max,
    ),
    Measure(
        "Digits refused",
        "Of those drawings, wrongly called “not a digit”.",
        ("drawings_test", "refused"),
        _share,
        min,
    ),
    Measure(
        "Symbols refused",
        "Letters of alphabets it never saw, rightly called “not a digit”.",
        ("held_out_symbols", "refused"),
        _share,
        max,
    ),
    Measure(
        "Calibration error",
        "The gap between its confidence and how often it is right, on those drawings.",
        ("drawings_test", "expected_calibration_error"),
        _share,
        min,
    ),
    Measure(
        "Time",
        "For one image, on one thread of the processor used to measure it.",
        ("milliseconds",),
        lambda value: f"{value:.2f} ms",
        min,
    ),
    Measure("Parameters", "Learned weights.", ("parameters",), lambda value: f"{value:,}", min),
    Measure("Size", "The model’s file.", ("size",), lambda value: f"{value / 1e6:.2f} MB", min),
)


def facts(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Nested settings as rows of words and text, in the order in which they stand there."""
    for key, value in values.items():
        name = f"{prefix}{key.replace('_', ' ')}"
        if isinstance(value, Mapping):
            yield from facts(value, f"{name}: ")
        elif isinstance(value, list | tuple):
            yield name, ", ".join(map(_text, value))
        else:
            yield name, _text(value)


def _text(value: object) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "none"}[value]
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:g}" if isinstance(value, float) else str(value)
