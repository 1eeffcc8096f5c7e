"""The site under gunicorn, with its own configuration, as a process that can be killed and restarted."""

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

PROCESS_TIMEOUT = 60.0


class Site:
    """Gunicorn on its own port; `weights` is a copy of the networks that tests may damage."""

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
        """Start, and wait until it listens. Raises RuntimeError if it ends instead."""
        self.process = self._run()
        ends = time.monotonic() + PROCESS_TIMEOUT
        while time.monotonic() < ends:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        raise RuntimeError(f"the site did not start:\n{self.log.read_text()[-2000:]}")

    def failing_start(self) -> str:
        """Start the site, which should end; return its last line of output, or "" if it runs."""
        length = self.log.stat().st_size
        process = self._run()
        try:
            status = process.wait(PROCESS_TIMEOUT)
        except subprocess.TimeoutExpired:
            process.terminate()
            return ""
        output = self.log.read_bytes()[length:].decode().strip()
        return output.splitlines()[-1] if status and output else ""

    def stop(self) -> None:
        """Stop as a service manager does, and wait."""
        self.process.terminate()
        self.process.wait(PROCESS_TIMEOUT)

    def reload(self) -> None:
        """Make it read its configuration and replace its workers."""
        self.process.send_signal(signal.SIGHUP)

    def workers(self) -> list[int]:
        """Return the ids of the workers."""
        pid = self.process.pid
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    def restore_weights(self) -> None:
        """Restore the networks' files."""
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
