"""Reports of exported models: what their pages show beside the figures of the cards."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from mnistweb.recognition.model_card import ModelFileError
from mnistweb.recognition.whole_files import write_whole

FOLDER = "reports"
"""The folder of the reports, in that of the model cards."""

CONFIDENCE_BINS = 15
"""Equal bins of confidence."""


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer: operation, output shape without the batch, number of parameters."""

    name: str
    shape: tuple[int, ...]
    parameters: int


@dataclass(frozen=True, slots=True)
class Bin:
    """Answers of similar confidence: the mean confidence 0..1, the number of answers, and of right ones."""

    confidence: float
    count: int
    right: int

    @property
    def centre(self) -> float:
        """The middle 0..1 of its bin, one of CONFIDENCE_BINS."""
        return (min(int(self.confidence * CONFIDENCE_BINS), CONFIDENCE_BINS - 1) + 0.5) / CONFIDENCE_BINS


@dataclass(frozen=True, slots=True)
class Mistake:
    """A test image read wrong: digit, reading, confidence 0..1, and the image as a data URL."""

    digit: int
    read_as: int
    confidence: float
    image: str


@dataclass(frozen=True, slots=True)
class Report:
    """The report on one version of a model, stored as JSON in FOLDER beside the model cards.

    `filters` are the kernels of the first convolution, each scaled to -1..1. The keys of `confusions` and
    `reliability` are those of the test sets in a card's figures. A confusion matrix [10][10] has a row for
    each digit and a column for each reading. `mistakes` are those with the highest confidence.
    """

    model: str
    version: str
    layers: tuple[Layer, ...] = ()
    filters: Sequence[Sequence[Sequence[float]]] = ()
    confusions: Mapping[str, Sequence[Sequence[int]]] = field(default_factory=dict)
    reliability: Mapping[str, tuple[Bin, ...]] = field(default_factory=dict)
    mistakes: tuple[Mistake, ...] = ()

    def write(self, folder: Path) -> Path:
        """Write `<model>.json` to a folder, one line for each field; return the file's path."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{self.model}.json"
        lines = (f"  {json.dumps(name)}: {json.dumps(value)}" for name, value in asdict(self).items())
        write_whole({path: ("{\n" + ",\n".join(lines) + "\n}\n").encode()})
        return path


def read_reports(weights: Path) -> dict[str, Report]:
    """Read the reports beside the model cards of a directory, by model. Raises ModelFileError."""
    return {path.stem: _read_report(path) for path in sorted((weights / FOLDER).glob("*.json"))}


def _read_report(path: Path) -> Report:
    try:
        return parse_report(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise ModelFileError(f"{path}: not a report on a model ({error})") from error


def parse_report(values: Mapping[str, Any]) -> Report:
    """Parse a report's JSON values. Raises ValueError, TypeError, KeyError or AttributeError."""
    values = dict(values)
    values["layers"] = tuple(
        Layer(each["name"], tuple(each["shape"]), each["parameters"]) for each in values["layers"]
    )
    values["reliability"] = {
        name: tuple(Bin(**each) for each in bins) for name, bins in values["reliability"].items()
    }
    values["mistakes"] = tuple(Mistake(**each) for each in values["mistakes"])
    return Report(**values)
