import uuid
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnistweb.database.models import Prediction
from mnistweb.predictions.pagination import Cursor, decode_cursor, encode_cursor


@given(
    st.datetimes(min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30)),
    st.uuids(),
    st.floats(0, 1),
    st.booleans(),
)
def test_cursor_round_trips(
    moment: datetime, prediction_id: uuid.UUID, confidence: float, backwards: bool
) -> None:
    created_at = moment.replace(tzinfo=UTC)
    prediction = Prediction(created_at=created_at, id=prediction_id, confidence=confidence)
    cursor = encode_cursor(prediction, backwards=backwards)
    assert decode_cursor(cursor) == Cursor(created_at, prediction_id, confidence, backwards)


def test_cursor_of_a_former_version_is_read() -> None:
    former = decode_cursor("AAZJqyLSKAB9PTteLQpMU6CjaxbVLwue")
    assert former.id == uuid.UUID("7d3d3b5e-2d0a-4c53-a0a3-6b16d52f0b9e")
    assert former.created_at.year == 2026
    assert (former.confidence, former.backwards) == (None, False)


@pytest.mark.parametrize("confidence", [float("nan"), float("inf"), -0.1, 1.1])
def test_cursor_with_an_impossible_confidence_is_rejected(confidence: float) -> None:
    prediction = Prediction(
        created_at=datetime(2026, 1, 1, tzinfo=UTC), id=uuid.uuid4(), confidence=confidence
    )
    with pytest.raises(ValueError, match="not a cursor"):
        decode_cursor(encode_cursor(prediction))


@given(st.text())
def test_decoding_raises_only_value_errors(text: str) -> None:
    with suppress(ValueError):
        assert decode_cursor(text).created_at.tzinfo is not None


def test_cursor_beyond_the_calendar_is_rejected() -> None:
    with pytest.raises(ValueError, match="not a cursor"):
        decode_cursor("f" + "_" * 31)
