"""Model cards: version, hash, calibration and figures of an exported model.

The idea: M. Mitchell et al., "Model cards for model reporting", 2019.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, TypeAlias

from mnistweb.recognition.boundaries import Boundaries
from mnistweb.recognition.whole_files import write_whole

FORMER_SURE = 0.7
"""The confidence from which pages called a digit probable, while cards had a threshold only."""


class ModelFileError(RuntimeError):
    """A model's file or card is missing or damaged, or the two do not match."""


@dataclass(frozen=True, slots=True)
class ModelCard:
    """The card of an exported network, stored as JSON beside its TorchScript file.

    `temperature` divides the logits before the softmax. `boundaries` tell a sure digit from a digit in doubt
    and from "not a digit". `training` records the configuration, `data` the data sets, `figures` the
    measurements.
    """

    name: str
    title: str
    summary: str
    version: str
    sha256: str
    size: int
    parameters: int
    temperature: float
    boundaries: Boundaries
    seed: int
    licence: str = "MIT"
    classes: tuple[str, ...] = (*"0123456789", "not a digit")
    training: Mapping[str, Any] = field(default_factory=dict)
    data: tuple[Mapping[str, Any], ...] = ()
    figures: Mapping[str, Any] = field(default_factory=dict)
    weaknesses: tuple[str, ...] = ()

    def with_boundaries(self, sure: float | None, not_a_digit: float | None) -> "ModelCard":
        """Return the card with other boundaries; None keeps one."""
        kept = self.boundaries
        return replace(
            self,
            boundaries=Boundaries(
                kept.sure if sure is None else sure, kept.not_a_digit if not_a_digit is None else not_a_digit
            ),
        )

    def write(self, path: Path) -> None:
        """Write the card as JSON."""
        write_whole({path: self.encode()})

    def encode(self) -> bytes:
        """Return the content of the card's file."""
        return f"{self.text()}\n".encode()

    def text(self) -> str:
        """Return the card as JSON, for `parse_card`."""
        return json.dumps(asdict(self), indent=2, ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class ServiceCard:
    """The card of a recognizer that runs elsewhere, with an unknown number of parameters."""

    name: str
    title: str
    summary: str
    version: str
    weaknesses: tuple[str, ...] = ()
    parameters: None = None


Card: TypeAlias = ModelCard | ServiceCard


def read_card(path: Path) -> ModelCard:
    """Read a card. Raises ModelFileError, which names the file."""
    try:
        return parse_card(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ModelFileError(f"{path}: not a model card ({error})") from error


def read_cards(directory: Path) -> dict[str, ModelCard]:
    """Read all cards of a directory, by file name without suffix. Raises ModelFileError."""
    return {path.stem: read_card(path) for path in sorted(directory.glob("*.json"))}


def parse_card(text: str) -> ModelCard:
    """Parse a card's JSON. Raises ValueError, TypeError or KeyError.

    An older card has a `threshold` for "not a digit" in place of the boundaries. It answers as before.
    """
    values = json.loads(text)
    if "threshold" in values:
        values["boundaries"] = {"sure": FORMER_SURE, "not_a_digit": values.pop("threshold")}
    values["boundaries"] = Boundaries(**values["boundaries"])
    for name in ("classes", "data", "weaknesses"):
        values[name] = tuple(values[name])
    return ModelCard(**values)


def version_number(version: str) -> int | None:
    """Convert a version (the first digits of a SHA-256) to a number, for servers that count versions.

    Returns None for a version that is not hexadecimal.
    """
    try:
        return int(version, 16)
    except ValueError:
        return None


def sha256_of(data: bytes) -> str:
    """Return the SHA-256 of a file's content, in hexadecimal."""
    return hashlib.sha256(data).hexdigest()
