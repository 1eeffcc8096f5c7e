"""Storage of rate limits in memory. That of `limits` starts threads for counting; this one needs none."""

import threading
import time
from collections.abc import Callable

from limits.storage import Storage

CLEAN_UP_INTERVAL = 60
"""Seconds between two removals of the windows that are over."""


class MemoryStorage(Storage):
    """Counts of this process. `clock` returns seconds since 1970."""

    STORAGE_SCHEME = None

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        super().__init__()
        self._clock = clock
        self._lock = threading.Lock()
        self._windows: dict[str, tuple[int, float]] = {}  # count, and end
        self._clean_up_at = 0.0

    @property
    def base_exceptions(self) -> type[Exception]:
        """The exceptions of this storage, which raises none."""
        return ValueError

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Add to the current window, or to a new one of `expiry` seconds, and return its count."""
        now = self._clock()
        with self._lock:
            if now >= self._clean_up_at:
                self._windows = {each: window for each, window in self._windows.items() if window[1] > now}
                self._clean_up_at = now + CLEAN_UP_INTERVAL
            count, end = self._windows.get(key, (0, 0.0))
            if end <= now:
                count, end = 0, now + expiry
            self._windows[key] = count + amount, end
            return count + amount

    def get(self, key: str) -> int:
        """Return the count of the current window."""
        count, end = self._windows.get(key, (0, 0.0))
        return count if end > self._clock() else 0

    def get_expiry(self, key: str) -> float:
        """Return the end of the current window, in seconds since 1970."""
        return self._windows.get(key, (0, self._clock()))[1]

    def check(self) -> bool:
        """Return that the storage is available."""
        return True

    def reset(self) -> int:
        """Remove all counts, and return their number."""
        with self._lock:
            count = len(self._windows)
            self._windows.clear()
            return count

    def clear(self, key: str) -> None:
        """Remove one count."""
        with self._lock:
            self._windows.pop(key, None)
