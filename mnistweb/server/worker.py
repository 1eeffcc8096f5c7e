"""Gunicorn's threaded worker, in which no client can hold a thread by dawdling.

Its event loop receives requests, and sends what a client is slow to read. A thread gets a request when it is
whole. Each transfer has a deadline, and each address a number of connections. The workers of a server share
new connections evenly.
"""

import selectors
import socket
import struct
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from typing import Any

from gunicorn.errors import ConfigError
from gunicorn.http.errors import InvalidHeader
from gunicorn.workers.gthread import ThreadWorker

from mnistweb.server.balance import Load, Turn, WorkerLoads
from mnistweb.server.connection import READ_SIZE, Connection
from mnistweb.server.pace import Pace

LINGER = 2.0
"""Seconds in which a client may read the end of the last response."""
SWEEP_INTERVAL = 1.0
PAUSE = 0.001
"""Seconds after which a worker asks again for a connection that it left to others."""
ABORT = struct.pack("ii", 1, 0)
"""A linger time of 0 seconds."""
MAX_HELD = 96 * 1024**2
"""Bytes of requests and responses that a process keeps for its clients."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of clients: seconds, bytes of a request, and connections of one address (None: any number)."""

    receive_timeout: float = 15.0
    send_timeout: float = 15.0
    request_bytes: int = 12 * 1024**2
    per_address: int | None = None


