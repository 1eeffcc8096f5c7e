"""More networks than are installed, for what puts them side by side."""

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import cast

import torch
from flask import Flask

from mnistweb.recognition.errors import RecognitionError
from mnistweb.recognition.model_card import ModelCard, sha256_of
from mnistweb.recognition.recognizer import TorchScriptRecognizer
from mnistweb.recognition.types import Answer, DigitImage
from mnistweb.recognition.zoo import Zoo
from mnistweb.registry.recognizers import KEY
from mnistweb.training.export import to_torchscript, write_model
from mnistweb.training.networks import NETWORKS

FAILURE = "The second network is asleep. Try again later."


class Second(TorchScriptRecognizer):
    """Answers as told, whatever it is shown; an exception is raised."""

    def __init__(self, card: ModelCard, told: Answer | Exception) -> None:
        self.card = card  # a network there is none
        self.told = told

    def recognize(self, image: DigitImage) -> Answer:  # noqa: ARG002
        if isinstance(self.told, Exception):
            raise self.told
        return self.told


def nine(name: str = "second") -> Answer:
    """A nine that might be a four."""
    probabilities = (0.0, 0.0, 0.0, 0.0, 0.4, 0.0, 0.0, 0.0, 0.0, 0.6)
    return Answer(9, 0.57, probabilities, 0.05, None, name, "2")


def asleep() -> RecognitionError:
    """What a network raises that knows why it cannot answer."""
    return RecognitionError("model_unavailable", FAILURE)


def zoo_with_second(zoo: Zoo, told: Answer | Exception, **card: object) -> Zoo:
    """The default network with one more, `second`, that answers as told."""
    default = zoo.get()
    fields = {"name": "second", "title": "Second network", "version": "2", "figures": {}, **card}
    second = Second(dataclasses.replace(default.card, **fields), told)  # type: ignore[arg-type]
    return Zoo({zoo.default: default, "second": second}, zoo.default)


@contextmanager
def with_second(app: Flask, told: Answer | Exception, **card: object) -> Iterator[None]:
    """The application with that second network for a while."""
    zoo = cast(Zoo, app.extensions[KEY])
    app.extensions[KEY] = zoo_with_second(zoo, told, **card)
    try:
        yield
    finally:
        app.extensions[KEY] = zoo


@cache
def untrained(name: str, threshold: float = 0.9) -> TorchScriptRecognizer:
    """A network of that architecture as it comes out of the box, exported and loaded as the site does."""
    torch.manual_seed(0)
    script = to_torchscript(NETWORKS[name]().eval())
    card = ModelCard(name, name, "", "0", sha256_of(script), len(script), 0, 1.0, threshold, 0)
    with TemporaryDirectory() as folder:
        write_model(Path(folder), script, card)
        return TorchScriptRecognizer.load(Path(folder) / f"{name}.json")
