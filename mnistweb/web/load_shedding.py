"""Admission control: serve some requests at a time, queue some more, and refuse the rest at once with 503."""

import threading
from collections import deque

from flask import Flask
from werkzeug import Response
from werkzeug.exceptions import ServiceUnavailable

from mnistweb.current import current_request, current_site, request_state

EXTENSION = "mnistweb-admission"
QUEUE_TIMEOUT = 2.0
"""Seconds that a request waits in the queue."""
RETRY_AFTER = 2
"""Seconds after which a refused client may try again."""
EXEMPT = {None, "health", "metrics"}
"""Blueprints that are always served, because they report the site's state, and None for unknown addresses."""


class AdmissionControl:
    """Admits `places` requests at a time, and `waiting` more in the order of their arrival.

    A request waits for `timeout` seconds at most.
    """

    def __init__(self, places: int, waiting: int, timeout: float = QUEUE_TIMEOUT) -> None:
        self._lock = threading.Lock()
        self._free = places
        self._max_waiting = waiting
        self._timeout = timeout
        self._queue: deque[threading.Lock] = deque()  # each is locked until its request is admitted

    def enter(self) -> bool:
        """Wait for a place, and return whether there was one. If so, `leave` must follow."""
        with self._lock:
            if self._free:
                self._free -= 1
                return True
            if len(self._queue) >= self._max_waiting:
                return False
            turn = threading.Lock()
            turn.acquire()
            self._queue.append(turn)
        if turn.acquire(timeout=self._timeout):
            return True
        with self._lock:
            if turn not in self._queue:  # admitted in the last moment
                return True
            self._queue.remove(turn)
            return False

    def leave(self) -> None:
        """Give the place to the next request in the queue, or leave it free."""
        with self._lock:
            if self._queue:
                self._queue.popleft().release()
            else:
                self._free += 1


def init_app(app: Flask) -> None:
    """Serve THREADS requests at a time, while WAITING more wait. The server needs a thread for each."""
    app.extensions[EXTENSION] = AdmissionControl(app.config["THREADS"], app.config["WAITING"])
    app.before_request(_enter)
    app.after_request(_leave_early)
    app.teardown_request(_leave)


def _enter() -> None:
    request = current_request()
    if (request.blueprint or request.endpoint) in EXEMPT:
        return
    if not current_site().extensions[EXTENSION].enter():
        raise ServiceUnavailable(retry_after=RETRY_AFTER)
    request_state().admitted = True


def _leave_early(response: Response) -> Response:
    # A slow client that reads a streamed response occupies no place.
    _leave()
    return response


def _leave(_error: BaseException | None = None) -> None:
    if request_state().pop("admitted", False):
        current_site().extensions[EXTENSION].leave()
