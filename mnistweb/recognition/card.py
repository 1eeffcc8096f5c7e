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
        path.write_text(json.dumps(asdict(self), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


@dataclass(frozen=True, slots=True)
class ServiceCard:
    """What is known of a recogniser that runs elsewhere, where nobody can count its parameters."""

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
        values = json.loads(path.read_text(encoding="utf-8"))
        for name in ("classes", "data", "weaknesses"):
            values[name] = tuple(values[name])
        return ModelCard(**values)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ModelFileError(f"{path}: not a model card ({error})") from error


def sha256_of(data: bytes) -> str:
    """The SHA-256 of a file's content, in hexadecimal."""
    return hashlib.sha256(data).hexdigest()
