"""How much one visitor, and one address, may ask for in a minute. What is over it gets 429 at once."""

import ipaddress
import logging
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import Flask, current_app, request
from limits import RateLimitItemPerMinute
from limits.storage import Storage, storage_from_string
from limits.strategies import FixedWindowRateLimiter
from werkzeug.exceptions import TooManyRequests

from mnistweb.config import ConfigError
from mnistweb.web.visitors import known_visitor

logger = logging.getLogger(__name__)

KEY = "mnistweb-limits"
MEMORY = "memory://"
ENDPOINTS = {
    "RATELIMIT_PREDICT": ("draw.predict", "api.predict"),
    "RATELIMIT_GUESS": ("live_guess.guess",),
    "RATELIMIT_FEEDBACK": ("draw.feedback", "api.feedback"),
    "RATELIMIT_COMPARISON": ("draw.comparison", "api.comparison"),
    "RATELIMIT_INSIDE": ("explain.show",),
    "RATELIMIT_READ": ("history.index", "insights.index", "api.listing"),
    "RATELIMIT_DOWNLOAD": ("history.as_csv", "history.as_json_lines"),
    "RATELIMIT_DELETE": ("my_drawings.delete", "my_drawings.delete_all", "api.delete"),
}
"""What each setting limits; its routes are counted together."""
PAUSE = 5.0
"""Seconds for which a storage that failed is not asked again."""
PATIENCE = 0.25
"""Seconds that a storage elsewhere may take."""


class Memory(Storage):
    """Counts in this process alone, and forgets while it counts, without a thread for that."""

    STORAGE_SCHEME = None

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()
        self._counts: dict[str, tuple[int, float]] = {}  # how many, and until when
        self._forget_at = 0.0

    @property
    def base_exceptions(self) -> type[Exception]:
        """What may go wrong: nothing that is known."""
        return ValueError

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Count, in a window that begins with the first of `expiry` seconds; how many there are in it now."""
        now = time.time()
        with self._lock:
            if now >= self._forget_at:
                self._counts = {each: found for each, found in self._counts.items() if found[1] > now}
                self._forget_at = now + expiry
            count, until = self._counts.get(key, (0, 0.0))
            if until <= now:
                count, until = 0, now + expiry
            self._counts[key] = count + amount, until
            return count + amount

    def get(self, key: str) -> int:
        """How many there are in the present window."""
        count, until = self._counts.get(key, (0, 0.0))
        return count if until > time.time() else 0

    def get_expiry(self, key: str) -> float:
        """When the present window ends, in seconds since 1970."""
        return self._counts.get(key, (0, time.time()))[1]

    def check(self) -> bool:
        """Whether it can be asked: always."""
        return True

    def reset(self) -> int:
        """Forget everything; how much that was."""
        with self._lock:
            count = len(self._counts)
            self._counts.clear()
            return count

    def clear(self, key: str) -> None:
        """Forget one key."""
        with self._lock:
            self._counts.pop(key, None)


@dataclass(slots=True)
class Limits:
    """The limits of one application: for each route its name, and what a visitor and an address may."""

    counter: FixedWindowRateLimiter
    routes: dict[str, tuple[str, RateLimitItemPerMinute, RateLimitItemPerMinute]] = field(
        default_factory=dict
    )
    asleep_until: float = 0.0

    def wait(self, endpoint: str) -> float:
        """Count one request for the route; the seconds to wait, 0 where it may pass."""
        if endpoint not in self.routes or time.monotonic() < self.asleep_until:
            return 0.0
        name, of_visitor, of_address = self.routes[endpoint]
        # Both, whatever cookie there is: whoever throws it away is still at that address.
        asked = [(of_address, name, "address", _network(request.remote_addr or ""))]
        if visitor := known_visitor():
            asked.append((of_visitor, name, "visitor", visitor))
        try:
            for item, *key in asked:
                if not self.counter.hit(item, *key):
                    return max(1.0, self.counter.get_window_stats(item, *key).reset_time - time.time())
        except Exception:
            # Whatever a storage elsewhere raises: without it the site goes on, unlimited.
            self.asleep_until = time.monotonic() + PAUSE
            logger.exception("The storage of the rate limits failed: for %.0f s nothing is limited.", PAUSE)
        return 0.0


def init_app(app: Flask) -> None:
    """Count every request of a limited route before anything else is done for it.

    Raises ConfigError for a storage that cannot be used.
    """
    if not app.config["RATELIMIT_ENABLED"]:
        return
    limits = Limits(FixedWindowRateLimiter(_storage(app.config)))
    for name, endpoints in ENDPOINTS.items():
        of_visitor, of_address = map(RateLimitItemPerMinute, app.config[name])
        limits.routes.update((endpoint, (name, of_visitor, of_address)) for endpoint in endpoints)
    app.extensions[KEY] = limits
    app.before_request(_check)


def _check() -> None:
    limits: Limits = current_app.extensions[KEY]
    if seconds := limits.wait(request.endpoint or ""):
        raise TooManyRequests(retry_after=int(seconds))


def _network(address: str) -> str:
    # Whoever has one IPv6 address has all of its /64.
    if ":" not in address:
        return address
    try:
        return str(ipaddress.ip_network((address.partition("%")[0], 64), strict=False))
    except ValueError:
        return address


def _storage(config: Mapping[str, Any]) -> Storage:
    uri = config["RATELIMIT_STORAGE_URI"]
    if uri == MEMORY:
        return Memory()
    try:
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        storage = storage_from_string(
            uri,
            socket_timeout=PATIENCE,
            socket_connect_timeout=PATIENCE,
            retry=Retry(NoBackoff(), 0),  # type: ignore[arg-type]
        )
    except Exception as error:  # the client is an extra; what it raises for a bad address is its own
        raise ConfigError(
            f'RATELIMIT_STORAGE_URI cannot be used: {error}. Redis needs pip install "mnistweb[scale]".'
        ) from None
    assert isinstance(storage, Storage)  # nosec B101 # noqa: S101 (it has no "async" in its address)
    return storage
