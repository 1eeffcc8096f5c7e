"""Some downloads at a time, so that those who are slow to read leave threads for everybody else."""

import threading
import weakref
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import partial
from typing import Any

from flask import Flask, after_this_request
from werkzeug import Response
from werkzeug.exceptions import ServiceUnavailable

from mnistweb.current import current_request, current_site
from mnistweb.web.load_shedding import RETRY_AFTER
from mnistweb.web.proxies import client_network
from mnistweb.web.rate_limits import ENDPOINTS

EXTENSION = "mnistweb-downloads"
DOWNLOADS = ENDPOINTS["RATELIMIT_DOWNLOAD"]


class DownloadPlaces:
    """`places` downloads at a time, half of them to one network."""

    def __init__(self, places: int) -> None:
        self._lock = threading.Lock()
        self._places = places
        self._per_network = max(1, places // 2)
        self._taken: Counter[str] = Counter()

    def enter(self, network: str) -> Callable[[], None] | None:
        """Take a place, and return what gives it back, also if called twice; None without a place."""
        with self._lock:
            if self._taken.total() >= self._places or self._taken[network] >= self._per_network:
                return None
            self._taken[network] += 1
        left: list[None] = [None]

        def leave() -> None:
            with self._lock, suppress(IndexError):
                left.pop()
                self._taken[network] -= 1
                if not self._taken[network]:
                    del self._taken[network]

        return leave


def init_app(app: Flask) -> None:
    """Send DOWNLOADS downloads at a time. The server needs a thread for each."""
    app.extensions[EXTENSION] = DownloadPlaces(app.config["DOWNLOADS"])
    app.before_request(_enter)


def _enter() -> None:
    request = current_request()
    if request.endpoint in DOWNLOADS:
        places: DownloadPlaces = current_site().extensions[EXTENSION]
        leave = places.enter(client_network(request.remote_addr))
        if leave is None:
            raise ServiceUnavailable(retry_after=RETRY_AFTER)
        after_this_request(partial(_leave_when_sent, leave))


def _leave_when_sent(leave: Callable[[], None], response: Response) -> Response:
    if response.is_streamed:
        response.response = _sent(response.response, leave)
    response.call_on_close(leave)
    weakref.finalize(response, leave)  # also where a server forgets to close it
    return response


def _sent(chunks: Iterable[Any], leave: Callable[[], None]) -> Iterator[Any]:
    try:
        yield from chunks
    finally:
        leave()
