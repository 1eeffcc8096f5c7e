"""New connections are shared by the workers of a server."""

import os
import signal
import socket
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from http.client import HTTPResponse
from pathlib import Path

import pytest

from mnistweb.server.balance import ACCEPT_DELAY, FRESH, SLOTS, Load, Turn, WorkerLoads
from tests.support.postgres import free_port
from tests.support.servers import running

NOW = 1000.0
IDLE = Load(0, 0)
APPLICATION = """
import os

def application(environ, start_response):
    start_response("200 OK", [("Content-Length", "10")])
    return [b"%10d" % os.getpid()]
"""


@pytest.fixture
def loads() -> WorkerLoads:
    return WorkerLoads()


@pytest.mark.parametrize(
    ("own", "others", "mine"),
    [
        (Load(3, 3), [], True),
        (Load(3, 3), [Load(3, 3)], True),
        (Load(3, 9), [Load(4, 4)], True),
        (Load(4, 4), [Load(3, 9)], False),
        (Load(3, 9), [Load(3, 8)], False),
        (Load(3, 3), [Load(5, 5), Load(2, 2)], False),
    ],
)
def test_connection_is_for_the_least_busy(
    loads: WorkerLoads, own: Load, others: list[Load], mine: bool
) -> None:
    for worker, load in enumerate(others, 2):
        loads.publish(worker, load, NOW)
    assert Turn(loads, 1).is_mine(own, NOW) is mine


def test_worker_is_not_compared_with_itself(loads: WorkerLoads) -> None:
    loads.publish(1, IDLE, NOW)
    assert Turn(loads, 1).is_mine(Load(9, 9), NOW)


def test_worker_that_is_gone_takes_none(loads: WorkerLoads) -> None:
    loads.publish(2, IDLE, NOW)
    loads.publish(3, IDLE, NOW)
    loads.forget(2)
    assert not Turn(loads, 1).is_mine(Load(1, 1), NOW)
    loads.forget(3)
    assert Turn(loads, 1).is_mine(Load(1, 1), NOW)


def test_worker_that_is_stuck_soon_takes_none(loads: WorkerLoads) -> None:
    loads.publish(2, IDLE, NOW)
    assert not Turn(loads, 1).is_mine(Load(1, 1), NOW + FRESH / 2)
    assert Turn(loads, 1).is_mine(Load(1, 1), NOW + FRESH)


def test_what_no_other_takes_is_accepted_one_by_one(loads: WorkerLoads) -> None:
    loads.publish(2, IDLE, NOW)
    turn = Turn(loads, 1)
    times = [NOW + ACCEPT_DELAY * quarter / 4 for quarter in range(10)]
    taken = [time for time in times if turn.is_mine(Load(1, 1), time)]
    assert taken == [times[4], times[9]]


def test_numbers_of_workers_may_grow(loads: WorkerLoads) -> None:
    loads.publish(7 * SLOTS + 2, IDLE, NOW)
    assert loads.least_of_others(1, NOW) == IDLE
    loads.publish(9 * SLOTS + 2, Load(5, 6), NOW)
    assert loads.least_of_others(1, NOW) == Load(5, 6)


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    """The port of two workers, which answer with the numbers of their processes."""
    (tmp_path / "pids.py").write_text(APPLICATION)
    port = free_port()
    options = ["--workers", "2", "--threads", "4", "--bind", f"127.0.0.1:{port}", "--log-level", "warning"]
    worker_class = ["--worker-class", "mnistweb.server.worker.BufferingWorker"]
    command = [sys.executable, "-m", "gunicorn", *options, *worker_class, "pids:application"]
    with running(command, port, {"PYTHONPATH": str(tmp_path)}):
        wait_for_both(port)
        yield port


def wait_for_both(port: int) -> None:
    """Wait until both workers are ready, and each knows that the other has nothing to do."""
    deadline = time.monotonic() + 30
    while len(set(answers(port, 2))) < 2:
        assert time.monotonic() < deadline


def answers(port: int, clients: int) -> list[int]:
    """Open connections at once, ask by all of them, and return who answered. The server closes them first."""
    with ExitStack() as stack:
        connections = [
            stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=10))
            for _ in range(clients)
        ]
        for connection in connections:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        found = []
        for connection in connections:
            response = HTTPResponse(connection)
            response.begin()
            found.append(int(response.read()))
        for connection in connections:
            connection.shutdown(socket.SHUT_WR)
        for connection in connections:
            assert connection.recv(1) == b""
        return found


@pytest.mark.process
def test_both_workers_get_connections_that_come_together(port: int) -> None:
    for _ in range(5):
        wait_for_both(port)
        counts = Counter(answers(port, 40))
        assert len(counts) == 2
        assert min(counts.values()) >= 12


@pytest.mark.process
def test_clients_of_a_stopped_worker_are_served_by_the_other(port: int) -> None:
    stopped, *_ = answers(port, 1)
    os.kill(stopped, signal.SIGSTOP)
    try:
        assert stopped not in answers(port, 40)
    finally:
        os.kill(stopped, signal.SIGCONT)
