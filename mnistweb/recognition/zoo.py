"""The networks that are installed, by name."""

from pathlib import Path

import torch

from mnistweb.recognition.card import ModelCard, ModelFileError
from mnistweb.recognition.recognizer import Recognizer

WEIGHTS = Path(__file__).parent.parent / "weights"
DEFAULT = "cnn"

__all__ = ["DEFAULT", "WEIGHTS", "ModelFileError", "Zoo"]


class Zoo:
    """The networks of a directory, loaded once; the default comes first."""

    def __init__(self, recognizers: dict[str, Recognizer], default: str) -> None:
        if default not in recognizers:
            raise ModelFileError(f"there is no model {default!r} among {sorted(recognizers)}")
        first = {default: recognizers[default]}
        self._recognizers = first | dict(sorted(recognizers.items()))
        self.default = default

    @classmethod
    def load(cls, directory: Path | None = None, default: str = DEFAULT) -> "Zoo":
        """Load every model card of a directory. Raises ModelFileError for a file that is not its card's."""
        directory = directory or WEIGHTS
        torch.set_num_threads(1)  # one small image at a time: more threads would only wait for each other
        cards = sorted(directory.glob("*.json"))
        return cls({path.stem: Recognizer.load(path) for path in cards}, default)

    def names(self) -> list[str]:
        """The models' names, the default first."""
        return list(self._recognizers)

    def get(self, name: str | None = None) -> Recognizer:
        """The model of that name, or the default; KeyError where there is none."""
        return self._recognizers[name or self.default]

    def cards(self) -> list[ModelCard]:
        """The models' cards, the default first."""
        return [recognizer.card for recognizer in self._recognizers.values()]
