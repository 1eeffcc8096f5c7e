"""Idempotency keys: a repeated request gets the prediction that the first one saved."""

import hashlib
from dataclasses import dataclass

import orjson
from sqlalchemy import select
from sqlalchemy.orm import undefer

from mnistweb.current import current_request
from mnistweb.database.errors import DATABASE_ERRORS
from mnistweb.database.models import Prediction
from mnistweb.extensions import db
from mnistweb.predictions.errors import NotFound
from mnistweb.predictions.strokes import Strokes
from mnistweb.recognition.errors import UserError

HEADER = "Idempotency-Key"
MIN_KEY_LENGTH, MAX_KEY_LENGTH = 16, 255


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """Stored form of a key: 16 bytes of SHA-256 over visitor and key, and 16 over the request's content."""

    key: bytes
    content: bytes

    @classmethod
    def of(
        cls, key: str, visitor: str, data: bytes, model: str | None, strokes: Strokes | None
    ) -> "IdempotencyKey":
        """Hash the key and the content of a request; `data` is its image file."""
        rest = orjson.dumps([model, strokes], option=orjson.OPT_SORT_KEYS)
        return cls(_digest(visitor.encode(), key.encode()), _digest(data, rest))


def requested_key() -> str | None:
    """Read the header Idempotency-Key, None if it is missing.

    Raises UserError (invalid_idempotency_key) for other lengths than 16 to 255, or characters beyond ASCII.
    """
    key = current_request().headers.get(HEADER)
    if key is not None and not (
        MIN_KEY_LENGTH <= len(key) <= MAX_KEY_LENGTH and key.isascii() and key.isprintable()
    ):
        raise UserError("invalid_idempotency_key", "An Idempotency-Key must have 16 to 255 ASCII characters.")
    return key


def find_saved(request: IdempotencyKey) -> Prediction | None:
    """Return the prediction saved with this key; None if there is none or the database cannot be reached."""
    try:
        return replay(request)
    except NotFound:
        return None
    except DATABASE_ERRORS:
        db.session.rollback()
        return None
    finally:
        db.session.commit()  # release the connection before recognition


def replay(request: IdempotencyKey) -> Prediction:
    """Return the prediction saved with this key, marked `repeated`.

    Raises UserError (idempotency_key_reused) if the key was used for another drawing, NotFound if the
    prediction was deleted.
    """
    query = select(Prediction).where(Prediction.request_key == request.key)
    prediction = db.session.scalar(query.options(undefer(Prediction.request_content)))
    if prediction is None:
        raise NotFound
    if prediction.request_content != request.content:
        raise UserError("idempotency_key_reused", "This Idempotency-Key was used for another drawing.")
    prediction.repeated = True
    return prediction


def _digest(first: bytes, second: bytes) -> bytes:
    return hashlib.sha256(len(first).to_bytes(8) + first + second).digest()[:16]
