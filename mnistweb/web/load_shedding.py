"""A burst of requests: some work, some wait, and the rest are told at once to come back."""

import threading
from collections import deque

from flask import Flask, current_app, g, request
from werkzeug import Response
from werkzeug.exceptions import ServiceUnavailable

KEY = "mnistweb-gate"
PATIENCE = 2.0
"""Seconds that a request waits for its turn."""
COME_BACK = 2
"""Seconds after which a refused client may try again."""
ALWAYS = {None, "static", "health", "metrics"}
"""Blueprints, and the files, that are answered in any case: they are quick, and tell how things are."""


class AdmissionControl:
    """Lets `places` in at a time, and `waiting` more wait for one of them, each in its turn."""

    def __init__(self, places: int, waiting: int) -> None:
        self._lock = threading.Lock()
        self._free = places
        self._most = waiting
        self._queue: deque[threading.Lock] = deque()  # each is held, until its owner is let in

    def enter(self) -> bool:
        """Whether there was a place, after a wait of at most PATIENCE seconds; then `leave` must follow."""
        with self._lock:
            if self._free:
                self._free -= 1
                return True
            if len(self._queue) >= self._most:
                return False
            turn = threading.Lock()
            turn.acquire()
            self._queue.append(turn)
        if turn.acquire(timeout=PATIENCE):
            return True
        with self._lock:
            if turn not in self._queue:  # let in at the last moment
                return True
            self._queue.remove(turn)
            return False

    def leave(self) -> None:
        """Let the next one in, or leave a place free."""
        with self._lock:
            if self._queue:
                self._queue.popleft().release()
            else:
                self._free += 1


def init_app(app: Flask) -> None:
    """Work on THREADS requests at a time, while WAITING more wait; the server needs a thread for each."""
    app.extensions[KEY] = AdmissionControl(app.config["THREADS"], app.config["WAITING"])
    app.before_request(_enter)
    app.after_request(_answered)
    app.teardown_request(_leave)


def _enter() -> None:
    if (request.blueprint or request.endpoint) in ALWAYS:
        return
    if not current_app.extensions[KEY].enter():
        raise ServiceUnavailable(retry_after=COME_BACK)
    g.inside = True


def _answered(response: Response) -> Response:
    # What is sent piece by piece, to whoever reads slowly, keeps nobody out.
    _leave()
    return response


def _leave(_error: BaseException | None = None) -> None:
    if g.pop("inside", False):
        current_app.extensions[KEY].leave()
