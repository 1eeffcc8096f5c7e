"""Clients that post as fast as they are answered, in one thread, to leave the processor to the server."""

import selectors
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(slots=True)
class Load:
    """What clients found: how long they asked for, and how long each answer took, both in seconds."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)

    def add(self, other: "Load") -> None:
        """Count another run too."""
        self.seconds += other.seconds
        self.latencies += other.latencies

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.latencies) / self.seconds

    def percentile(self, percent: int) -> float:
        """Milliseconds within which so many of a hundred answers came."""
        return sorted(self.latencies)[len(self.latencies) * percent // 100] * 1000


@dataclass(slots=True)
class Client:
    """One connection, kept alive, and what has come of the current answer."""

    connection: socket.socket
    turn: int
    due: float = 0.0  # when it is to send, or was
    received: bytearray = field(default_factory=bytearray)
    status: int = 0  # of the answer that is complete

    def send(self, requests: Sequence[bytes]) -> None:
        """Post the next drawing."""
        self.turn += 1
        self.received.clear()
        self.connection.sendall(requests[self.turn % len(requests)])

    def receive(self) -> bool:
        """Take what has arrived; whether the answer is complete. Raises ConnectionError for a closed one."""
        part = self.connection.recv(1 << 16)
        if not part:
            raise ConnectionError("the server closed the connection")
        self.received += part
        head, separator, body = self.received.partition(b"\r\n\r\n")
        if not separator:
            return False
        self.status = int(head[9:12])
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


def measure(port: int, requests: Sequence[bytes], clients: int, seconds: float, *, rate: float = 0.0) -> Load:
    """Let `clients` post `requests` in turn for `seconds`, each as soon as it is answered.

    With a `rate`, so many a second are sent by all of them together, and what a client sends late because it
    still waited for an answer counts from when it was due. Raises RuntimeError for a status other than
    200 and 201.
    """
    selector = selectors.DefaultSelector()
    started = time.perf_counter()
    ends = started + seconds
    pause = clients / rate if rate else 0.0
    idle: list[Client] = []
    for turn in range(clients):
        client = Client(socket.create_connection(("127.0.0.1", port), timeout=30), turn)
        client.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client.due = started + turn * pause / clients
        selector.register(client.connection, selectors.EVENT_READ, client)
        idle.append(client)
    found = Load(seconds)
    while (now := time.perf_counter()) < ends:
        for client in [client for client in idle if client.due <= now]:
            idle.remove(client)
            client.send(requests)
        until = min([ends, *(client.due for client in idle)])
        for key, _ in selector.select(timeout=max(0.0, until - time.perf_counter())):
            client = key.data
            if client.receive():
                if client.status not in (200, 201):
                    raise RuntimeError(bytes(client.received).decode(errors="replace"))
                now = time.perf_counter()
                found.latencies.append(now - client.due)
                client.due = client.due + pause if rate else now
                idle.append(client)
    for key in list(selector.get_map().values()):
        key.data.connection.close()
    selector.close()
    return found
