"""Statistical tests of drift: what is noticed, and how often chance is."""

from math import log

import numpy as np
import pytest

from mnistweb.predictions.drift_statistics import (
    BINS,
    CHI_SQUARE_99,
    NOTICEABLE_INDEX,
    DistributionDrift,
    ShareDrift,
    Verdict,
)
from mnistweb.proportion import Proportion

LOOKS = 2000
"""Simulated looks at a site on which nothing has changed."""


def share_drift(rng: np.random.Generator, before: float, latest: float, number: int = 500) -> ShareDrift:
    counts = (rng.binomial(4 * number, before), rng.binomial(number, latest))
    return ShareDrift(Proportion(int(counts[0]), 4 * number), Proportion(int(counts[1]), number))


def bin_drift(rng: np.random.Generator, latest: np.ndarray, number: int = 500) -> DistributionDrift:
    before = np.full(BINS, 1 / BINS)
    return DistributionDrift(
        rng.multinomial(4 * number, before).tolist(), rng.multinomial(number, latest).tolist()
    )


@pytest.mark.parametrize("share", [0.03, 0.2, 0.9])
@pytest.mark.parametrize("number", [100, 500, 50_000])
def test_chance_seldom_changes_a_share(share: float, number: int) -> None:
    rng = np.random.default_rng(0)
    alarms = sum(share_drift(rng, share, share, number).verdict is Verdict.CHANGED for _ in range(LOOKS))
    assert alarms <= 0.01 * LOOKS


@pytest.mark.parametrize("number", [200, 500, 2000])
def test_chance_seldom_changes_a_distribution(number: int) -> None:
    rng = np.random.default_rng(0)
    latest = np.full(BINS, 1 / BINS)
    alarms = sum(bin_drift(rng, latest, number).verdict is Verdict.CHANGED for _ in range(LOOKS))
    assert alarms <= 0.015 * LOOKS


@pytest.mark.parametrize(("before", "latest"), [(0.05, 0.13), (0.9, 0.8), (0.1, 0.02)])
def test_large_change_of_a_share_is_noticed(before: float, latest: float) -> None:
    rng = np.random.default_rng(0)
    noticed = sum(share_drift(rng, before, latest).verdict is Verdict.CHANGED for _ in range(200))
    assert noticed >= 190


def test_large_change_of_a_distribution_is_noticed() -> None:
    rng = np.random.default_rng(0)
    latest = np.linspace(0.5, 1.5, BINS) / BINS
    shifted = latest**2 / (latest**2).sum()
    assert sum(bin_drift(rng, shifted).verdict is Verdict.CHANGED for _ in range(200)) >= 190


def test_tiny_change_of_a_share_is_ignored_however_sure() -> None:
    drift = ShareDrift(Proportion(50_000, 1_000_000), Proportion(60_000, 1_000_000))
    assert drift.interval[0] > 0
    assert drift.verdict is Verdict.SAME


def test_few_drawings_have_no_verdict() -> None:
    assert ShareDrift(Proportion(0, 99), Proportion(99, 99)).verdict is Verdict.FEW
    assert ShareDrift(Proportion(0, 0), Proportion(0, 0)).verdict is Verdict.FEW
    assert DistributionDrift([199] + [0] * 9, [0] * 9 + [199]).verdict is Verdict.FEW
    assert DistributionDrift([0] * 10, [0] * 10).verdict is Verdict.FEW


def test_index_is_that_of_its_definition() -> None:
    drift = DistributionDrift([1_000_000, 3_000_000], [2_000_000, 2_000_000])
    assert drift.size == pytest.approx(0.25 * log(2) + 0.25 * log(1.5), rel=1e-4)
    assert DistributionDrift([5] * 10, [5] * 10).size == 0


def test_bound_is_the_quantile_of_chance() -> None:
    """The chi-square approximation holds, where it exceeds the rule of thumb."""
    number = 200
    rng = np.random.default_rng(0)
    latest = np.full(BINS, 1 / BINS)
    sizes = [bin_drift(rng, latest, number).size for _ in range(LOOKS)]
    quantile = CHI_SQUARE_99 * (1 / number + 1 / (4 * number))
    assert quantile > NOTICEABLE_INDEX
    assert np.quantile(sizes, 0.99) == pytest.approx(quantile, rel=0.15)
