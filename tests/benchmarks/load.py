"""Clients that post as fast as they are answered, in one thread, to leave the processor to the server."""

import selectors
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Load:
    """What a run of clients found: requests per second, and milliseconds at percentiles of all requests."""

    rate: float
    p50: float
    p99: float


@dataclass(slots=True)
class Client:
    """One connection, kept alive, and what has come of the current answer."""

    connection: socket.socket
    turn: int
    sent_at: float = 0.0
    received: bytearray = field(default_factory=bytearray)

    def send(self, requests: Sequence[bytes]) -> None:
        """Post the next drawing."""
        self.turn += 1
        self.received.clear()
        self.sent_at = time.perf_counter()
        self.connection.sendall(requests[self.turn % len(requests)])

    def receive(self) -> bool:
        """Take what has arrived; whether the answer is complete. Raises RuntimeError unless it is 201."""
        part = self.connection.recv(1 << 16)
        if not part:
            raise RuntimeError("the server closed the connection")
        self.received += part
        head, separator, body = self.received.partition(b"\r\n\r\n")
        if not separator:
            return False
        if b" 201 " not in head[:20]:
            raise RuntimeError(bytes(self.received).decode(errors="replace"))
        length = next(
            int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")
        )
        return len(body) >= length


def http_post(path: str, body: bytes) -> bytes:
    """A whole HTTP request."""
    return (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode() + body


def measure(port: int, requests: Sequence[bytes], clients: int, seconds: float, warm_up: float = 2.0) -> Load:
    """Let `clients` post `requests` in turn for `seconds`, after `warm_up` seconds that do not count."""
    selector = selectors.DefaultSelector()
    for turn in range(clients):
        client = Client(socket.create_connection(("127.0.0.1", port), timeout=30), turn)
        client.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        selector.register(client.connection, selectors.EVENT_READ, client)
        client.send(requests)
    latencies: list[float] = []
    counts_from = time.perf_counter() + warm_up
    ends = counts_from + seconds
    while (now := time.perf_counter()) < ends:
        for key, _ in selector.select(timeout=ends - now):
            client = key.data
            if client.receive():
                if client.sent_at >= counts_from:
                    latencies.append(time.perf_counter() - client.sent_at)
                client.send(requests)
    for key in list(selector.get_map().values()):
        key.data.connection.close()
    selector.close()
    latencies.sort()
    return Load(
        rate=len(latencies) / seconds,
        p50=latencies[len(latencies) // 2] * 1000,
        p99=latencies[len(latencies) * 99 // 100] * 1000,
    )
