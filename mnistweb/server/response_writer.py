"""The socket of a response: what a client is slow to read waits here, not in a thread."""

import errno
import select
import socket

from mnistweb.server.pace import Pace

MAX_PENDING = 1024**2
"""Bytes that wait here. A response beyond them, which only a download is, waits in its thread."""


class ResponseWriter:
    """Takes the place of a socket for gunicorn. `pending` is what the client has still to read."""

    def __init__(self, client: socket.socket, timeout: float) -> None:
        self.pending = bytearray()
        self.broken = False
        self._socket = client
        self._timeout = timeout

    def sendall(self, data: bytes) -> None:
        """Send what the client takes at once, and keep the rest. Raises BrokenPipeError."""
        if self.broken:
            raise _broken_pipe()
        sent = 0 if self.pending else self._send(data)
        if sent < len(data):
            self.pending += memoryview(data)[sent:]
        if len(self.pending) > MAX_PENDING:
            self._wait_for_reader()

    def send_pending(self) -> int:
        """Send what the client takes of the rest, and return its bytes. Raises OSError."""
        sent = self._send(memoryview(self.pending)[:MAX_PENDING].tobytes())
        del self.pending[:sent]
        return sent

    def _send(self, data: bytes) -> int:
        try:
            return self._socket.send(data)
        except BlockingIOError:
            return 0

    def _wait_for_reader(self) -> None:
        pace = Pace(self._timeout)
        poll = select.poll()
        poll.register(self._socket, select.POLLOUT)
        while self.pending:
            if not poll.poll(pace.left() * 1000):
                self.broken = True
                raise _broken_pipe()
            pace.moved(self.send_pending())

    # gunicorn calls these too, for sockets that block.

    send = sendall

    def setblocking(self, flag: bool) -> None:
        """Do nothing: it never blocks."""

    def settimeout(self, seconds: float | None) -> None:
        """Do nothing: it has its own deadline."""

    def gettimeout(self) -> float:
        """Return 0: it never blocks."""
        return 0.0

    def shutdown(self, how: int) -> None:  # noqa: ARG002
        """Refuse: the worker closes the connection, once everything is sent."""
        raise OSError(errno.ENOTCONN, "The worker closes the connection.")

    def close(self) -> None:
        """Do nothing: the worker closes the connection."""


def _broken_pipe() -> BrokenPipeError:
    return BrokenPipeError(errno.EPIPE, "The client does not read.")
