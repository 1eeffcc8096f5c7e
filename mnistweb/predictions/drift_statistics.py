"""Statistical tests of drift: whether the latest answers differ from those of a reference window."""

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import log

from mnistweb.proportion import Proportion, difference_interval

Z = 2.576
"""The normal quantile of 99 %: chance alone changes one of five measures in at most 5 % of looks."""
TOLERANCE = 0.02
"""The largest difference of shares that does not matter: with many drawings, a tiny one is no chance."""
ENOUGH_ANSWERS = 100
"""Answers in each window, at least, for a verdict on a share."""
ENOUGH_SAMPLED = 200
"""Drawings in each window's sample, at least, for a verdict on a distribution."""
NOTICEABLE_INDEX = 0.1
"""A population stability index below this is a small change, by the usual rule of thumb (see Yurdakul)."""
CHI_SQUARE_99 = 21.67
"""The 99 % quantile of the chi-square distribution with BINS - 1 degrees of freedom."""
BINS = 10


class Verdict(enum.StrEnum):
    """Result of a comparison."""

    FEW = "few"  # too few drawings to tell
    SAME = "same"
    CHANGED = "changed"


@dataclass(frozen=True)
class ShareDrift:
    """A share of the latest answers against that of the reference window."""

    reference: Proportion
    recent: Proportion

    @cached_property
    def size(self) -> float:
        """The difference of the shares, -1..1."""
        return self.recent.value - self.reference.value

    @cached_property
    def interval(self) -> tuple[float, float]:
        """The 99 % interval of the difference (Newcombe)."""
        return difference_interval(self.recent, self.reference, Z)

    @property
    def verdict(self) -> Verdict:
        """CHANGED if the whole interval is beyond the tolerance."""
        if min(self.recent.total, self.reference.total) < ENOUGH_ANSWERS:
            return Verdict.FEW
        low, high = self.interval
        return Verdict.CHANGED if low > TOLERANCE or high < -TOLERANCE else Verdict.SAME


@dataclass(frozen=True)
class DistributionDrift:
    """Counts of the latest drawings in BINS bins against those of the reference window."""

    reference: Sequence[int]
    recent: Sequence[int]

    @cached_property
    def size(self) -> float:
        """The population stability index: the symmetric Kullback-Leibler divergence of the bins' shares.

        Half a drawing more in each bin keeps it finite. Source: B. Yurdakul, "Statistical Properties of
        Population Stability Index", dissertation, Western Michigan University, 2018.
        """
        pairs = zip(_smoothed(self.recent), _smoothed(self.reference), strict=True)
        return sum((recent - before) * log(recent / before) for recent, before in pairs)

    @cached_property
    def bound(self) -> float:
        """The least index that is noticed.

        Without drift, the index is about (1/n + 1/m) times a chi-square variable for n and m drawings
        (Yurdakul). The bound exceeds its 99 % quantile.
        """
        drawn = [max(sum(counts), 1) for counts in (self.recent, self.reference)]
        return max(NOTICEABLE_INDEX, CHI_SQUARE_99 * sum(1 / number for number in drawn))

    @property
    def verdict(self) -> Verdict:
        """CHANGED if the index reaches the bound."""
        if min(sum(self.recent), sum(self.reference)) < ENOUGH_SAMPLED:
            return Verdict.FEW
        return Verdict.CHANGED if self.size >= self.bound else Verdict.SAME


def _smoothed(counts: Sequence[int]) -> list[float]:
    total = sum(counts) + len(counts) / 2
    return [(count + 0.5) / total for count in counts]
