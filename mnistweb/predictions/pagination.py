"""Orders of a listing, and pagination by cursors, which stay correct while rows are added or deleted."""

import base64
import binascii
import enum
import struct
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from mnistweb.database.models import Prediction

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
POSITION = struct.Struct(">q16s")  # time in microseconds, id: all that a cursor once held
DETAILS = struct.Struct(">d?")  # confidence, whether it goes backwards


class Order(enum.StrEnum):
    """Order of a listing. Among equal confidences the newest comes first, with SUREST, or last."""

    NEWEST = "newest"
    OLDEST = "oldest"
    SUREST = "surest"
    LEAST_SURE = "least_sure"

    @property
    def by_confidence(self) -> bool:
        """True if the confidence decides before the time does."""
        return self in (Order.SUREST, Order.LEAST_SURE)

    @property
    def descending(self) -> bool:
        """True if the highest confidence, or else the latest time, comes first."""
        return self in (Order.NEWEST, Order.SUREST)


@dataclass(frozen=True, slots=True)
class Page:
    """Predictions in the order of a listing, with cursors of the next page and of the one before, if any."""

    items: Sequence[Prediction]
    next: str | None
    previous: str | None = None


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in a listing: after the prediction with this time, id and confidence, or before it.

    The confidence is None in cursors of former versions, which fit orders by time only.
    """

    created_at: datetime
    id: uuid.UUID
    confidence: float | None = None
    backwards: bool = False


def encode_cursor(prediction: Prediction, *, backwards: bool = False) -> str:
    """Encode the place after a page's last prediction, or before its first, as URL-safe base64."""
    microseconds = (prediction.created_at - EPOCH) // MICROSECOND
    packed = POSITION.pack(microseconds, prediction.id.bytes) + DETAILS.pack(prediction.confidence, backwards)
    return base64.urlsafe_b64encode(packed).decode()


def decode_cursor(cursor: str) -> Cursor:
    """Decode a cursor. Raises ValueError for any other text."""
    try:
        packed = base64.b64decode(cursor.encode("ascii"), altchars=b"-_", validate=True)
        details = packed[POSITION.size :]
        confidence, backwards = DETAILS.unpack(details) if details else (None, False)
        if confidence is not None and not 0 <= confidence <= 1:
            raise ValueError("not a confidence")
        microseconds, prediction_id = POSITION.unpack(packed[: POSITION.size])
        created_at = EPOCH + microseconds * MICROSECOND
    except (ValueError, OverflowError, binascii.Error, struct.error):
        raise ValueError("not a cursor") from None
    return Cursor(created_at, uuid.UUID(bytes=prediction_id), confidence, backwards)
