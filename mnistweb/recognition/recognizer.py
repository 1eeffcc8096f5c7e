"""From a 28x28 image to an answer: a calibrated TorchScript network that may reject a drawing."""

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from mnistweb.recognition.model_card import ModelCard, ModelFileError, read_card, sha256_of
from mnistweb.recognition.postprocessing import to_answer
from mnistweb.recognition.types import SIDE, Answer, DigitImage


class TorchScriptRecognizer:
    """A network in this process. Safe to use from several threads.

    `network` keeps all layers, for attribution. `recognize` uses a copy with batch normalization folded into
    the convolutions: faster, and the same to some 1e-6 of a logit.
    """

    def __init__(self, card: ModelCard, network: torch.jit.ScriptModule) -> None:
        self.card = card
        self.network = network
        self._compute = _fold(network).forward  # the module itself would look for hooks at each call

    @classmethod
    def load(cls, card_path: Path) -> "TorchScriptRecognizer":
        """Load the network of a card. Raises ModelFileError if the file is missing or not the card's."""
        card = read_card(card_path)
        path = card_path.with_suffix(".pt")
        try:
            data = path.read_bytes()
        except OSError as error:
            raise ModelFileError(f"{path}: cannot be read ({error.strerror})") from error
        if sha256_of(data) != card.sha256:
            raise ModelFileError(f"{path}: its SHA-256 differs from the one in {card_path.name}")
        return cls.from_bytes(card, data, str(path))

    @classmethod
    def from_bytes(cls, card: ModelCard, data: bytes, name: str = "") -> "TorchScriptRecognizer":
        """Load the network of a file's content, and let it read an image.

        Raises ModelFileError, which names the file, if it is no network or computes no logits.
        """
        name = name or f"{card.name} {card.version}"
        recognizer = cls(card, _load_script(data, name))
        blank = np.zeros((1, SIDE, SIDE), np.uint8)
        try:
            for _ in range(3):  # the first calls compile
                logits = recognizer.logits(blank)
        except RuntimeError as error:
            raise ModelFileError(f"{name}: it cannot read a drawing") from error
        if logits.shape != (1, len(card.classes)) or not np.isfinite(logits).all():
            raise ModelFileError(f"{name}: its logits make no sense")
        return recognizer

    def with_card(self, card: ModelCard) -> "TorchScriptRecognizer":
        """Return the same network with another card."""
        other = copy(self)
        other.card = card
        return other

    def recognize(self, image: DigitImage) -> Answer:
        """Read a preprocessed image, uint8 [28, 28] with 255 for ink."""
        return to_answer(self.logits(image[np.newaxis])[0].tolist(), self.card, image)

    @torch.inference_mode()
    def logits(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Compute uncalibrated logits float32 [n, 11] for uint8 [n, 28, 28]."""
        logits: NDArray[np.float32] = self._compute(torch.from_numpy(images)).numpy()
        return logits


def load_all(directory: Path) -> dict[str, TorchScriptRecognizer]:
    """Load all networks of a directory, by their cards' file names.

    Raises ModelFileError if a file does not match its card.
    """
    torch.set_num_threads(1)  # images are small and come one at a time, so more threads only add waiting
    return {path.stem: TorchScriptRecognizer.load(path) for path in sorted(directory.glob("*.json"))}


@contextmanager
def ignore_torchscript_warnings() -> Iterator[None]:
    """Ignore TorchScript's deprecation warnings: its use is deliberate (docs/architecture.md)."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r".*torch\.jit\.", DeprecationWarning)
        warnings.filterwarnings("ignore", r".*torch\.jit\.", FutureWarning)
        yield


def _fold(network: torch.jit.ScriptModule) -> torch.jit.ScriptModule:
    with ignore_torchscript_warnings():
        folded: torch.jit.ScriptModule = torch.jit.freeze(network)
        return folded


def _load_script(data: bytes, name: str) -> torch.jit.ScriptModule:
    try:
        with ignore_torchscript_warnings():
            network: torch.jit.ScriptModule = torch.jit.load(io.BytesIO(data), map_location="cpu")  # type: ignore[no-untyped-call]
            # oneDNN's own layout: a third less time. The order of the sums changes.
            return network.eval().to(memory_format=torch.channels_last)
    except (RuntimeError, ValueError) as error:
        raise ModelFileError(f"{name}: not a TorchScript file") from error
