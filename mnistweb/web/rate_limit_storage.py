"""Storages of rate limits: what each can do, and the one in memory."""

import threading
import time
from collections.abc import Callable
from typing import Protocol

CLEAN_UP_INTERVAL = 60
"""Seconds between two removals of the windows that are over."""


class Storage(Protocol):
    """Counts in windows of time: this process's, or those of the package `limits` in Redis."""

    def incr(self, key: str, expiry: int) -> int:
        """Add 1 to the current window, or to a new one of `expiry` seconds, and return its count."""

    def get_expiry(self, key: str) -> float:
        """Return the end of the current window, in seconds since 1970."""


class MemoryStorage:
    """Counts of this process. `clock` returns seconds since 1970.

    That of `limits` starts a thread for each process; this one needs none.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._windows: dict[str, tuple[int, float]] = {}  # count, and end
        self._clean_up_at = 0.0

    def incr(self, key: str, expiry: int) -> int:
        """Add 1 to the current window, or to a new one of `expiry` seconds, and return its count."""
        now = self._clock()
        with self._lock:
            if now >= self._clean_up_at:
                self._windows = {each: window for each, window in self._windows.items() if window[1] > now}
                self._clean_up_at = now + CLEAN_UP_INTERVAL
            count, end = self._windows.get(key, (0, 0.0))
            if end <= now:
                count, end = 0, now + expiry
            self._windows[key] = count + 1, end
            return count + 1

    def get_expiry(self, key: str) -> float:
        """Return the end of the current window, in seconds since 1970."""
        return self._windows.get(key, (0, self._clock()))[1]
