"""The Open Inference Protocol, as both sides speak it here: images in, logits out, over HTTP.

Its second version (https://github.com/kserve/open-inference-protocol), with the extension that sends a
tensor as bytes behind the JSON. Tensors are named as Triton names those of a TorchScript file.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mnistweb.recognition.model_card import ModelCard, parse_card
from mnistweb.recognition.remote.tensors import (
    CLASSES,
    INPUT,
    OUTPUT,
    Message,
    ProtocolError,
    count_of,
    logits_of,
    only_tensor,
    pack,
    pixels_of,
    read_object,
    unpack,
)
from mnistweb.recognition.types import SIDE

EXTENSIONS = ("binary_tensor_data",)


@dataclass(frozen=True, slots=True)
class Question:
    """A request for inference: `images` uint8 [n, 28, 28], and whether logits shall come as bytes."""

    images: NDArray[np.uint8]
    id: str | None
    binary: bool


@dataclass(frozen=True, slots=True)
class Reply:
    """A response to one: `logits` float32 [n, 11], and which version of which network gave them."""

    logits: NDArray[np.float32]
    model: str
    version: str
    id: str | None


def write_question(images: NDArray[np.uint8], request_id: str) -> Message:
    """Ask for the logits of uint8 [n, 28, 28], which travel as bytes; few logits are soon read from JSON."""
    tensor = {
        "name": INPUT,
        "shape": images.shape,
        "datatype": "UINT8",
        "parameters": {"binary_data_size": images.nbytes},
    }
    outputs = [{"name": OUTPUT, "parameters": {"binary_data": False}}]
    return pack({"id": request_id, "inputs": [tensor], "outputs": outputs}, images.tobytes())


def read_question(body: bytes, header_length: str | None) -> Question:
    """Read a request that anyone may have written. Raises ProtocolError."""
    head, tail = unpack(body, header_length)
    tensor = only_tensor(head, "inputs", INPUT)
    if tensor.get("datatype") != "UINT8":
        raise ProtocolError(f"the datatype of {INPUT} must be UINT8")
    count = count_of(tensor.get("shape"), (SIDE, SIDE))
    return Question(pixels_of(tensor, tail, count), _id(head), _wants_binary(head))


def write_reply(logits: NDArray[np.float32], card: ModelCard, question: Question) -> Message:
    """Answer a request with the logits of the network of a card."""
    tensor: dict[str, Any] = {"name": OUTPUT, "shape": logits.shape, "datatype": "FP32"}
    head = {"model_name": card.name, "model_version": card.version, "outputs": [tensor]}
    if question.id is not None:
        head["id"] = question.id
    if question.binary:
        tensor["parameters"] = {"binary_data_size": logits.nbytes}
        return pack(head, logits.astype("<f4").tobytes())
    tensor["data"] = logits.ravel().tolist()
    return pack(head)


def read_reply(body: bytes, header_length: str | None) -> Reply:
    """Read a response. Raises ProtocolError."""
    head, tail = unpack(body, header_length)
    tensor = only_tensor(head, "outputs", OUTPUT)
    if tensor.get("datatype") != "FP32":
        raise ProtocolError(f"the datatype of {OUTPUT} must be FP32")
    count = count_of(tensor.get("shape"), (CLASSES,))
    model, version = head.get("model_name"), head.get("model_version")
    if not isinstance(model, str) or not isinstance(version, str):
        raise ProtocolError("model_name and model_version must be strings")
    return Reply(logits_of(tensor, tail, count), model, version, _id(head))


def metadata(card: ModelCard) -> dict[str, Any]:
    """What the protocol tells of a network. The card travels with it, for the calibration of this version."""
    return {
        "name": card.name,
        "versions": [card.version],
        "platform": "pytorch_torchscript",
        "inputs": [{"name": INPUT, "datatype": "UINT8", "shape": [-1, SIDE, SIDE]}],
        "outputs": [{"name": OUTPUT, "datatype": "FP32", "shape": [-1, CLASSES]}],
        "parameters": {"card": card.text()},
    }


def read_metadata(body: bytes) -> ModelCard | None:
    """The card in a network's metadata, or in Triton's configuration of it; None where there is none.

    Raises ProtocolError where it is not JSON or the card is none.
    """
    parameters = read_object(body).get("parameters")
    card = parameters.get("card") if isinstance(parameters, dict) else None
    if isinstance(card, dict):
        card = card.get("string_value")
    if card is None:
        return None
    try:
        return parse_card(card)
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise ProtocolError(f"the card is none ({error})") from None


def _id(head: Mapping[str, Any]) -> str | None:
    request_id = head.get("id")
    if request_id is not None and not isinstance(request_id, str):
        raise ProtocolError("id must be a string")
    return request_id


def _wants_binary(head: Mapping[str, Any]) -> bool:
    wanted = _flag(head, "binary_data_output") or False
    if head.get("outputs"):
        said = _flag(only_tensor(head, "outputs", OUTPUT), "binary_data")
        wanted = wanted if said is None else said
    return wanted


def _flag(holder: Mapping[str, Any], name: str) -> bool | None:
    parameters = holder.get("parameters", {})
    value = parameters.get(name) if isinstance(parameters, dict) else parameters
    if value is not None and not isinstance(value, bool):
        raise ProtocolError(f"{name} must be true or false")
    return value
