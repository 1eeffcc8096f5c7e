"""Rate limits per minute and per day, of a visitor and of an address. Requests over a limit get 429."""

import math
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from flask import Flask
from werkzeug.exceptions import TooManyRequests

from mnistweb.circuit_breaker import CircuitBreaker
from mnistweb.config import ConfigError
from mnistweb.current import current_request, current_site
from mnistweb.database.outage_log import OutageLog
from mnistweb.web.proxies import client_network
from mnistweb.web.rate_limit_storage import MemoryStorage, Storage
from mnistweb.web.visitors import known_visitor

EXTENSION = "mnistweb-rate-limits"
MEMORY_URI = "memory://"
ENDPOINTS = {
    "RATELIMIT_PREDICT": (
        "draw.predict",
        "api.predict",
        "challenge.start",
        "challenge.draw",
        "challenge.finish",
    ),
    "RATELIMIT_GUESS": ("live_guess.guess",),
    "RATELIMIT_FEEDBACK": (
        "draw.feedback",
        "api.feedback",
        "review.decide",
        "review.undo",
        "review_decisions.undo",
        "review_login.log_out",
    ),
    "RATELIMIT_COMPARISON": ("draw.comparison", "api.comparison"),
    "RATELIMIT_INSIDE": ("explain.show", "prediction.film"),
    "RATELIMIT_READ": (
        "history.index",
        "insights.index",
        "api.listing",
        "media.preview",
        "prediction.show",
        "prediction.strokes",
        "challenge.show",
        "registry.index",
        "registry.show",
        "registry.comparison",
        "docs.as_page",
    ),
    "RATELIMIT_DOWNLOAD": (
        "history.as_csv",
        "history.as_json_lines",
        "history.as_training_file",
        "my_drawings.download_all",
    ),
    "RATELIMIT_DELETE": (
        "my_drawings.delete",
        "my_drawings.delete_all",
        "challenge.delete",
        "api.delete",
        "api.delete_all",
    ),
    "RATELIMIT_LOGIN": ("review_login.log_in",),
}
"""The routes that each setting limits per minute. They are counted together."""
DAILY = {
    "RATELIMIT_PREDICT_DAY": ENDPOINTS["RATELIMIT_PREDICT"],
    "RATELIMIT_LOGIN_DAY": ENDPOINTS["RATELIMIT_LOGIN"],
}
"""The routes that each setting limits per day."""
MINUTE, DAY = 60, 24 * 60 * 60
"""Seconds in which requests are counted together."""
BREAKER_PAUSE = 5.0
"""Seconds without limits after the storage failed, until it is tried again."""
REDIS_TIMEOUT = 0.25
"""Seconds for one exchange with Redis."""


class RateLimits:
    """The limits of one application, by endpoint: a setting's name, its seconds, and its two numbers."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._breaker = CircuitBreaker(1, BREAKER_PAUSE)
        self._outages = OutageLog()
        self._routes: defaultdict[str, list[tuple[str, int, int, int]]] = defaultdict(list)

    def add(
        self, name: str, endpoints: Sequence[str], window: int, per_visitor: int, per_address: int
    ) -> None:
        """Limit the requests of all `endpoints` together, in windows of so many seconds."""
        for endpoint in endpoints:
            self._routes[endpoint].append((name, window, per_visitor, per_address))

    def seconds_to_wait(self, endpoint: str) -> float:
        """Count a request to the route. Return the seconds to wait, 0 within the limits."""
        if endpoint not in self._routes or not self._breaker.allows_call():
            return 0.0
        try:
            seconds = self._count_all(self._routes[endpoint])
        except Exception as error:
            # Whatever the storage raises, the site goes on without limits.
            self._breaker.record_failure()
            self._outages.report("The storage of the rate limits failed, and nothing is limited:", error)
            return 0.0
        self._breaker.record_success()
        return seconds

    def _count_all(self, limits: Sequence[tuple[str, int, int, int]]) -> float:
        address, visitor = client_network(current_request().remote_addr), known_visitor()
        for name, window, per_visitor, per_address in limits:
            # The address counts in any case: a client can drop its cookie.
            counts = [(f"mnistweb/{name}/address/{address}", per_address)]
            if visitor:
                counts.append((f"mnistweb/{name}/visitor/{visitor}", per_visitor))
            for key, most in counts:
                if self._storage.incr(key, window) > most:  # what one refuses is not counted by the next
                    return max(1.0, self._storage.get_expiry(key) - time.time())
        return 0.0


def init_app(app: Flask) -> None:
    """Count every request to a limited route, before its body is read.

    Raises ConfigError for a storage that cannot be used.
    """
    if not app.config["RATELIMIT_ENABLED"]:
        return
    app.extensions[EXTENSION] = limits = RateLimits(_storage(app.config))
    for window, limited in ((MINUTE, ENDPOINTS), (DAY, DAILY)):
        for name, endpoints in limited.items():
            limits.add(name, endpoints, window, *app.config[name])
    app.before_request(_check)


def _check() -> None:
    limits: RateLimits = current_site().extensions[EXTENSION]
    if seconds := limits.seconds_to_wait(current_request().endpoint or ""):
        raise TooManyRequests(retry_after=math.ceil(seconds))


def _storage(config: Mapping[str, Any]) -> Storage:
    uri = config["RATELIMIT_STORAGE_URI"]
    if uri == MEMORY_URI:
        return MemoryStorage()
    try:
        from limits.storage import RedisStorage
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        return RedisStorage(
            uri,
            socket_timeout=REDIS_TIMEOUT,
            socket_connect_timeout=REDIS_TIMEOUT,
            retry=Retry(NoBackoff(), 0),  # type: ignore[arg-type]
        )
    except Exception as error:  # both packages are an extra, and so are their exceptions
        raise ConfigError(
            f'RATELIMIT_STORAGE_URI cannot be used: {error}. Redis needs pip install "mnistweb[scale]".'
        ) from None
