"""A burst of more clients than a site has room for: its answers, and the time to recover."""

import selectors
import socket
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.benchmarks.load import Client, Load, measure

CLIENTS = 200
SECONDS = 5.0
PROBE_SECONDS = 0.5
"""Length of each measurement during recovery."""
RECOVERY_TIMEOUT = 30.0
NO_ANSWER = 0
REFUSALS = (429, 503)


@dataclass(slots=True)
class Burst:
    """Latencies by status, in seconds, and the number of rejections without Retry-After."""

    latencies: defaultdict[int, list[float]] = field(default_factory=lambda: defaultdict(list))
    without_retry_after: int = 0

    def share(self, status: int) -> float:
        """Return the share of answers with this status, 0..1."""
        return len(self.latencies[status]) / max(sum(map(len, self.latencies.values())), 1)

    @property
    def slowest_refusal(self) -> float:
        """Seconds; 0 without rejections."""
        return max((time for status in REFUSALS for time in self.latencies[status]), default=0.0)


def burst(port: int, requests: Sequence[bytes], clients: int = CLIENTS, seconds: float = SECONDS) -> Burst:
    """Let `clients` post as fast as they are answered; rejected ones try again at once."""
    found = Burst()
    selector = selectors.DefaultSelector()
    for turn in range(clients):
        _send(selector, Client(_connect(port), turn), requests)
    ends = time.perf_counter() + seconds
    while selector.get_map() and (now := time.perf_counter()) < ends + RECOVERY_TIMEOUT:
        for key, _ in selector.select(timeout=1.0):
            client = key.data
            try:
                if not client.receive():
                    continue
            except ConnectionError:
                client.status = NO_ANSWER
            now = time.perf_counter()
            found.latencies[client.status].append(now - client.due)
            if client.status in REFUSALS and b"retry-after:" not in client.received.lower():
                found.without_retry_after += 1
            selector.unregister(client.connection)
            if client.status == NO_ANSWER or now >= ends:
                client.connection.close()
                client.connection = _connect(port) if now < ends else client.connection
            if now < ends:
                _send(selector, client, requests)
    selector.close()
    return found


def seconds_to_recover(port: int, requests: Sequence[bytes], usual: Load) -> float:
    """Measure the seconds until half of the answers take at most twice the usual median."""
    started = time.perf_counter()
    while (gone := time.perf_counter() - started) < RECOVERY_TIMEOUT:
        try:
            if measure(port, requests, 1, PROBE_SECONDS).percentile(50) <= 2 * usual.percentile(50):
                return gone
        except (RuntimeError, ConnectionError, IndexError):
            time.sleep(0.1)
    return gone


def _connect(port: int) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port), timeout=30)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def _send(selector: selectors.BaseSelector, client: Client, requests: Sequence[bytes]) -> None:
    client.due = time.perf_counter()
    client.send(requests)
    selector.register(client.connection, selectors.EVENT_READ, client)
