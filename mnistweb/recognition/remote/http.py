"""A pool of connections whose timeout bounds a whole response.

Elsewhere it starts anew with every byte that arrives, so that a server that trickles is waited for forever.
"""

import io
import socket
import time
from http.client import HTTPResponse
from typing import Any

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection


class _Reader(io.RawIOBase):
    """The bytes of a socket, for no longer than its timeout was when this was made."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket) -> None:
        self._raw, self._sock = raw, sock
        self._ends = time.monotonic() + (sock.gettimeout() or 0.0)

    def readable(self) -> bool:
        """It is there to be read."""
        return True

    def readinto(self, buffer: Any) -> int | None:
        """Take what has come. Raises TimeoutError when the time is over."""
        left = self._ends - time.monotonic()
        if left <= 0:
            raise TimeoutError("timed out")
        self._sock.settimeout(left)
        count: int | None = self._raw.readinto(buffer)
        return count

    def close(self) -> None:
        """Let go of the socket."""
        self._raw.close()
        super().close()


class _Response(HTTPResponse):
    def __init__(self, sock: socket.socket, *arguments: Any, **named: Any) -> None:
        super().__init__(sock, *arguments, **named)
        # When a response is begun, what is left of the time is the timeout of its socket.
        self.fp = io.BufferedReader(_Reader(self.fp.detach(), sock))


class _Plain(HTTPConnection):
    response_class = _Response


class _Encrypted(HTTPSConnection):
    response_class = _Response


def connection_pool(url: str, connections: int) -> urllib3.HTTPConnectionPool:
    """A pool of so many connections to the host of a URL. Every request of it must have a timeout."""
    pool = urllib3.connection_from_url(url, maxsize=connections)
    pool.ConnectionCls = _Encrypted if pool.scheme == "https" else _Plain
    return pool
