"""The site under gunicorn, with its own configuration, as a process that can be killed and started again."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from mnistweb.config import PACKAGE
from tests.support.postgres import free_port

PATIENCE = 60.0


class Site:
    """gunicorn on a port of its own; `weights` is a copy of the networks, which may be spoilt."""

    def __init__(self, folder: Path, database_url: str) -> None:
        self.port = free_port()
        self.weights = folder / "weights"
        self.restore_weights()
        self.log = folder / "site.log"
        self.settings = os.environ | {
            "PORT": str(self.port),
            "DATABASE_URL": database_url,
            "INSTANCE_PATH": str(folder),
            "SECRET_KEY": "only while things are broken on purpose",
            "WEIGHTS_PATH": str(self.weights),
            "RATELIMIT_ENABLED": "false",
            "OMP_NUM_THREADS": "1",
        }

    def start(self) -> None:
        """Start it, and wait until it listens. Raises RuntimeError where it ends instead."""
        self.process = self._run()
        ends = time.monotonic() + PATIENCE
        while time.monotonic() < ends:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        raise RuntimeError(f"the site did not start:\n{self.log.read_text()[-2000:]}")

    def refuses(self) -> str:
        """The last line of what it says when it is started and ends; empty where it starts all the same."""
        length = self.log.stat().st_size
        process = self._run()
        try:
            status = process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.terminate()
            return ""
        said = self.log.read_bytes()[length:].decode().strip()
        return said.splitlines()[-1] if status and said else ""

    def stop(self) -> None:
        """Stop it as a service manager does, and wait."""
        self.process.terminate()
        self.process.wait(PATIENCE)

    def reload(self) -> None:
        """Have it read its configuration and replace its processes."""
        self.process.send_signal(signal.SIGHUP)

    def workers(self) -> list[int]:
        """The processes that answer."""
        pid = self.process.pid
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    def restore_weights(self) -> None:
        """The networks as they should be."""
        shutil.rmtree(self.weights, ignore_errors=True)
        shutil.copytree(PACKAGE / "weights", self.weights)

    def _run(self) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "gunicorn", "--config", "deploy/gunicorn.conf.py"],
                env=self.settings,
                stdout=log,
                stderr=log,
            )
