"""A 28x28 image to an answer: a TorchScript network, calibrated, which may say that it is no digit."""

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from mnistweb.recognition.model_card import ModelCard, ModelFileError, read_card, sha256_of
from mnistweb.recognition.postprocessing import answer
from mnistweb.recognition.types import SIDE, Answer, DigitImage


class TorchScriptRecognizer:
    """One network of the zoo. Safe to use from several threads.

    `network` has its layers, to be looked into. What answers is the same without them: its normalizations are
    folded into the convolutions before them, which takes less time and moves a logit by some 1e-6.
    """

    def __init__(self, card: ModelCard, network: torch.jit.ScriptModule) -> None:
        self.card = card
        self.network = network
        self._folded = _fold(network)

    @classmethod
    def load(cls, card_path: Path) -> "TorchScriptRecognizer":
        """Load the network that a card describes; raises ModelFileError where its file isn't the card's."""
        card = read_card(card_path)
        path = card_path.with_suffix(".pt")
        try:
            data = path.read_bytes()
        except OSError as error:
            raise ModelFileError(f"{path}: can't be read ({error.strerror})") from error
        if sha256_of(data) != card.sha256:
            raise ModelFileError(f"{path}: its SHA-256 is not the one in {card_path.name}")
        recognizer = cls(card, _load_script(data, path))
        for _ in range(3):  # the first calls compile
            recognizer.recognize(np.zeros((SIDE, SIDE), np.uint8))
        return recognizer

    def recognize(self, image: DigitImage) -> Answer:
        """Read a preprocessed image, uint8 [28, 28] with 255 for ink."""
        return answer(self.logits(image[np.newaxis])[0].tolist(), self.card, image)

    def logits(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """What the network gives for uint8 [n, 28, 28]: float32 [n, 11], not calibrated."""
        with torch.inference_mode():
            logits: NDArray[np.float32] = self._folded(torch.from_numpy(images)).numpy()
        return logits


def load_all(directory: Path) -> dict[str, TorchScriptRecognizer]:
    """Every network of a directory, by its card's file name.

    Raises ModelFileError for a file that is not its card's.
    """
    torch.set_num_threads(1)  # one small image at a time: more threads would only wait for each other
    return {path.stem: TorchScriptRecognizer.load(path) for path in sorted(directory.glob("*.json"))}


@contextmanager
def torchscript_warnings_silenced() -> Iterator[None]:
    """TorchScript is what the project is built on; its deprecation is known (README, "How it is built")."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r".*torch\.jit\.", DeprecationWarning)
        warnings.filterwarnings("ignore", r".*torch\.jit\.", FutureWarning)
        yield


def _fold(network: torch.jit.ScriptModule) -> torch.jit.ScriptModule:
    with torchscript_warnings_silenced():
        folded: torch.jit.ScriptModule = torch.jit.freeze(network)
        return folded


def _load_script(data: bytes, path: Path) -> torch.jit.ScriptModule:
    try:
        with torchscript_warnings_silenced():
            network: torch.jit.ScriptModule = torch.jit.load(io.BytesIO(data), map_location="cpu")  # type: ignore[no-untyped-call]
            # As oneDNN computes convolutions: a third less time, and the same sums in another order.
            return network.eval().to(memory_format=torch.channels_last)
    except (RuntimeError, ValueError) as error:
        raise ModelFileError(f"{path}: not a TorchScript file") from error
