"""New connections go to the worker that has the least to do.

The system lets all workers of a server accept from one socket, and the quickest takes all that come together.
Their clients would then wait for one process, while another idles.
"""

import mmap
from typing import NamedTuple

SLOTS = 64
FRESH = 2.5
"""Seconds for which a worker's load counts. A worker that lives renews it each second."""
ACCEPT_DELAY = 0.02
"""Seconds in which another worker may take a connection. Its own threads may delay it."""


class Load(NamedTuple):
    """The connections of a worker: those that wait for an answer, and all."""

    busy: float
    open: float


class WorkerLoads:
    """The loads of a server's workers, by their numbers, in memory that it shares with its forks.

    Times are those of `time.monotonic`.
    """

    def __init__(self) -> None:
        self._cells = memoryview(mmap.mmap(-1, SLOTS * 3 * 8)).cast("d")

    def publish(self, worker: int, load: Load, now: float) -> None:
        """Say what a worker has to do."""
        first = worker % SLOTS * 3
        self._cells[first + 1], self._cells[first + 2] = load
        self._cells[first] = now

    def forget(self, worker: int) -> None:
        """Say that a worker accepts no more connections."""
        self._cells[worker % SLOTS * 3] = 0.0

    def least_of_others(self, worker: int, now: float) -> Load | None:
        """Return the least load of another worker; None if there is none."""
        cells, own = self._cells.tolist(), worker % SLOTS
        others = (3 * slot for slot in range(SLOTS) if slot != own and cells[3 * slot] > now - FRESH)
        return min((Load(cells[first + 1], cells[first + 2]) for first in others), default=None)


class Turn:
    """Decides if a worker accepts a connection now, or leaves it to the others for a while."""

    def __init__(self, loads: WorkerLoads, worker: int) -> None:
        self._loads, self._worker = loads, worker
        self._left_at = float("-inf")

    def is_mine(self, load: Load, now: float) -> bool:
        """Return whether no other has less to do. If no other accepts soon, it is true once all the same."""
        least = self._loads.least_of_others(self._worker, now)
        if least is None or load <= least:
            return True
        if now >= self._left_at + 2 * ACCEPT_DELAY:  # another connection
            self._left_at = now
        if now < self._left_at + ACCEPT_DELAY:
            return False
        self._left_at = float("-inf")
        return True
