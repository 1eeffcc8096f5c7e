"""Time limits for calls that may block without end, such as requests to a server that sends a byte at a time.

A socket's timeout restarts with every byte, and name resolution has none. So a call runs in a thread of its
own, and the caller stops waiting for it.
"""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

IDLE_TIMEOUT = 10.0
"""Seconds after which a thread without a call ends."""

Result = TypeVar("Result")


class TooManyCalls(Exception):
    """All places are taken, by calls under way and by those that nobody waits for any more."""


class BoundedCalls:
    """At most `places` calls at a time, each awaited for a limited time. Safe to use from several threads.

    A call that exceeds its time goes on, and keeps its place until it ends. Threads are started as needed,
    and reused. They are daemons: a call that never ends does not keep the process from ending.
    """

    def __init__(self, places: int) -> None:
        self._lock = threading.Lock()
        self._free = places
        self._idle_threads = 0
        self._queue: SimpleQueue[tuple[Callable[[], Any], Future[Any]]] = SimpleQueue()

    def run(self, call: Callable[[], Result], timeout: float) -> Result:
        """Return the result of `call`, or raise its exception.

        Raises TimeoutError after `timeout` seconds, TooManyCalls at once if no place is free.
        """
        outcome: Future[Result] = Future()
        with self._lock:
            if not self._free:
                raise TooManyCalls
            if self._idle_threads:
                self._idle_threads -= 1
            else:
                threading.Thread(target=self._work, name="bounded-call", daemon=True).start()
            self._free -= 1
        self._queue.put((call, outcome))
        return outcome.result(timeout)

    def _work(self) -> None:
        while True:
            try:
                self._run_next()
            except Empty:
                with self._lock:
                    if self._idle_threads:  # otherwise a call for this thread is about to be queued
                        self._idle_threads -= 1
                        return

    def _run_next(self) -> None:
        call, outcome = self._queue.get(timeout=IDLE_TIMEOUT)
        try:
            try:
                result = call()
            finally:
                with self._lock:
                    self._free += 1
                    self._idle_threads += 1
        except BaseException as error:  # belongs to the thread that waits
            outcome.set_exception(error)
        else:
            outcome.set_result(result)
