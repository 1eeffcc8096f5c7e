"""Workers stay on processors of their own."""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from mnistweb.server.processors import choose
from tests.support.postgres import free_port
from tests.support.servers import ROOT, wait_until_ready
from tests.support.sites import SECRET, migrated_site


@pytest.fixture
def two_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {4, 7}, raising=False)


@pytest.mark.usefixtures("two_processors")
@pytest.mark.parametrize(
    ("taken", "chosen"),
    [
        ([], 4),
        ([4], 7),
        ([7], 4),
        ([4, 7], 4),  # beside those that a reload replaces
        ([4, 7, 4], 7),
    ],
)
def test_worker_gets_the_processor_with_the_fewest(taken: list[int], chosen: int) -> None:
    assert choose(2, taken) == chosen


@pytest.mark.usefixtures("two_processors")
@pytest.mark.parametrize("workers", [1, 3, 4])
def test_more_or_fewer_workers_than_processors_go_anywhere(workers: int) -> None:
    assert choose(workers, []) is None


def test_system_without_affinity(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    assert choose(2, []) is None


def processors_of(server: int) -> dict[int, set[int]]:
    """Return the processors of each worker that lives, by its process."""
    found = {}
    for pid in map(int, Path(f"/proc/{server}/task/{server}/children").read_text().split()):
        with suppress(ProcessLookupError):
            found[pid] = os.sched_getaffinity(pid)
    return found


def when_settled(server: int, gone: int = 0) -> dict[int, set[int]]:
    """Return the processors of both workers when each has one, and a worker that ended is no more."""
    deadline = time.monotonic() + 30
    while True:
        found = processors_of(server)
        if gone not in found and [len(each) for each in found.values()] == [1, 1]:
            return found
        assert time.monotonic() < deadline, found


@pytest.mark.process
@pytest.mark.skipif(sys.platform != "linux", reason="no /proc")
@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="a single processor")
def test_each_worker_has_one_and_its_successor_takes_it(tmp_path: Path) -> None:
    with migrated_site(tmp_path) as site:
        url = site.config["SQLALCHEMY_DATABASE_URI"]
    two = sorted(os.sched_getaffinity(0))[:2]
    limited = f"import os, sys; os.sched_setaffinity(0, {two}); os.execv(sys.executable, sys.orig_argv[3:])"
    settings = {"DATABASE_URL": str(url), "INSTANCE_PATH": str(tmp_path), "SECRET_KEY": SECRET}
    port = free_port()
    gunicorn = [sys.executable, "-m", "gunicorn", "--config", "deploy/gunicorn.conf.py"]
    environment = os.environ | settings | {"PORT": str(port), "WORKERS": "2"}
    server = subprocess.Popen([sys.executable, "-c", limited, *gunicorn], cwd=ROOT, env=environment)
    try:
        wait_until_ready(f"http://127.0.0.1:{port}")
        first = when_settled(server.pid)
        assert sorted(first.values(), key=min) == [{two[0]}, {two[1]}]
        gone, other = first
        os.kill(gone, signal.SIGKILL)
        after = when_settled(server.pid, gone)
        assert after.pop(other) == first[other]
        assert list(after.values()) == [first[gone]]
    finally:
        server.terminate()
        server.wait(30)
