import uuid
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnistweb.database.models import Prediction
from mnistweb.predictions.pagination import decode_cursor, encode_cursor


@given(st.datetimes(min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30)), st.uuids())
def test_cursor_round_trips(moment: datetime, prediction_id: uuid.UUID) -> None:
    created_at = moment.replace(tzinfo=UTC)
    cursor = encode_cursor(Prediction(created_at=created_at, id=prediction_id))
    assert decode_cursor(cursor) == (created_at, prediction_id)


@given(st.text())
def test_decoding_raises_only_value_errors(text: str) -> None:
    try:
        created_at, _ = decode_cursor(text)
        assert created_at.tzinfo is not None
    except ValueError:
        pass


def test_cursor_beyond_the_calendar_is_rejected() -> None:
    with pytest.raises(ValueError, match="not a cursor"):
        decode_cursor("f" + "_" * 31)
