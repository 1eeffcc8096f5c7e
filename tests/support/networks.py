"""Further models for tests."""

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import cast

import torch
from flask import Flask

from mnistweb.recognition.boundaries import Boundaries, Certainty
from mnistweb.recognition.errors import RecognitionError
from mnistweb.recognition.model_card import ModelCard, read_card, sha256_of
from mnistweb.recognition.recognizer import TorchScriptRecognizer
from mnistweb.recognition.types import Answer, DigitImage
from mnistweb.recognition.zoo import WEIGHTS, Zoo
from mnistweb.registry.recognizers import ZOO
from mnistweb.training.export import to_torchscript, write_model
from mnistweb.training.networks import NETWORKS

FAILURE = "The second network is asleep. Try again later."


class Second(TorchScriptRecognizer):
    """Recognizer with a fixed answer, or an exception to raise."""

    def __init__(self, card: ModelCard, result: Answer | Exception) -> None:
        self.card = card  # without a network
        self.result = result

    def recognize(self, image: DigitImage) -> Answer:  # noqa: ARG002
        if isinstance(self.result, Exception):
            raise self.result
        return self.result


def nine(name: str = "second") -> Answer:
    """Return the answer 9, with 4 as the second guess."""
    probabilities = (0.0, 0.0, 0.0, 0.0, 0.4, 0.0, 0.0, 0.0, 0.0, 0.6)
    return Answer(9, Certainty.DOUBTFUL, 0.57, probabilities, 0.05, None, name, "2")


def asleep() -> RecognitionError:
    """Return an error with the reason for the missing answer."""
    return RecognitionError("model_unavailable", FAILURE)


def zoo_with_second(zoo: Zoo, result: Answer | Exception, **card: object) -> Zoo:
    """Return a zoo of the default model and `second`, with a fixed result."""
    default = zoo.get()
    fields = {"name": "second", "title": "Second network", "version": "2", "figures": {}, **card}
    second = Second(dataclasses.replace(default.card, **fields), result)  # type: ignore[arg-type]
    return Zoo({zoo.default: default, "second": second}, zoo.default)


@contextmanager
def with_second(app: Flask, result: Answer | Exception, **card: object) -> Iterator[None]:
    """Add the model `second` to the application within the context."""
    zoo = cast(Zoo, app.extensions[ZOO])
    app.extensions[ZOO] = zoo_with_second(zoo, result, **card)
    try:
        yield
    finally:
        app.extensions[ZOO] = zoo


@cache
def untrained(name: str, not_a_digit_from: float = 0.9) -> TorchScriptRecognizer:
    """Return an untrained network of an architecture, exported and loaded like the site's models."""
    torch.manual_seed(0)
    script = to_torchscript(NETWORKS[name]().eval())
    boundaries = Boundaries(sure=0.5, not_a_digit=not_a_digit_from)
    card = ModelCard(name, name, "", "0", sha256_of(script), len(script), 0, 1.0, boundaries, 0)
    with TemporaryDirectory() as folder:
        write_model(Path(folder), script, card)
        return TorchScriptRecognizer.load(Path(folder) / f"{name}.json")


@cache
def other_version(name: str = "lenet5", seed: int = 1) -> tuple[bytes, ModelCard]:
    """Return the file and the card of an untrained version of an installed model."""
    torch.manual_seed(seed)
    script = to_torchscript(NETWORKS[name]().eval())
    digest = sha256_of(script)
    card = read_card(WEIGHTS / f"{name}.json")
    return script, dataclasses.replace(card, version=digest[:12], sha256=digest, size=len(script), figures={})
