"""Wilson score intervals."""

import pytest

from mnistweb.proportion import Proportion, difference_interval, interval


# Newcombe, "Two-sided confidence intervals for the single proportion", Stat. Med. 17 (1998) 857-872, table I.
@pytest.mark.parametrize(
    ("correct", "count", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_interval_equals_published_values(correct: int, count: int, low: float, high: float) -> None:
    assert interval(correct, count, z=1.959964) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize("count", [1, 3, 7, 49, 1_000_000])
def test_interval_contains_the_share_within_0_and_1(count: int) -> None:
    for correct in {0, 1, count // 2, count - 1, count}:
        low, high = interval(correct, count)
        assert 0 <= low <= correct / count <= high <= 1


def test_interval_is_symmetric() -> None:
    low, high = interval(3, 10)
    assert interval(7, 10) == pytest.approx((1 - high, 1 - low))


def test_interval_of_nothing_is_0_to_1() -> None:
    assert interval(0, 0) == (0.0, 1.0)


def test_part_above_total_is_an_error() -> None:
    with pytest.raises(ValueError, match="3 of 2"):
        interval(3, 2)


# Newcombe (1998), table II, method 10.
@pytest.mark.parametrize(
    ("one", "other", "low", "high"),
    [
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((6, 7), (2, 7), 0.0582, 0.8062),
        ((5, 56), (0, 29), -0.0381, 0.1926),
        ((0, 10), (0, 20), -0.1611, 0.2775),
        ((10, 10), (0, 10), 0.6075, 1.0),
    ],
)
def test_differences_have_newcombes_intervals(
    one: tuple[int, int], other: tuple[int, int], low: float, high: float
) -> None:
    found = difference_interval(Proportion(*one), Proportion(*other))
    assert found == pytest.approx((low, high), abs=1e-4)


def test_difference_of_nothing_is_unknown() -> None:
    assert difference_interval(Proportion(0, 0), Proportion(0, 0)) == (-1, 1)
