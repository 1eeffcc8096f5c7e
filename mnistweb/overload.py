"""A burst of requests: some work, some wait, and the rest are told at once to come back."""

import threading

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


class Gate:
    """Lets `places` in at a time, and `waiting` more wait for one of them."""

    def __init__(self, places: int, waiting: int) -> None:
        self._places = threading.Semaphore(places)
        self._waiting = threading.Semaphore(waiting)

    def enter(self) -> bool:
        """Whether there was a place, after a wait of at most PATIENCE seconds; then `leave` must follow."""
        if self._places.acquire(blocking=False):
            return True
        if not self._waiting.acquire(blocking=False):
            return False
        try:
            return self._places.acquire(timeout=PATIENCE)
        finally:
            self._waiting.release()

    def leave(self) -> None:
        """Make room for the next."""
        self._places.release()


def init_app(app: Flask) -> None:
    """Work on THREADS requests at a time, while WAITING more wait; the server needs threads for all of them."""
    app.extensions[KEY] = Gate(app.config["THREADS"], app.config["WAITING"])
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
