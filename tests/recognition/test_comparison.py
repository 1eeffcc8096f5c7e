"""Comparisons of two versions: intervals, the verdict, and JSON."""

import dataclasses
import json
import uuid
from datetime import UTC, datetime
from typing import Any

import pytest

from mnistweb.recognition.comparison import (
    Comparison,
    ComparisonError,
    Counts,
    Disagreement,
    Outcome,
    Paired,
    Reading,
    SetResult,
    parse_comparison,
)

DRAWING = uuid.uuid4()


def paired(both: int, only_new: int, only_old: int, neither: int) -> Paired:
    count = both + only_new + only_old + neither
    old, new = both + only_old, both + only_new
    return Paired(
        count, Counts(old, count - old, 0, 0, 0), Counts(new, count - new, 0, 0, 0), only_old, only_new
    )


def result(name: str, answers: Paired, p: float = 0.001, frozen: bool = True) -> SetResult:
    return SetResult(name, f"the set {name}", frozen, answers, p, 0.01, None, {"3": answers}, {}, "abc")


def comparison(*sets: SetResult, **fields: Any) -> Comparison:
    return Comparison("cnn", "1", "2", datetime(2026, 1, 1, tzinfo=UTC), sets, **fields)


BETTER = result("reviewed", paired(80, 15, 0, 5), frozen=False)
EQUAL = result("mnist_test", paired(990, 3, 3, 4), 1.0)


@pytest.mark.parametrize(
    ("table", "low", "high"),
    [
        ((36, 12, 2, 0), 0.0569, 0.3404),  # Newcombe 1998, table II, method 10
        ((0, 0, 0, 0), -1, 1),
        ((50, 0, 0, 0), -0.0713, 0.0713),  # all right: no correlation can be seen
        ((0, 0, 0, 50), -0.0713, 0.0713),
    ],
)
def test_interval_of_a_difference(table: tuple[int, int, int, int], low: float, high: float) -> None:
    difference = paired(*table).difference
    assert (difference.low, difference.high) == pytest.approx((low, high), abs=1e-3)


def test_interval_is_the_mirror_image_if_the_versions_are_swapped() -> None:
    there, back = paired(700, 40, 25, 235).difference, paired(700, 25, 40, 235).difference
    assert (there.value, there.low, there.high) == pytest.approx((-back.value, -back.high, -back.low))


def test_better_on_reviewed_drawings_and_not_worse_elsewhere_passes() -> None:
    verdict = comparison(BETTER, EQUAL).decision()
    assert verdict.passes
    assert verdict.reasons == ()


@pytest.mark.parametrize(
    ("sets", "reason"),
    [
        ((EQUAL,), "There are no reviewed drawings"),
        ((BETTER,), "There is no frozen test set"),
        ((dataclasses.replace(BETTER, p=0.2), EQUAL), "it is not shown to be better: 15 of 100"),
        ((result("reviewed", paired(80, 0, 15, 5)), EQUAL), "it is not shown to be better"),
        ((BETTER, result("ways", paired(900, 0, 11, 89))), "On the set ways it is worse by 1.10 %"),
    ],
)
def test_verdict_gives_its_reason(sets: tuple[SetResult, ...], reason: str) -> None:
    verdict = comparison(*sets).decision(0.01)
    assert not verdict.passes
    assert any(reason in each for each in verdict.reasons)


def test_margin_is_the_loss_that_is_allowed() -> None:
    worse = comparison(BETTER, result("ways", paired(900, 0, 11, 89)))
    assert worse.decision(0.02).passes
    assert not worse.decision(0).passes


def test_what_a_new_version_changed() -> None:
    three, five, none = (Reading(digit, "sure", 0.9) for digit in (3, 5, None))
    outcomes = [
        Disagreement("ways", 3, *each).outcome for each in ((five, three), (three, none), (five, none))
    ]
    assert outcomes == [Outcome.REPAIRED, Outcome.SPOILT, Outcome.OTHERWISE]


def test_json_is_read_back_without_pictures_of_the_log() -> None:
    readings = Reading(3, "sure", 0.9), Reading(None, "not_a_digit", 0.7)
    frozen = Disagreement("mnist_test", 3, *readings, image="data:image/png;base64,AA")
    of_the_log = Disagreement("reviewed", None, *readings, image="data:image/png;base64,AA", drawing=DRAWING)
    made = comparison(BETTER, EQUAL, disagreements=(frozen, of_the_log), notes=("A note.",))
    text = json.dumps(made.as_json())
    read = parse_comparison(text)
    assert read == dataclasses.replace(
        made, disagreements=(frozen, dataclasses.replace(of_the_log, image=""))
    )
    assert json.loads(text)["verdict"]["passes"] is True
    assert json.loads(text)["sets"][0]["difference"]["value"] == 0.15


def test_sets_are_found_by_name() -> None:
    assert comparison(BETTER, EQUAL).set_named("mnist_test") == EQUAL
    assert comparison(BETTER).set_named("mnist_test") is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": 2}, "format 2"),
        ({"sets": None}, "not a comparison"),
        ({"compared_at": "yesterday"}, "not a comparison"),
        ({"disagreements": [{}]}, "not a comparison"),
    ],
)
def test_other_json_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ComparisonError, match=message):
        Comparison.from_json(comparison(BETTER).as_json() | change)


def test_contradictory_counts_are_refused() -> None:
    values = comparison(BETTER).as_json()
    values["sets"][0]["only_new"] = 40
    with pytest.raises(ComparisonError, match="contradict"):
        Comparison.from_json(values)


def test_text_that_is_not_json_is_refused() -> None:
    with pytest.raises(ComparisonError, match="not JSON"):
        parse_comparison("{")
    with pytest.raises(ComparisonError, match="not a comparison"):
        parse_comparison("[]")
