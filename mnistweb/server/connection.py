"""One connection: the request that arrives on it, and the response that leaves."""

import fcntl
import socket
import sys
import termios
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import gunicorn.http

from mnistweb.server.pace import MIN_RATE, Pace
from mnistweb.server.request_end import Progress, RequestEnd
from mnistweb.server.response_writer import ResponseWriter
from mnistweb.web.proxies import client_network

READ_SIZE = 64 * 1024


class Connection:
    """A client's connection. Some names are those that gunicorn's worker uses."""

    initialized = data_ready = True
    is_http2 = False
    parser: Any = None

    def __init__(self, client: socket.socket, peer: Any, server: Any, most: int, send_timeout: float) -> None:
        client.setblocking(False)
        self.socket, self.client, self.server = client, peer, server
        self.network = client_network(peer[0]) if isinstance(peer, tuple) else ""
        self.sock = ResponseWriter(client, send_timeout)
        self.pace = Pace(send_timeout)
        self.keep = True
        self.between_requests = False
        """True after a response that the client has read, until the first byte of the next request."""
        self.held = 0
        """Bytes of the request and of the response, as the worker counts them."""
        self._most = most
        self._unread: int | None = None
        self._next = b""  # received after the end of the request
        self._pieces: deque[bytes] = deque()
        self.request = RequestEnd(most)

    @property
    def idle(self) -> bool:
        """True after a response and before the first byte of the next request."""
        return not self._pieces and not self.sock.pending

    @property
    def closed(self) -> bool:
        """True once the worker has closed it."""
        return self.socket.fileno() < 0

    @property
    def complete(self) -> bool:
        """True if a thread can work on the request."""
        return self.request.progress in (Progress.WHOLE, Progress.REFUSED)

    def unread(self) -> int:
        """Return the bytes of responses that the system keeps for the client."""
        with suppress(OSError):  # a system that does not count them
            return int.from_bytes(fcntl.ioctl(self.socket, termios.TIOCOUTQ, bytes(4)), sys.byteorder)
        return 0

    def reads(self, seconds: float) -> bool:
        """Return whether the client has read enough of them since the last call, that many seconds ago."""
        before, self._unread = self._unread, self.unread()
        return before is None or before - self._unread >= MIN_RATE * seconds

    def receive(self) -> int | None:
        """Read what has arrived, and return its bytes: None if there is nothing yet, 0 at the end.

        Raises OSError.
        """
        data, self._next = self._next, b""
        if not data:
            try:
                data = self.socket.recv(READ_SIZE)
            except BlockingIOError:
                return None
        if data:
            used = self.request.feed(data)
            self._pieces.append(data[:used])
            self._next = data[used:]
        return len(data)

    def invite_body(self) -> None:
        """Ask a client for its body that waits to be asked."""
        if self.request.waits and self.request.progress is Progress.BODY:
            self.request.waits = False
            self.sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")

    def hand_over(self, config: Any) -> None:
        """Give gunicorn's parser the request. It never reads from the socket."""
        self.parser = gunicorn.http.get_parser(config, self._take_pieces(), self.client)

    def next_request(self) -> bool:
        """Begin anew, and return whether bytes of the next request are already there."""
        self.parser = self._unread = None
        self._pieces.clear()
        self.request = RequestEnd(self._most)
        return bool(self._next)

    def init(self) -> None:
        """Do nothing: there is nothing to prepare in a thread."""

    def agrees(self, request: Any) -> bool:
        """Return whether gunicorn has found the same length of the body."""
        return getattr(request.body.reader, "length", None) == self.request.length

    @property
    def reusable(self) -> bool:
        """True if another request may follow: this one ended where its length says."""
        return self.request.progress is Progress.WHOLE and self.request.length is not None

    def _take_pieces(self) -> Iterator[bytes]:
        while self._pieces:
            yield self._pieces.popleft()
