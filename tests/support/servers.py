"""The site under gunicorn, as `mnistweb serve` starts it, for tests."""

import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.support.postgres import free_port

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-W", "ignore", "-c", "from mnistweb.cli import main; main()"]
"""`mnistweb`, without the warnings of others."""
SERVE = [*COMMAND, "serve"]


@contextmanager
def served_site(settings: dict[str, str]) -> Iterator[int]:
    """Yield the port of a site with these settings, and stop it in the end."""
    port = free_port()
    with running(SERVE, port, settings | {"PORT": str(port)}):
        yield port


@contextmanager
def running(command: Sequence[str], port: int, environment: Mapping[str, str]) -> Iterator[None]:
    """Run a server until it is no longer needed; what is in `environment` wins over the tests' own."""
    process = subprocess.Popen(command, env=os.environ | environment, cwd=ROOT)
    try:
        wait_until_ready(f"http://127.0.0.1:{port}")
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def wait_until_ready(base: str, path: str = "/readyz") -> None:
    """Return when the site at this address is ready, within two minutes."""
    deadline = time.monotonic() + 120
    while True:
        try:
            with urllib.request.urlopen(f"{base}{path}"):  # noqa: S310
                return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
