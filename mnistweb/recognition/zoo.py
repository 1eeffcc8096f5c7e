"""The networks that are installed, by name."""

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from mnistweb.recognition.model_card import ModelCard, ModelFileError
from mnistweb.recognition.types import Recognizer

WEIGHTS = Path(__file__).parent.parent / "weights"
DEFAULT = "cnn"

__all__ = ["DEFAULT", "WEIGHTS", "ModelFileError", "Network", "Zoo"]


class Network(Recognizer, Protocol):
    """A reader with a model card: one of this process, or one of a model server."""

    @property
    def card(self) -> ModelCard:
        """What it is."""


class Zoo:
    """The networks of a directory, the default first."""

    def __init__(self, networks: Mapping[str, Network], default: str) -> None:
        if default not in networks:
            raise ModelFileError(f"there is no model {default!r} among {sorted(networks)}")
        first = {default: networks[default]}
        self._networks = first | dict(sorted(networks.items()))
        self.default = default

    @classmethod
    def load(cls, directory: Path | None = None, default: str = DEFAULT) -> "Zoo":
        """Load every model card of a directory. Raises ModelFileError for a file that is not its card's."""
        # Here, because it brings torch, which a site that asks a model server does without.
        from mnistweb.recognition.recognizer import load_all

        return cls(load_all(directory or WEIGHTS), default)

    def names(self) -> list[str]:
        """The models' names, the default first."""
        return list(self._networks)

    def get(self, name: str | None = None) -> Network:
        """The model of that name, or the default; KeyError where there is none."""
        return self._networks[name or self.default]

    def cards(self) -> list[ModelCard]:
        """The models' cards, the default first."""
        return [network.card for network in self._networks.values()]