class BufferingWorker(ThreadWorker):  # type: ignore[misc]
    """The worker; `limits` are those of its class."""

    limits = Limits()
    loads = WorkerLoads()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._waiting: dict[Connection, None] = {}  # for their client, the longest first
        self._between_requests = 0  # connections
        self._turn = Turn(self.loads, self.age)
        self._accepts_from = 0.0
        self._networks: Counter[str] = Counter()
        self._held = 0
        self._next_sweep = 0.0

    @classmethod
    def check_config(cls, cfg: Any, log: Any) -> None:
        """Refuse TLS, which this worker does not speak."""
        super().check_config(cfg, log)
        if cfg.is_ssl:
            raise ConfigError("Leave TLS to a proxy, or choose --worker-class gthread.")

    # Accepting

    @property
    def _load(self) -> Load:
        return Load(self.nr_conns - self._between_requests, self.nr_conns)

    def set_accept_enabled(self, enabled: bool) -> None:
        """Accept connections or not, but none during a pause. gunicorn calls it until it has its way."""
        if not enabled:
            self.loads.forget(self.age)
        elif time.monotonic() >= self._accepts_from:
            self._accepts_from = 0.0
        super().set_accept_enabled(enabled and not self._accepts_from)

    def wait_for_and_dispatch_events(self, timeout: float) -> None:
        """Wait for events, not beyond the end of a pause, and call what they are for."""
        if self.alive:
            now = time.monotonic()
            self.loads.publish(self.age, self._load, now)
            if self._accepts_from:
                timeout = min(timeout, max(0.0, self._accepts_from - now))
        super().wait_for_and_dispatch_events(timeout)

    def accept(self, listener: socket.socket) -> None:
        """Accept a connection, unless another worker has less to do.

        It closes the connection that has waited longest if there are too many.
        """
        now = time.monotonic()
        if not self._turn.is_mine(self._load, now):
            self._accepts_from = now + PAUSE
            super().set_accept_enabled(False)
            return
        try:
            client, peer = listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        conn = Connection(
            client, peer, listener.getsockname(), self.limits.request_bytes, self.limits.send_timeout
        )
        self._make_room(conn.network)
        self.nr_conns += 1
        self._networks[conn.network] += 1
        conn.pace = Pace(self.limits.receive_timeout)
        self._receive(conn)

    def _make_room(self, network: str) -> None:
        most = self.limits.per_address
        if most and network and self._networks[network] >= most:
            self._abort_longest(lambda conn: conn.network == network)
        if self.nr_conns >= self.worker_connections - 1:
            self._abort_longest(lambda _: True)

    def _abort_longest(self, chosen: Callable[[Connection], bool]) -> None:
        if conn := next(filter(chosen, self._waiting), None):
            self._abort(conn)

    # Receiving

    def _receive(self, conn: Connection) -> None:
        """Read what has arrived of a request, and give it to a thread when it is whole."""
        try:
            count = conn.receive()
            if count:
                conn.invite_body()
        except OSError:
            count = 0
        if count == 0:
            self._close(conn)
            return
        if count is not None:
            conn.pace.moved(count)
            self._hold(conn, conn.held + count)
        if conn.closed:  # because it held the most
            return
        if conn.complete:
            self._stop_waiting(conn)
            conn.hand_over(self.cfg)
            self.enqueue_req(conn)
        else:
            self._wait(conn, selectors.EVENT_READ, self._receive)

    def handle_request(self, req: Any, conn: Connection) -> bool:
        """Answer a request, in a thread."""
        if conn.reusable and not conn.agrees(req):
            raise InvalidHeader("CONTENT-LENGTH", req=req)
        req._expected_100_continue = False  # the body is here, or not wanted
        if not conn.reusable:
            req.force_close()
        return bool(super().handle_request(req, conn))

    # Sending

    def finish_request(self, conn: Connection, fs: "Future[bool]") -> None:
        """Send the rest of a response, then wait for the next request, or close."""
        conn.keep = not fs.cancelled() and fs.exception() is None and fs.result()
        if conn.sock.broken:
            self._abort(conn)
            return
        conn.pace = Pace(self.limits.send_timeout)
        self._hold(conn, len(conn.sock.pending))
        self._send(conn)

    def _send(self, conn: Connection) -> None:
        try:
            if conn.sock.pending:
                conn.pace.moved(conn.sock.send_pending())
        except OSError:
            self._close(conn)
            return
        if conn.sock.pending:
            self._wait(conn, selectors.EVENT_WRITE, self._send)
            return
        self._stop_waiting(conn)
        self._hold(conn, 0)
        if not conn.keep:
            self._begin_to_close(conn)
        elif conn.next_request():
            conn.pace = Pace(self.limits.receive_timeout)
            self._receive(conn)
        else:
            conn.pace = Pace(self.cfg.keepalive)
            self._between_requests += 1
            conn.between_requests = True
            self._wait(conn, selectors.EVENT_READ, self._receive_next)

    def _receive_next(self, conn: Connection) -> None:
        self._begin_request(conn)
        conn.pace = Pace(self.limits.receive_timeout)
        self._stop_waiting(conn)
        self._receive(conn)

    def _begin_request(self, conn: Connection) -> None:
        self._between_requests -= conn.between_requests
        conn.between_requests = False

    # Closing

    def _begin_to_close(self, conn: Connection) -> None:
        """Say that nothing follows, and close once the client has read it (RFC 9112, section 9.6)."""
        try:
            conn.socket.shutdown(socket.SHUT_WR)
        except OSError:
            self._close(conn)
            return
        conn.pace = Pace(LINGER)
        self._wait(conn, selectors.EVENT_READ, self._discard)

    def _discard(self, conn: Connection) -> None:
        try:
            if not conn.socket.recv(READ_SIZE):
                self._close(conn)
        except BlockingIOError:
            pass
        except OSError:
            self._close(conn)

    def _abort(self, conn: Connection) -> None:
        """Close a connection at once, and let the system forget what its client has not read."""
        conn.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ABORT)
        self._close(conn)

    def _close(self, conn: Connection) -> None:
        self._stop_waiting(conn)
        self._begin_request(conn)
        self._hold(conn, 0)
        self.nr_conns -= 1
        self._networks[conn.network] -= 1
        if not self._networks[conn.network]:
            del self._networks[conn.network]
        conn.socket.close()

    # Waiting

    def _wait(self, conn: Connection, events: int, then: Callable[[Connection], None]) -> None:
        if conn not in self._waiting:
            self._waiting[conn] = None
            self.poller.register(conn.socket, events, partial(self._continue, conn, then))

    def _continue(self, conn: Connection, then: Callable[[Connection], None], _socket: socket.socket) -> None:
        if conn in self._waiting:  # not closed by an event of the same moment
            then(conn)

    def _stop_waiting(self, conn: Connection) -> None:
        if conn in self._waiting:
            del self._waiting[conn]
            self.poller.unregister(conn.socket)

    def _hold(self, conn: Connection, count: int) -> None:
        """Count the bytes that are kept for a client. Beyond MAX_HELD, the client with the most has to go."""
        self._held += count - conn.held
        conn.held = count
        if count and self._held > MAX_HELD:
            largest = max(self._waiting, key=lambda each: each.held, default=None)
            if largest and largest.held:
                self._abort(largest)

    def murder_pending(self) -> None:
        """Close the connections whose deadline is over."""
        now = time.monotonic()
        if now < self._next_sweep:
            return
        self._next_sweep = now + SWEEP_INTERVAL
        for conn in [each for each in self._waiting if each.pace.deadline <= now]:
            self._close_overdue(conn)

    def _close_overdue(self, conn: Connection) -> None:
        if conn.idle and not conn.unread():
            self._close(conn)
        elif conn.idle and conn.reads(self.limits.send_timeout):
            conn.pace = Pace(self.limits.send_timeout)
        else:
            self._abort(conn)

    def _cap_keepalive(self, deadline: float) -> None:
        for conn in self._waiting:
            if conn.idle:
                conn.pace.deadline = min(conn.pace.deadline, deadline)
