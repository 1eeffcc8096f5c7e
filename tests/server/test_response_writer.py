"""Responses to clients that read slowly, or not at all."""

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from mnistweb.server import pace
from mnistweb.server.pace import Pace
from mnistweb.server.response_writer import MAX_PENDING, ResponseWriter

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    """The server's socket, and the client's."""
    server, client = socket.socketpair()
    server.setblocking(False)
    yield server, client
    server.close()
    client.close()


def test_small_response_leaves_at_once(pair: Pair) -> None:
    writer = ResponseWriter(pair[0], 1)
    writer.sendall(b"answer")
    assert not writer.pending
    assert pair[1].recv(100) == b"answer"


def test_unread_response_waits_outside_of_its_thread(pair: Pair) -> None:
    writer = ResponseWriter(pair[0], 1)
    data = bytes(range(256)) * 2048
    writer.sendall(data)
    writer.sendall(b"end")
    assert writer.pending.endswith(b"end")
    received = b""
    while writer.pending:
        received += pair[1].recv(len(data))
        writer.send_pending()
    pair[0].close()
    while more := pair[1].recv(len(data)):
        received += more
    assert received == data + b"end"


def test_long_download_is_cut_if_nobody_reads(pair: Pair) -> None:
    writer = ResponseWriter(pair[0], 0.1)
    with pytest.raises(BrokenPipeError):
        writer.sendall(bytes(2 * MAX_PENDING))
    assert writer.broken
    with pytest.raises(BrokenPipeError):
        writer.sendall(b"more")


def test_long_download_goes_on_while_somebody_reads(pair: Pair) -> None:
    writer = ResponseWriter(pair[0], 5)
    data = bytes(3 * MAX_PENDING)
    received = bytearray()

    def read() -> None:
        while chunk := pair[1].recv(65536):
            received.extend(chunk)

    reader = threading.Thread(target=read)
    reader.start()
    for start in range(0, len(data), 100_000):
        writer.sendall(data[start : start + 100_000])
    while writer.pending:
        writer.send_pending()
    pair[0].close()
    reader.join(10)
    assert received == data


def test_steady_client_gets_more_time_but_saves_none(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    transfer = Pace(10)
    assert transfer.left() == 10
    transfer.moved(pace.MIN_RATE * 1000)
    assert transfer.left() == 10
    now = 105.0
    transfer.moved(pace.MIN_RATE * 2)
    assert transfer.left() == 7
    now = 200.0
    assert transfer.left() == 0
