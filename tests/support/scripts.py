"""TorchScript files from memory."""

from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from mnistweb.recognition.boundaries import Boundaries
from mnistweb.recognition.model_card import ModelCard, sha256_of
from mnistweb.recognition.recognizer import TorchScriptRecognizer
from mnistweb.training.export import write_model


def card_for(script: bytes, **values: object) -> ModelCard:
    """Return a card for a file, with arbitrary values."""
    fields: dict[str, object] = {
        "name": "test",
        "title": "Test",
        "summary": "",
        "version": "0",
        "size": len(script),
        "sha256": sha256_of(script),
        "parameters": 1,
        "temperature": 1.0,
        "boundaries": Boundaries(sure=0.8, not_a_digit=0.5),
        "seed": 0,
    }
    return ModelCard(**(fields | values))  # type: ignore[arg-type]


def load_script(script: bytes) -> torch.jit.ScriptModule:
    """Load a script in the same way as the site."""
    with TemporaryDirectory() as folder:
        write_model(Path(folder), script, card_for(script))
        return TorchScriptRecognizer.load(Path(folder) / "test.json").network
