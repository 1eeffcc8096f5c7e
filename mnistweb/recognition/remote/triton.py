"""A model repository, as Triton Inference Server reads one: a folder for each network.

Triton's versions are numbers, so a network's version, which is the beginning of its SHA-256, is read as one:
whoever gets an answer knows of which file it is.
"""

import json
import shutil
from pathlib import Path

from mnistweb.recognition.model_card import ModelCard, ModelFileError, read_cards, version_number
from mnistweb.recognition.remote.tensors import CLASSES, INPUT, MOST_IMAGES, OUTPUT
from mnistweb.recognition.types import SIDE

CONFIGURATION = """\
name: {name}
platform: "pytorch_libtorch"
max_batch_size: {most}
input [ {{ name: "{input}" data_type: TYPE_UINT8 dims: [ {side}, {side} ] }} ]
output [ {{ name: "{output}" data_type: TYPE_FP32 dims: [ {classes} ] }} ]
version_policy: {{ specific: {{ versions: [ {version} ] }} }}
parameters: {{ key: "card" value: {{ string_value: {card} }} }}
"""


def write_repository(weights: Path, folder: Path) -> list[Path]:
    """Write every network of `weights` into a model repository, and tell where the files are.

    Older versions stay beside new ones, and Triton serves the new. Raises ModelFileError for a card that is
    none or whose version is no number, OSError where nothing can be written.
    """
    written = []
    for name, card in read_cards(weights).items():
        version = version_number(card.version)
        if version is None:
            raise ModelFileError(f"{name}: its version {card.version!r} is no number")
        file = folder / name / str(version) / "model.pt"
        file.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(weights / f"{name}.pt", file)
        (folder / name / "config.pbtxt").write_text(configuration(card, version), encoding="utf-8")
        written.append(file)
    return written


def configuration(card: ModelCard, version: int) -> str:
    """The `config.pbtxt` of a network. Its card goes along, for the calibration of what it answers."""
    return CONFIGURATION.format(
        name=_text(card.name),
        most=MOST_IMAGES,
        input=INPUT,
        output=OUTPUT,
        side=SIDE,
        classes=CLASSES,
        version=version,
        card=_text(card.text()),
    )


def _text(text: str) -> str:
    # Of JSON's escapes the text format of protocol buffers knows all that stand here.
    return json.dumps(text, ensure_ascii=False)
