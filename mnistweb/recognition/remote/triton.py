"""Model repository for Triton Inference Server: a folder for each model.

Triton's versions are numbers. So a model's version, the first digits of its SHA-256, is written as a number,
and each response identifies the file that computed it.
"""

import json
from pathlib import Path

from mnistweb.recognition.model_card import ModelCard, ModelFileError, read_cards, version_number
from mnistweb.recognition.remote.tensors import CLASSES, INPUT, MAX_BATCH_SIZE, OUTPUT
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
    """Write every model of `weights` into a model repository, and return the paths of the files.

    Raises ModelFileError for a malformed card and for a version that is not a number, OSError if writing
    fails.
    """
    cards = read_cards(weights)
    for card in cards.values():
        _number(card)
    return [
        write_version(folder, card, (weights / f"{name}.pt").read_bytes()) for name, card in cards.items()
    ]


def write_version(folder: Path, card: ModelCard, file: bytes) -> Path:
    """Write a version into a model repository, and return the path of its file.

    Older versions remain, but Triton serves only the new one. It may look at any moment: the configuration,
    which names the new version, is replaced last and at once.
    """
    version = _number(card)
    path = folder / card.name / str(version) / "model.pt"
    path.parent.mkdir(parents=True, exist_ok=True)
    _replace(path, file)
    _replace(folder / card.name / "config.pbtxt", configuration(card, version).encode())
    return path


def _number(card: ModelCard) -> int:
    version = version_number(card.version)
    if version is None:
        raise ModelFileError(f"{card.name}: its version {card.version!r} is no number")
    return version


def _replace(path: Path, content: bytes) -> None:
    new = path.with_name(f".{path.name}.new")
    new.write_bytes(content)
    new.replace(path)


def configuration(card: ModelCard, version: int) -> str:
    """Return the `config.pbtxt` of a model. It includes the card, by which clients calibrate the answers."""
    return CONFIGURATION.format(
        name=_text(card.name),
        most=MAX_BATCH_SIZE,
        input=INPUT,
        output=OUTPUT,
        side=SIDE,
        classes=CLASSES,
        version=version,
        card=_text(card.text()),
    )


def _text(text: str) -> str:
    # All escapes that JSON needs here exist in the text format of protocol buffers too.
    return json.dumps(text, ensure_ascii=False)
