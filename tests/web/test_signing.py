"""Signatures are those of itsdangerous, which earlier versions made."""

import pytest
from itsdangerous import BadSignature, Signer, TimestampSigner

from mnistweb.web.signing import make_signer

KEYS = ("an older key, only for tests", "not a secret, only for tests")


@pytest.mark.parametrize("kind", [Signer, TimestampSigner])
def test_signature_is_that_of_itsdangerous(kind: type[Signer]) -> None:
    ours, theirs = make_signer(kind, KEYS, "visitor"), kind(KEYS, "visitor")
    assert theirs.unsign(ours.sign("a visitor")) == ours.unsign(theirs.sign("a visitor")) == b"a visitor"
    assert ours.unsign(kind(KEYS[0], "visitor").sign("long ago")) == b"long ago"


@pytest.mark.parametrize("other", [Signer("another key of somebody", "visitor"), Signer(KEYS, "form")])
def test_other_keys_and_purposes_are_refused(other: Signer) -> None:
    with pytest.raises(BadSignature):
        make_signer(Signer, KEYS, "visitor").unsign(other.sign("a visitor"))
