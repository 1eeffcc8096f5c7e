"""Circuit breaker: stop calling a service that keeps failing, and let one trial call through after a pause.

The pattern: M. Nygard, "Release It!", 2007.
"""

import threading
import time
from collections.abc import Callable


class CircuitBreaker:
    """Open after `failures` in a row, for `pause_seconds`. Safe to use from several threads.

    `clock` returns seconds that never go back.
    """

    def __init__(
        self, failures: int, pause_seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._limit = failures
        self._pause = pause_seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._failures = 0
        self._open_until = 0.0

    def allows_call(self) -> bool:
        """Return whether to call now. A call that is made must be recorded."""
        with self._lock:
            now = self._clock()
            if self._failures < self._limit:
                return True
            if now < self._open_until:
                return False
            self._open_until = now + self._pause  # for this trial; the others wait for its outcome
            return True

    def record_success(self) -> None:
        """Close the circuit, and forget earlier failures."""
        with self._lock:
            self._failures = 0

    def record_failure(self) -> None:
        """Count a failure, and open the circuit if it was one too many."""
        with self._lock:
            self._failures += 1
            if self._failures >= self._limit:
                self._open_until = self._clock() + self._pause
