"""A model card: what an exported file is, and how to read what it says.

The idea: M. Mitchell et al., "Model cards for model reporting", 2019.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeAlias


class ModelFileError(RuntimeError):
    """A model's file or card is missing, damaged, or the one is not the other's."""


@dataclass(frozen=True, slots=True)
class ModelCard:
    """The card of one exported network, kept as JSON beside its TorchScript file.

    `temperature` divides the logits before the softmax; a drawing whose probability of being no digit reaches
    `threshold` is refused. `training` says how it was made, `data` on what, `figures` what was measured.
    """

    name: str
    title: str
    summary: str
    version: str
    sha256: str
    size: int
    parameters: int
    temperature: float
    threshold: float
    seed: int
    licence: str = "MIT"
    classes: tuple[str, ...] = (*"0123456789", "not a digit")
    training: Mapping[str, Any] = field(default_factory=dict)
    data: tuple[Mapping[str, Any], ...] = ()
    figures: Mapping[str, Any] = field(default_factory=dict)
    weaknesses: tuple[str, ...] = ()

    def write(self, path: Path) -> None:
        """Write the card as JSON."""
        path.write_text(self.text() + "\n", encoding="utf-8")

    def text(self) -> str:
        """The card as JSON, which `parse_card` reads."""
        return json.dumps(asdict(self), indent=2, ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class ServiceCard:
    """What is known of a recognizer that runs elsewhere, where nobody can count its parameters."""

    name: str
    title: str
    summary: str
    version: str
    weaknesses: tuple[str, ...] = ()
    parameters: None = None


Card: TypeAlias = ModelCard | ServiceCard


def read_card(path: Path) -> ModelCard:
    """Read a card. Raises ModelFileError, naming the file."""
    try:
        return parse_card(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ModelFileError(f"{path}: not a model card ({error})") from error


def read_cards(directory: Path) -> dict[str, ModelCard]:
    """Every card of a directory by its file's name. Raises ModelFileError."""
    return {path.stem: read_card(path) for path in sorted(directory.glob("*.json"))}


def parse_card(text: str) -> ModelCard:
    """A card of its JSON. Raises ValueError, TypeError or KeyError where it is none."""
    values = json.loads(text)
    for name in ("classes", "data", "weaknesses"):
        values[name] = tuple(values[name])
    return ModelCard(**values)


def version_number(version: str) -> int | None:
    """A version, the first digits of a SHA-256, as a number for servers that count versions; else None."""
    try:
        return int(version, 16)
    except ValueError:
        return None


def sha256_of(data: bytes) -> str:
    """The SHA-256 of a file's content, in hexadecimal."""
    return hashlib.sha256(data).hexdigest()
