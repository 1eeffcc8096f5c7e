"""Time limits of blocking calls."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from mnistweb.recognition import deadline
from mnistweb.recognition.deadline import BoundedCalls, TooManyCalls

LONG = 30.0  # seconds; more than a busy machine needs for anything here


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """Blocks calls until it is set."""
    gate = threading.Event()
    yield gate
    gate.set()


def test_result_and_exception_are_those_of_the_call() -> None:
    calls = BoundedCalls(1)
    assert calls.run(lambda: 7, LONG) == 7
    with pytest.raises(ZeroDivisionError):
        calls.run(lambda: 1 / 0, LONG)
    with pytest.raises(SystemExit):
        calls.run(lambda: (_ for _ in ()).throw(SystemExit), LONG)
    assert calls.run(lambda: 8, LONG) == 8


def test_timed_out_call_keeps_its_place_until_it_ends(gate: threading.Event) -> None:
    calls = BoundedCalls(1)
    ended = threading.Event()

    def block() -> None:
        gate.wait(LONG)
        ended.set()

    with pytest.raises(TimeoutError):
        calls.run(block, 0.05)
    with pytest.raises(TooManyCalls):
        calls.run(int, LONG)
    gate.set()
    assert ended.wait(LONG)
    for _ in range(1000):  # the place is free a moment later
        try:
            assert calls.run(int, LONG) == 0
        except TooManyCalls:
            threading.Event().wait(0.01)
        else:
            return
    pytest.fail("the place is still taken")


def test_calls_run_at_the_same_time_up_to_the_number_of_places(gate: threading.Event) -> None:
    calls = BoundedCalls(2)
    arrived = threading.Semaphore(0)

    def block() -> bool:
        arrived.release()
        return gate.wait(LONG)

    with ThreadPoolExecutor(2) as pool:
        waiting = [pool.submit(calls.run, block, LONG) for _ in range(2)]
        for _ in waiting:
            assert arrived.acquire(timeout=LONG)
        with pytest.raises(TooManyCalls):
            calls.run(int, LONG)
        gate.set()
        assert all(each.result() for each in waiting)


def test_threads_are_reused_and_are_daemons() -> None:
    calls = BoundedCalls(8)
    threads = {calls.run(threading.current_thread, LONG) for _ in range(50)}
    assert len(threads) == 1
    assert all(thread.daemon for thread in threads)


def test_idle_thread_ends_and_the_next_call_gets_a_new_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deadline, "IDLE_TIMEOUT", 0.01)
    calls = BoundedCalls(1)
    for _ in range(3):
        thread = calls.run(threading.current_thread, LONG)
        thread.join(LONG)
        assert not thread.is_alive()


def test_no_call_is_lost_while_threads_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deadline, "IDLE_TIMEOUT", 0.0001)
    calls = BoundedCalls(4)
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda number: calls.run(lambda: number, LONG), range(500))) == list(range(500))


def test_call_that_cannot_get_a_thread_leaves_its_place_free(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = BoundedCalls(1)

    def fail(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", fail)
        with pytest.raises(RuntimeError):
            calls.run(int, LONG)
    assert calls.run(int, LONG) == 0
