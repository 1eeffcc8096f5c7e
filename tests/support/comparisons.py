"""Comparisons of two versions of a model, with counts made up."""

from datetime import UTC, datetime

from mnistweb.recognition.comparison import REVIEWED, Comparison, Counts, Paired, SetResult

N = 1_000


def comparison(name: str, old: str, new: str, *, gained: int = 40, lost: int = 0) -> Comparison:
    """Return a comparison: better on reviewed drawings by `gained`, worse on a frozen set by `lost`."""
    sets = (_set(REVIEWED, "reviewed drawings", False, gained, 0), _set("mnist", "MNIST", True, 0, lost))
    return Comparison(name, old, new, datetime(2026, 11, 28, 12, tzinfo=UTC), sets)


def _set(name: str, title: str, frozen: bool, only_new: int, only_old: int) -> SetResult:
    def counts(right: int) -> Counts:
        return Counts(right, N - right, 0, 0, 0)

    old = 900
    answers = Paired(N, counts(old), counts(old + only_new - only_old), only_old, only_new)
    return SetResult(name, title, frozen, answers, 0.001 if only_new != only_old else 1.0, 0.01, 0.01)
