from typing import Any

import pytest

from mnistweb.predictions.strokes import MAX_BYTES, MAX_POINTS, MAX_STROKES, check_strokes, strokes_from_form
from mnistweb.recognition.errors import UserError
from tests.support.drawings import strokes_json


def slate(points: object, width: object = 20, size: object = 280) -> dict[str, Any]:
    return {"size": size, "strokes": [{"width": width, "points": points}]}


@pytest.mark.parametrize(
    "value",
    [
        strokes_json(5),
        slate([[0, 0]]),
        slate([[0.5, -3, 0.25], [280.5, 7]]),
        {"size": 280, "strokes": []},
    ],
)
def test_valid_strokes_are_unchanged(value: dict[str, Any]) -> None:
    assert check_strokes(value) == value


def test_other_keys_are_dropped() -> None:
    value = slate([[1, 2]])
    value["extra"] = value["strokes"][0]["extra"] = "anything"
    assert check_strokes(value) == slate([[1, 2]])


@pytest.mark.parametrize(
    "value",
    [
        None,
        "text",
        [],
        {},
        {"size": 280},
        {"size": 280, "strokes": {}},
        {"size": 280, "strokes": [[]]},
        {"size": 280, "strokes": [{"width": 20}]},
        {"size": 280, "strokes": [{"width": 20, "points": [[1, 2]]}] * (MAX_STROKES + 1)},
        slate([[1, 2]], size=0),
        slate([[1, 2]], size="280"),
        slate([[1, 2]], width=-1),
        slate([[1, 2]], width=True),
        slate([[1, 2]], width=float("nan")),
        slate([]),
        slate("points"),
        slate([1, 2]),
        slate([[1]]),
        slate([[1, 2, 3, 4]]),
        slate([[1, 2, 1.5]]),
        slate([[1, None]]),
        slate([[1, True]]),
        slate([["1", 2]]),
        slate([[1, 2, float("nan")]]),
        slate([[1, float("inf")]]),
        slate([[1, 10**400]]),
        slate([[1, 2]] * (MAX_POINTS + 1)),
        {"size": 280, "strokes": [{"width": 20, "points": [[1, 2]] * (MAX_POINTS // 2 + 1)}] * 2},
    ],
)
def test_invalid_strokes_are_rejected(value: object) -> None:
    with pytest.raises(ValueError, match=r"."):
        check_strokes(value)


def test_strokes_have_a_budget_of_bytes() -> None:
    long_number = 1 / 3
    assert check_strokes(slate([[100 / 3, 200 / 3]] * MAX_POINTS))
    with pytest.raises(ValueError, match="bytes"):
        check_strokes(slate([[long_number, long_number, long_number]] * MAX_POINTS))


def test_form_field_of_strokes_is_measured_before_it_is_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("json.loads", None)
    with pytest.raises(UserError, match="bytes"):
        strokes_from_form("[" * (MAX_BYTES + 1))
