"""Model servers as processes: any command, and Ray Serve with deploy/model-server.yaml."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import urllib3

from tests.system.deploy.site import ROOT, free_port

START_TIMEOUT = 240
"""Seconds for the start of a server and all its processes; a quarter of it on an idle machine."""
HAPROXY = {"RAY_SERVE_ENABLE_HA_PROXY": "1", "RAY_SERVE_THROUGHPUT_OPTIMIZED": "1"}
"""Variables that make Ray use its HAProxy instead of its own proxy."""


@contextmanager
def ray_serve(folder: Path, **environment: str) -> Iterator[tuple[str, int]]:
    """Run Ray Serve; give its address, and the process that started it. `folder` is for its files."""
    port = free_port()
    text = (ROOT / "deploy" / "model-server.yaml").read_text()
    config = folder / "model-server.yaml"
    config.write_text(re.sub(r"port: \d+", f"port: {port}", text))
    command = [str(Path(sys.executable).with_name("serve")), "run", str(config)]
    # A separate cluster, even if another Ray runs on this machine.
    settings = {"PYTHONPATH": str(ROOT), "RAY_ADDRESS": "local", "RAY_USAGE_STATS_ENABLED": "0"}
    address = f"http://127.0.0.1:{port}"
    with running_server(command, address, folder / "log", settings | environment) as process:
        yield address, process


@contextmanager
def running_server(command: list[str], address: str, log: Path, environment: dict[str, str]) -> Iterator[int]:
    """Run a server until it is ready at `address`; give its process id. SIGINT ends it."""
    with log.open("w") as output:
        process = subprocess.Popen(
            command, cwd=ROOT, env=os.environ | environment, stdout=output, stderr=subprocess.STDOUT
        )
        try:
            ends = time.monotonic() + START_TIMEOUT
            while not is_ready(address):
                assert process.poll() is None, log.read_text()
                assert time.monotonic() < ends, log.read_text()
                time.sleep(0.5)
            yield process.pid
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=60)


def is_ready(address: str) -> bool:
    """Return true if a model server reports that it is ready."""
    try:
        return urllib3.request("GET", f"{address}/v2/health/ready", retries=False, timeout=2).status == 200
    except urllib3.exceptions.HTTPError:
        return False


def process_tree(starter: int) -> dict[int, bytes]:
    """Return a process and all its descendants, with their command lines."""
    parents: dict[int, int] = {}
    names: dict[int, bytes] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            names[int(folder.name)] = (folder / "cmdline").read_bytes()
        except OSError:
            continue

    def descends(process: int) -> bool:
        return process == starter or (process in parents and descends(parents[process]))

    return {pid: name for pid, name in names.items() if descends(pid)}


def replicas(starter: int) -> list[int]:
    """Return the processes of replicas among a process' descendants."""
    return [pid for pid, name in process_tree(starter).items() if name.startswith(b"ray::ServeReplica")]
