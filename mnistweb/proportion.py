"""Proportions of counted cases, with confidence intervals."""

from dataclasses import dataclass
from math import hypot, sqrt


def interval(part: int, total: int, z: float = 1.96) -> tuple[float, float]:
    """Compute the Wilson score interval of `part` / `total`: two shares 0..1, the lower one first.

    `z` is the normal quantile: 1.96 for 95 %. With a total of 0 the interval is (0, 1). Raises ValueError
    unless 0 <= part <= total. Source: Wilson, "Probable inference, the law of succession, and statistical
    inference", J. Am. Stat. Assoc. 22 (1927) 209-212.
    """
    if not 0 <= part <= total:
        raise ValueError(f"{part} of {total} is not a proportion")
    if not total:
        return 0.0, 1.0
    share, square = part / total, z * z / total
    middle = (share + square / 2) / (1 + square)
    half = z * sqrt(share * (1 - share) / total + square / (4 * total)) / (1 + square)
    # At 0 and 1 the bound is exact, and must not exceed it by rounding.
    return (max(0.0, middle - half) if part else 0.0), (min(1.0, middle + half) if part < total else 1.0)


@dataclass(frozen=True, slots=True)
class Proportion:
    """`part` of `total` cases, such as the correct answers among those with feedback."""

    part: int
    total: int

    @property
    def value(self) -> float:
        """The share 0..1; 0 for a total of 0."""
        return self.part / self.total if self.total else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % confidence interval: two shares 0..1, the lower one first."""
        return interval(self.part, self.total)


def difference_interval(one: Proportion, other: Proportion, z: float = 1.96) -> tuple[float, float]:
    """Compute an interval of the difference `one` - `other` of independent proportions, the lower end first.

    `z` is the normal quantile: 1.96 for 95 %. With a total of 0 in both the interval is (-1, 1). Source:
    method 10 of Newcombe, "Interval estimation for the difference between independent proportions", Stat.
    Med. 17 (1998) 873-890. It combines the Wilson intervals of the two.
    """
    (low, high), (other_low, other_high) = (interval(each.part, each.total, z) for each in (one, other))
    difference = one.value - other.value
    below = hypot(one.value - low, other_high - other.value)
    above = hypot(high - one.value, other.value - other_low)
    return max(difference - below, -1.0), min(difference + above, 1.0)
