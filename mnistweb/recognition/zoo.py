"""The zoo: the networks of this site, by name."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol, TypeAlias

from mnistweb.recognition.model_card import ModelCard, ModelFileError
from mnistweb.recognition.types import Recognizer

WEIGHTS = Path(__file__).parent.parent / "weights"
DEFAULT = "cnn"
Adapt: TypeAlias = Callable[[ModelCard], ModelCard]
"""Changes a card, such as its boundaries."""

__all__ = ["DEFAULT", "WEIGHTS", "ModelFileError", "Network", "Zoo"]


class Network(Recognizer, Protocol):
    """A recognizer with the card of an exported network, here or on a model server."""

    @property
    def card(self) -> ModelCard:
        """The card of the exported network."""


class Zoo:
    """The networks of a directory, the default first."""

    def __init__(self, networks: Mapping[str, Network], default: str) -> None:
        if default not in networks:
            raise ModelFileError(f"no model {default!r} among {sorted(networks)}")
        first = {default: networks[default]}
        self._networks = first | dict(sorted(networks.items()))
        self.default = default

    @classmethod
    def load(
        cls, directory: Path | None = None, default: str = DEFAULT, adapt: Adapt = lambda card: card
    ) -> "Zoo":
        """Load all models of a directory, with cards as `adapt` returns them.

        Raises ModelFileError if a file does not match its card, or the default is missing.
        """
        # Imported late, because a site with a model server has no torch.
        from mnistweb.recognition.recognizer import load_all

        folder = directory or WEIGHTS
        loaded = load_all(folder)
        if default not in loaded:
            raise ModelFileError(f"{folder} has no model {default!r}, but {', '.join(loaded) or 'none'}")
        return cls({name: each.with_card(adapt(each.card)) for name, each in loaded.items()}, default)

    def replaced(self, name: str, network: Network) -> "Zoo":
        """Return the same models, but one of them as this network."""
        return Zoo(self._networks | {name: network}, self.default)

    def names(self) -> list[str]:
        """Return the models' names, the default first."""
        return list(self._networks)

    def get(self, name: str | None = None) -> Network:
        """Return the model of that name, or the default. Raises KeyError."""
        return self._networks[self.default if name is None else name]

    def cards(self) -> list[ModelCard]:
        """Return the models' cards, the default first."""
        return [network.card for network in self._networks.values()]
