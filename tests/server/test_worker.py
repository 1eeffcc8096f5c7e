"""HTTP as the worker speaks it."""

import json
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from http.client import HTTPResponse

import pytest

from mnistweb.server.worker import MAX_HELD
from tests.support.drawings import data_url, digit_png
from tests.support.servers import served_site
from tests.support.sites import SECRET

pytestmark = pytest.mark.process

BODY = json.dumps({"image": data_url(digit_png(3))}).encode()
POST = b"POST /api/v1/predictions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
WITH_LENGTH = POST + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY
HEALTH = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
Answer = tuple[int, str, bytes]


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a site with one process."""
    folder = str(tmp_path_factory.mktemp("worker"))
    settings = {"INSTANCE_PATH": folder, "DATABASE_URL": f"sqlite:///{folder}/site.sqlite3", "WORKERS": "1"}
    with served_site(settings | {"SECRET_KEY": SECRET, "RATELIMIT_ENABLED": "false"}) as port:
        yield port


@pytest.fixture
def client(port: int) -> Iterator[socket.socket]:
    """A connection."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield client


def answer(client: socket.socket) -> Answer:
    """Read one response: its status, its header Connection, and its body."""
    response = HTTPResponse(client)
    response.begin()
    return response.status, response.headers["Connection"], response.read()


def is_closed(client: socket.socket) -> bool:
    return client.recv(1) == b""


def test_connection_is_used_again(client: socket.socket) -> None:
    for request, status in ((HEALTH, 200), (WITH_LENGTH, 201), (HEALTH, 200)):
        client.sendall(request)
        assert answer(client)[:2] == (status, "keep-alive")


def test_requests_that_come_together_are_answered_in_order(client: socket.socket) -> None:
    client.sendall(HEALTH + WITH_LENGTH + HEALTH)
    received = b""
    while received.count(b"HTTP/1.1 ") < 3 or not received.endswith(b'{"status":"ok"}\n'):
        received += client.recv(65536)
    assert [part[:3] for part in received.split(b"HTTP/1.1 ")[1:]] == [b"200", b"201", b"200"]


def test_request_may_come_in_small_pieces(client: socket.socket) -> None:
    for start in range(0, len(WITH_LENGTH), 150):
        client.sendall(WITH_LENGTH[start : start + 150])
    assert answer(client)[0] == 201


def test_body_in_chunks_is_read_and_the_connection_closed(client: socket.socket) -> None:
    chunks = b"".join(b"%X\r\n%s\r\n" % (len(part), part) for part in (BODY[:100], BODY[100:]))
    client.sendall(POST + b"Transfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n" + HEALTH)
    assert answer(client)[:2] == (201, "close")
    assert is_closed(client)


def test_client_that_waits_is_asked_for_its_body(client: socket.socket) -> None:
    client.sendall(POST + b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(BODY))
    assert client.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
    client.sendall(BODY)
    assert answer(client)[0] == 201


@pytest.mark.parametrize("more", [b"", b"Expect: 100-continue\r\n"])
def test_body_that_is_too_large_is_refused_before_it_is_sent(client: socket.socket, more: bytes) -> None:
    client.sendall(POST + more + b"Content-Length: 50000000\r\n\r\n")
    assert answer(client)[:2] == (413, "close")
    client.sendall(bytes(100_000))


@pytest.mark.parametrize(
    "request_",
    [
        POST + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
        POST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        POST + b"Content-Length: 5\r\n X: folded\r\n\r\nhello",
        b"nonsense\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 9000 + b"\r\n\r\n",
    ],
    ids=["length and chunks", "two lengths", "folded line", "no HTTP", "long header"],
)
def test_ambiguous_request_is_refused_and_nothing_after_it_is_read(
    client: socket.socket, request_: bytes
) -> None:
    client.sendall(request_ + HEALTH)
    status, connection, _ = answer(client)
    assert status in (400, 431)
    assert connection == "close"
    assert is_closed(client)


def test_old_client_gets_its_answer_and_the_end(client: socket.socket) -> None:
    client.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
    assert answer(client)[:2] == (200, "close")
    assert is_closed(client)


def test_half_closed_client_gets_its_answer(client: socket.socket) -> None:
    client.sendall(WITH_LENGTH)
    client.shutdown(socket.SHUT_WR)
    assert answer(client)[0] == 201


def test_silence_after_an_answer_ends_the_connection(client: socket.socket) -> None:
    client.sendall(HEALTH)
    assert answer(client)[0] == 200
    assert is_closed(client)


def test_slow_reader_gets_the_whole_answer_after_the_connection_is_idle(port: int) -> None:
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        client.settimeout(10)
        client.connect(("127.0.0.1", port))
        client.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        time.sleep(8)  # longer than an idle connection is kept
        status, _, page = answer(client)
        assert status == 200
        assert page.rstrip().endswith(b"</html>")


def test_bodies_that_fill_the_memory_make_room_for_smaller_ones(port: int) -> None:
    size = 11_000_000
    part = POST + b"Content-Length: %d\r\n\r\n" % size + bytes(size - 1)
    with ExitStack() as stack:
        crowd = [
            stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=10)) for _ in range(14)
        ]
        for client in crowd:
            with suppress(ConnectionError):
                client.sendall(part)
        honest = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=10))
        honest.sendall(WITH_LENGTH)
        assert answer(honest)[0] == 201
        time.sleep(0.5)
        for client in crowd:
            client.setblocking(False)
        assert sum(map(_is_open, crowd)) == MAX_HELD // size


def _is_open(client: socket.socket) -> bool:
    try:
        return bool(client.recv(1))
    except BlockingIOError:
        return True
    except ConnectionError:
        return False
