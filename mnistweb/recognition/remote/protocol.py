"""Open Inference Protocol, for client and server: images in, logits out, over HTTP.

This is version 2 (https://github.com/kserve/open-inference-protocol), with the extension for tensors as bytes
behind the JSON. Tensors have the names that Triton gives those of a TorchScript file.
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
    batch_size,
    only_tensor,
    pack,
    read_logits,
    read_object,
    read_pixels,
    unpack,
)
from mnistweb.recognition.types import SIDE

EXTENSIONS = ("binary_tensor_data",)


@dataclass(frozen=True, slots=True)
class InferenceRequest:
    """A request: `images` uint8 [n, 28, 28], and whether the client wants logits as bytes."""

    images: NDArray[np.uint8]
    id: str | None
    binary: bool


@dataclass(frozen=True, slots=True)
class InferenceResponse:
    """A response: `logits` float32 [n, 11], and the model and version that computed them."""

    logits: NDArray[np.float32]
    model: str
    version: str
    id: str | None


def write_request(images: NDArray[np.uint8], request_id: str) -> Message:
    """Write a request with uint8 [n, 28, 28] as bytes. It asks for logits in JSON, since they are few."""
    tensor = {
        "name": INPUT,
        "shape": images.shape,
        "datatype": "UINT8",
        "parameters": {"binary_data_size": images.nbytes},
    }
    outputs = [{"name": OUTPUT, "parameters": {"binary_data": False}}]
    return pack({"id": request_id, "inputs": [tensor], "outputs": outputs}, images.tobytes())


def read_request(body: bytes, header_length: str | None) -> InferenceRequest:
    """Read an untrusted request. Raises ProtocolError."""
    head, tail = unpack(body, header_length)
    tensor = only_tensor(head, "inputs", INPUT)
    if tensor.get("datatype") != "UINT8":
        raise ProtocolError(f"the datatype of {INPUT} must be UINT8")
    count = batch_size(tensor.get("shape"), (SIDE, SIDE))
    return InferenceRequest(read_pixels(tensor, tail, count), _id(head), _wants_binary(head))


def write_response(logits: NDArray[np.float32], card: ModelCard, request: InferenceRequest) -> Message:
    """Write the response with the logits of the model of that card."""
    tensor: dict[str, Any] = {"name": OUTPUT, "shape": logits.shape, "datatype": "FP32"}
    head = {"model_name": card.name, "model_version": card.version, "outputs": [tensor]}
    if request.id is not None:
        head["id"] = request.id
    if request.binary:
        tensor["parameters"] = {"binary_data_size": logits.nbytes}
        return pack(head, logits.astype("<f4").tobytes())
    tensor["data"] = logits.ravel().tolist()
    return pack(head)


def read_response(body: bytes, header_length: str | None) -> InferenceResponse:
    """Read a response. Raises ProtocolError."""
    head, tail = unpack(body, header_length)
    tensor = only_tensor(head, "outputs", OUTPUT)
    if tensor.get("datatype") != "FP32":
        raise ProtocolError(f"the datatype of {OUTPUT} must be FP32")
    count = batch_size(tensor.get("shape"), (CLASSES,))
    model, version = head.get("model_name"), head.get("model_version")
    if not isinstance(model, str) or not isinstance(version, str):
        raise ProtocolError("model_name and model_version must be strings")
    return InferenceResponse(read_logits(tensor, tail, count), model, version, _id(head))


def write_metadata(card: ModelCard) -> dict[str, Any]:
    """Return the metadata of a model. It includes the card, by which a client calibrates this version."""
    return {
        "name": card.name,
        "versions": [card.version],
        "platform": "pytorch_torchscript",
        "inputs": [{"name": INPUT, "datatype": "UINT8", "shape": [-1, SIDE, SIDE]}],
        "outputs": [{"name": OUTPUT, "datatype": "FP32", "shape": [-1, CLASSES]}],
        "parameters": {"card": card.text()},
    }


def read_metadata(body: bytes) -> ModelCard | None:
    """Return the card in a model's metadata, or in Triton's configuration of it; None without a card.

    Raises ProtocolError for a body that is not JSON, and for a malformed card.
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
        raise ProtocolError(f"the card is malformed ({error})") from None


def _id(head: Mapping[str, Any]) -> str | None:
    request_id = head.get("id")
    if request_id is not None and not isinstance(request_id, str):
        raise ProtocolError("id must be a string")
    return request_id


def _wants_binary(head: Mapping[str, Any]) -> bool:
    binary = _flag(head, "binary_data_output") or False
    if head.get("outputs"):
        of_tensor = _flag(only_tensor(head, "outputs", OUTPUT), "binary_data")
        binary = binary if of_tensor is None else of_tensor
    return binary


def _flag(holder: Mapping[str, Any], name: str) -> bool | None:
    parameters = holder.get("parameters", {})
    value = parameters.get(name) if isinstance(parameters, dict) else parameters
    if value is not None and not isinstance(value, bool):
        raise ProtocolError(f"{name} must be true or false")
    return value
