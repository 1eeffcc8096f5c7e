"""Clients that hold connections open and do as little as they can on them."""

import socket
import time
from contextlib import suppress
from dataclasses import dataclass, field

HEAD = b"POST /api/v1/predictions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
FIRST_BYTES = {
    "silence": b"",
    "half a head": HEAD,
    "slow head": HEAD + b"X-Slow: ",
    "half a body": HEAD + b"Content-Length: 50000\r\n\r\n{",
    "slow body": HEAD + b"Content-Length: 50000\r\n\r\n{",
    "slow chunks": HEAD + b"Transfer-Encoding: chunked\r\n\r\n8000\r\n{",
    "unread page": b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "unread download": b"GET /history.jsonl HTTP/1.1\r\nHost: localhost\r\n\r\n",
}
"""The first bytes of each kind; those that are slow go on by a byte a second."""
SMALL_BUFFER = 4096


@dataclass
class Dawdlers:
    """Clients of one kind, from one address or each from another of this machine."""

    port: int
    kind: str
    count: int
    many_addresses: bool = False
    host: str = "127.0.0.1"
    clients: list[socket.socket] = field(default_factory=list)
    next_byte: float = 0.0

    def start(self) -> None:
        """Open all connections."""
        for number in range(self.count):
            client = socket.socket()
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BUFFER)
            client.settimeout(5)
            if self.many_addresses:
                client.bind((f"127.0.{1 + number // 200}.{1 + number % 200}", 0))
            client.connect((self.host, self.port))
            with suppress(OSError):
                client.sendall(FIRST_BYTES[self.kind])
            client.setblocking(False)
            self.clients.append(client)

    def send_a_byte(self) -> None:
        """Send the next byte where the kind does, at most once a second."""
        if self.kind.startswith("slow") and time.monotonic() >= self.next_byte:
            self.next_byte = time.monotonic() + 1
            for client in self.clients:
                with suppress(OSError):
                    client.send(b"x")

    def closed(self) -> int:
        """Return how many of them the server has closed, by what the system knows of each connection."""
        return sum(_state(client) != ESTABLISHED for client in self.clients)

    def wait_until_closed(self, seconds: float) -> int:
        """Go on for some seconds, or until the server has closed all; return how many it has not."""
        deadline = time.monotonic() + seconds
        while (left := self.count - self.closed()) and time.monotonic() < deadline:
            self.send_a_byte()
            time.sleep(0.1)
        return left

    def stop(self) -> None:
        """Close all connections."""
        for client in self.clients:
            client.close()


ESTABLISHED = 1


def _state(client: socket.socket) -> int:
    # The first byte of TCP_INFO. The server's end is seen although nothing is read.
    return client.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]
