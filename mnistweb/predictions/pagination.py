"""Pagination by cursors, which stay correct while rows are added or deleted."""

import base64
import binascii
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from mnistweb.database.models import Prediction

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Page:
    """Predictions, newest first, and the cursor of the next page, or None on the last page."""

    items: Sequence[Prediction]
    next: str | None


def encode_cursor(prediction: Prediction) -> str:
    """Encode the time and id of a page's last prediction as URL-safe base64."""
    microseconds = (prediction.created_at - EPOCH) // MICROSECOND
    packed = microseconds.to_bytes(8, "big", signed=True) + prediction.id.bytes
    return base64.urlsafe_b64encode(packed).decode()


def decode_cursor(cursor: str) -> tuple[datetime, uuid.UUID]:
    """Decode the time and id in a cursor. Raises ValueError for any other text."""
    try:
        packed = base64.b64decode(cursor.encode("ascii"), altchars=b"-_", validate=True)
        if len(packed) != 24:
            raise ValueError("wrong length")
        created_at = EPOCH + int.from_bytes(packed[:8], "big", signed=True) * MICROSECOND
    except (ValueError, OverflowError, binascii.Error):
        raise ValueError("not a cursor") from None
    return created_at, uuid.UUID(bytes=packed[8:])
