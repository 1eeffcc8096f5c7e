"""A circuit breaker: what failed again and again is left alone for a while, then tried by one at a time.

The pattern: M. Nygard, "Release It!", 2007.
"""

import threading
import time


class Breaker:
    """Opens after `failures` in a row, for `pause` seconds. Safe to use from several threads."""

    def __init__(self, failures: int, pause: float) -> None:
        self._most = failures
        self._pause = pause
        self._lock = threading.Lock()
        self._failures = 0
        self._rests_until = 0.0  # monotonic seconds

    def allows(self) -> bool:
        """Whether to try now; then `report` must follow."""
        with self._lock:
            now = time.monotonic()
            if self._failures < self._most:
                return True
            if now < self._rests_until:
                return False
            self._rests_until = now + self._pause  # for this one; the others wait for its outcome
            return True

    def report(self, success: bool) -> None:
        """Say how it went."""
        with self._lock:
            if success:
                self._failures = 0
                return
            self._failures += 1
            if self._failures >= self._most:
                self._rests_until = time.monotonic() + self._pause
