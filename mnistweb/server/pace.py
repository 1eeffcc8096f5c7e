"""Deadlines of transfers, which a slow but steady client meets."""

import time

MIN_RATE = 8 * 1024
"""Bytes per second of the slowest client."""


class Pace:
    """The deadline of a transfer: `seconds` from now, and later for each byte that moves."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self.deadline = time.monotonic() + seconds

    def moved(self, count: int) -> None:
        """Allow the time that these bytes may take; the deadline is never more than `seconds` from now."""
        self.deadline = min(self.deadline + count / MIN_RATE, time.monotonic() + self._seconds)

    def left(self) -> float:
        """Return the seconds until the deadline, at least 0."""
        return max(0.0, self.deadline - time.monotonic())
