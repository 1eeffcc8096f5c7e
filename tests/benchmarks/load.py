"""Load generator: clients in one thread, which leaves the processor to the server."""

import secrets
import selectors
import socket
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

KEY = b"{idempotency-key}"
"""Bytes of a request that are replaced by a new random key each time."""
JSON = {"Content-Type": "application/json"}


@dataclass(slots=True)
class Load:
    """Duration of a measurement and latencies of all answers, both in seconds, and their size.

    `body_bytes` counts the bodies as sent, without the headers.
    """

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    body_bytes: int = 0

    def add(self, other: "Load") -> None:
        """Add another measurement."""
        self.seconds += other.seconds
        self.latencies += other.latencies
        self.body_bytes += other.body_bytes

    @property
    def rate(self) -> float:
        """Answers per second."""
        return len(self.latencies) / self.seconds

    def percentile(self, percent: int) -> float:
        """Return a percentile of the latencies, in milliseconds."""
        return sorted(self.latencies)[len(self.latencies) * percent // 100] * 1000


@dataclass(slots=True)
class Client:
    """One keep-alive connection, and the current answer."""

    connection: socket.socket
    turn: int
    due: float = 0.0  # time of the next request, or of the current one
    received: bytearray = field(default_factory=bytearray)
    status: int = 0  # of the complete answer
    body_bytes: int = 0  # of the complete answer

    def send(self, requests: Sequence[bytes]) -> None:
        """Post the next drawing."""
        self.turn += 1
        self.received.clear()
        request = requests[self.turn % len(requests)]
        self.connection.sendall(request.replace(KEY, secrets.token_hex(16).encode(), 1))

    def receive(self) -> bool:
        """Receive available bytes; return true if the answer is complete. Raises ConnectionError."""
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
        self.body_bytes = length
        return len(body) >= length


def http_post(path: str, body: bytes, headers: Mapping[str, str] = JSON) -> bytes:
    """Return a whole HTTP request. KEY in a header is replaced each time that it is sent."""
    lines = [f"{name}: {value}" for name, value in {**headers, "Content-Length": str(len(body))}.items()]
    return "\r\n".join([f"POST {path} HTTP/1.1", "Host: localhost", *lines, "", ""]).encode() + body


def measure(port: int, requests: Sequence[bytes], clients: int, seconds: float, *, rate: float = 0.0) -> Load:
    """Let `clients` post `requests` in turn for `seconds`, each as soon as it is answered.

    With a `rate`, all clients together send that many requests per second. The latency of a late request
    counts from the time when it was due. Raises RuntimeError for a status other than 200 and 201.
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
                found.body_bytes += client.body_bytes
                client.due = client.due + pause if rate else now
                idle.append(client)
    for key in list(selector.get_map().values()):
        key.data.connection.close()
    selector.close()
    return found
