"""Signatures of cookies and form tokens, in the format of itsdangerous."""

import hashlib
from collections.abc import Iterable
from typing import TypeVar

from itsdangerous import Signer
from itsdangerous.signer import SigningAlgorithm

S = TypeVar("S", bound=Signer)

BLOCK = 64
"""Bytes that SHA-1 reads at a time."""
INNER, OUTER = 0x36, 0x5C
"""Bytes that HMAC combines a key with, for the inner and the outer hash."""


class PreparedHmac(SigningAlgorithm):
    """HMAC-SHA1 (RFC 2104), as itsdangerous signs, with hashes that have read their keys beforehand.

    Python's `hmac` looks SHA-1 up in OpenSSL for each value, which takes as long as all the rest.
    """

    def __init__(self, keys: Iterable[bytes]) -> None:
        self._hashes = {key: (_begin(key, INNER), _begin(key, OUTER)) for key in keys}

    def get_signature(self, key: bytes, value: bytes) -> bytes:
        """Return the signature of a value by one of the keys, 20 bytes."""
        inner, outer = (each.copy() for each in self._hashes[key])
        inner.update(value)
        outer.update(inner.digest())
        return outer.digest()


def make_signer(kind: type[S], keys: tuple[str, ...], salt: str) -> S:
    """Return what `kind(keys, salt)` is. It derives its keys once instead of for each value."""
    derived = [kind(key, salt).derive_key() for key in keys]
    return kind(derived, salt, key_derivation="none", algorithm=PreparedHmac(derived))


def _begin(key: bytes, pad: int) -> "hashlib._Hash":
    return hashlib.sha1(bytes(byte ^ pad for byte in key.ljust(BLOCK, b"\0")))  # noqa: S324  # nosec B324 (in HMAC)
