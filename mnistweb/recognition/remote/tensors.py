"""Encoding of the Open Inference Protocol: JSON, followed by tensors as bytes."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mnistweb.recognition.types import SIDE

INPUT = "INPUT__0"
OUTPUT = "OUTPUT__0"
CLASSES = 11
MAX_BATCH_SIZE = 1024
"""Images in one request."""
HEADER_LENGTH = "Inference-Header-Content-Length"
REQUEST_ID = "X-Request-ID"


class ProtocolError(ValueError):
    """A violation of the protocol, or an input that these models do not accept, as the message says."""


@dataclass(frozen=True, slots=True)
class Message:
    """An HTTP body, and the headers that describe it."""

    body: bytes
    headers: dict[str, str]


def pack(head: Mapping[str, Any], tail: bytes = b"") -> Message:
    """Join a JSON object and bytes to a body."""
    start = json.dumps(head, separators=(",", ":")).encode()
    if not tail:
        return Message(start, {"Content-Type": "application/json"})
    headers = {"Content-Type": "application/octet-stream", HEADER_LENGTH: str(len(start))}
    return Message(start + tail, headers)


def unpack(body: bytes, header_length: str | None) -> tuple[dict[str, Any], bytes]:
    """Split a body into its JSON object and the bytes behind it. Raises ProtocolError."""
    if header_length is None:
        return read_object(body), b""
    if not (header_length.isascii() and header_length.isdigit() and len(header_length) < 10):
        raise ProtocolError(f"{HEADER_LENGTH} must be a number")
    length = int(header_length)
    if length > len(body):
        raise ProtocolError(f"{HEADER_LENGTH} exceeds the body")
    return read_object(body[:length]), body[length:]


def read_object(text: bytes) -> dict[str, Any]:
    """Parse a JSON object. Raises ProtocolError."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        raise ProtocolError("the body must be JSON") from None
    if not isinstance(value, dict):
        raise ProtocolError("the body must be a JSON object")
    return value


def only_tensor(head: Mapping[str, Any], kind: str, name: str) -> dict[str, Any]:
    """Return the only tensor of `kind`, inputs or outputs, and check its name. Raises ProtocolError."""
    tensors = head.get(kind)
    if not isinstance(tensors, list) or len(tensors) != 1 or not isinstance(tensors[0], dict):
        raise ProtocolError(f"{kind} must hold one tensor")
    if tensors[0].get("name") != name:
        raise ProtocolError(f"the tensor in {kind} must be named {name}")
    return tensors[0]


def batch_size(shape: object, each: tuple[int, ...]) -> int:
    """Return the n of a shape [n, *each]. Raises ProtocolError."""
    match shape:
        case [int(count), *rest] if tuple(rest) == each and not isinstance(count, bool):
            if 1 <= count <= MAX_BATCH_SIZE:
                return count
    sides = ", ".join(map(str, each))
    raise ProtocolError(f"the shape must be [n, {sides}] with n from 1 to {MAX_BATCH_SIZE}")


def read_pixels(tensor: Mapping[str, Any], tail: bytes, count: int) -> NDArray[np.uint8]:
    """Return the images of a tensor, uint8 [count, 28, 28], from JSON or bytes. Raises ProtocolError."""
    size = count * SIDE * SIDE
    if (data := _binary(tensor, tail, size)) is not None:
        # A copy, because torch requires writable memory.
        return np.frombuffer(data, np.uint8).reshape(count, SIDE, SIDE).copy()
    values = _numbers(tensor, size)
    if values.dtype.kind not in "iu" or values.min() < 0 or values.max() > 255:
        raise ProtocolError("data must be whole numbers from 0 to 255")
    return values.astype(np.uint8).reshape(count, SIDE, SIDE)


def read_logits(tensor: Mapping[str, Any], tail: bytes, count: int) -> NDArray[np.float32]:
    """Return the logits of a tensor, float32 [count, 11], from JSON or bytes. Raises ProtocolError."""
    size = count * CLASSES
    data = _binary(tensor, tail, size * 4)
    values = _numbers(tensor, size) if data is None else np.frombuffer(data, "<f4")
    if values.dtype.kind not in "iuf" or not all(map(math.isfinite, values.tolist())):
        raise ProtocolError("logits must be numbers")
    return values.astype(np.float32).reshape(count, CLASSES)


def _binary(tensor: Mapping[str, Any], tail: bytes, size: int) -> bytes | None:
    parameters = tensor.get("parameters")
    stated = parameters.get("binary_data_size") if isinstance(parameters, dict) else None
    if stated is None:
        if tail:
            raise ProtocolError("there are bytes that belong to no tensor")
        return None
    if stated != size or isinstance(stated, bool) or len(tail) != size:
        raise ProtocolError(f"binary_data_size and the bytes behind the JSON must be {size}")
    return tail


def _numbers(tensor: Mapping[str, Any], size: int) -> NDArray[Any]:
    # The protocol allows both flat data and data nested as in the shape.
    data = tensor.get("data")
    if not isinstance(data, list):
        raise ProtocolError("data must be a list")
    try:
        values = np.asarray(data)
    except (ValueError, OverflowError, RecursionError):
        raise ProtocolError("data must be a list of numbers") from None
    if values.size != size:
        raise ProtocolError(f"data must hold {size} numbers")
    return values.ravel()
