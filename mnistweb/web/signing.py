"""Signatures of cookies and form tokens, in the format of itsdangerous."""

import hmac
from typing import TypeVar

from itsdangerous import Signer
from itsdangerous.signer import SigningAlgorithm

S = TypeVar("S", bound=Signer)


class OneShotHmac(SigningAlgorithm):
    """HMAC-SHA1, as itsdangerous signs. Python's `hmac.new` would prepare for a message in several parts."""

    def get_signature(self, key: bytes, value: bytes) -> bytes:
        """Return the signature of a value, 20 bytes."""
        return hmac.digest(key, value, "sha1")


def make_signer(kind: type[S], keys: tuple[str, ...], salt: str) -> S:
    """Return what `kind(keys, salt)` is. It derives its keys once instead of for each value."""
    derived = [kind(key, salt).derive_key() for key in keys]
    return kind(derived, salt, key_derivation="none", algorithm=OneShotHmac())
