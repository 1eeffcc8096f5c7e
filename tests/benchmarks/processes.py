"""Processor time and memory of processes, from Linux' /proc."""

import os
from collections.abc import Iterable
from pathlib import Path

from sqlalchemy import create_engine, make_url, text

TICKS = os.sysconf("SC_CLK_TCK")


def workers(server: int) -> list[int]:
    """Return the workers of gunicorn's master process `server`."""
    return [int(pid) for pid in Path(f"/proc/{server}/task/{server}/children").read_text().split()]


def backends(url: str) -> list[int]:
    """Return the backends of PostgreSQL on this machine; none if it runs elsewhere."""
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg2"))
    with engine.connect() as connection:
        found = connection.scalars(
            text(
                "SELECT pid FROM pg_stat_activity "
                "WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
            )
        ).all()
    engine.dispose()
    return [pid for pid in found if _is(pid, "postgres")]


def processor_seconds(pids: Iterable[int]) -> float:
    """Return the processor time of processes so far, in user and kernel mode."""
    ticks = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / TICKS


def own_megabytes(pid: int) -> float:
    """Return the memory that a process shares with no other."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private_")) / 1000


def most_megabytes(pid: int) -> float:
    """Return the most memory that a process has had at once so far, with what it shares; 0 after its end."""
    try:
        return int(Path(f"/proc/{pid}/status").read_text().partition("VmHWM:")[2].split()[0]) / 1000
    except (OSError, IndexError):
        return 0.0


def _is(pid: int, name: str) -> bool:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip() == name
    except OSError:
        return False
