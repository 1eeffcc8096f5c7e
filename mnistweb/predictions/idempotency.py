"""What makes a request safe to be sent again: whoever repeats its key gets what it was answered first."""

import hashlib
import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Once:
    """A key as it is stored, 16 bytes of its SHA-256 with the visitor's id, and as many of what was asked."""

    key: bytes
    content: bytes


def once(key: str, visitor: str, data: bytes, model: str | None, strokes: dict[str, Any] | None) -> Once:
    """The key of a visitor's request to read the image file `data`."""
    rest = json.dumps([model, strokes], sort_keys=True).encode()
    return Once(_digest(visitor.encode(), key.encode()), _digest(data, rest))


def _digest(first: bytes, second: bytes) -> bytes:
    return hashlib.sha256(len(first).to_bytes(8) + first + second).digest()[:16]
