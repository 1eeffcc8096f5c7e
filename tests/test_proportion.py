"""Wilson score intervals."""

import pytest

from mnistweb.proportion import interval


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
