"""Model servers that are started here: any, and Ray Serve as deploy/model-server.yaml has it."""

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

PATIENCE = 240
"""Seconds for the start of a server and all its processes; a quarter of it where nothing else runs."""
HAPROXY = {"RAY_SERVE_ENABLE_HA_PROXY": "1", "RAY_SERVE_THROUGHPUT_OPTIMIZED": "1"}
"""Variables by which Ray puts HAProxy in front, which comes with it, in place of a proxy of its own."""


@contextmanager
def ray_serve(folder: Path, **environment: str) -> Iterator[tuple[str, int]]:
    """The address of the server, and the process that started it; `folder` is for its files."""
    port = free_port()
    text = (ROOT / "deploy" / "model-server.yaml").read_text()
    config = folder / "model-server.yaml"
    config.write_text(re.sub(r"port: \d+", f"port: {port}", text))
    command = [str(Path(sys.executable).with_name("serve")), "run", str(config)]
    # A cluster of its own, whatever else of Ray runs on this machine.
    settings = {"PYTHONPATH": str(ROOT), "RAY_ADDRESS": "local", "RAY_USAGE_STATS_ENABLED": "0"}
    address = f"http://127.0.0.1:{port}"
    with started(command, address, folder / "log", settings | environment) as process:
        yield address, process


@contextmanager
def started(command: list[str], address: str, log: Path, environment: dict[str, str]) -> Iterator[int]:
    """The process of a server that is ready at `address`; SIGINT ends it."""
    with log.open("w") as output:
        process = subprocess.Popen(
            command, cwd=ROOT, env=os.environ | environment, stdout=output, stderr=subprocess.STDOUT
        )
        try:
            ends = time.monotonic() + PATIENCE
            while not is_ready(address):
                assert process.poll() is None, log.read_text()
                assert time.monotonic() < ends, log.read_text()
                time.sleep(0.5)
            yield process.pid
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=60)


def is_ready(address: str) -> bool:
    """Whether a model server answers there that it is ready."""
    try:
        return urllib3.request("GET", f"{address}/v2/health/ready", retries=False, timeout=2).status == 200
    except urllib3.exceptions.HTTPError:
        return False


def family(starter: int) -> dict[int, bytes]:
    """A process and all that it and they started, with their command lines."""
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
    """The processes of the replicas that a process started."""
    return [pid for pid, name in family(starter).items() if name.startswith(b"ray::ServeReplica")]
