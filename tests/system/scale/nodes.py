"""How Ray is started on each machine, as docs/scale.md says."""

import os
import secrets
import sys
from pathlib import Path

from tests.system.deploy.site import ROOT
from tests.system.scale.machines import HERE, Machine, address_of, name_of
from tests.system.scale.programs import beside

WORKERS = 2
STORE = str(80 * 1024**2)
"""Bytes of Ray's object store on each machine, nearly the least it takes; nothing here goes through it."""
ROOM = 2
"""Replicas that a machine has room for, at half a core each."""


def environment(folder: Path) -> dict[str, str]:
    """What Ray is told on every machine, the shared token included."""
    token = folder / "token"
    token.touch(mode=0o600)
    token.write_text(secrets.token_hex(32))
    return os.environ | {
        "OMP_NUM_THREADS": "1",
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN_PATH": str(token),
        "RAY_USAGE_STATS_ENABLED": "0",
        # A machine that is not heard of for some twenty seconds is given up; by default it is a minute.
        "RAY_health_check_period_ms": "2000",
        "RAY_health_check_timeout_ms": "3000",
        # A machine waits as long for the head to come back.
        "RAY_gcs_rpc_server_reconnect_timeout_s": "600",
        # For a busy machine: what this does not need, and patience.
        "RAY_enable_metrics_collection": "0",
        "RAY_prestart_worker_first_driver": "0",
        "RAY_enable_worker_prestart": "0",
        "RAY_worker_register_timeout_seconds": "300",
    }


def machines(folder: Path, password: str) -> list[Machine]:
    """The head, which keeps the cluster and reads nothing, then the workers."""
    shared = environment(folder)
    head = ["--head", "--port", "6379", "--num-cpus", "0", "--include-dashboard", "false"]
    head += ["--redis-password", password]
    worker = ["--address", f"{address_of(1)}:6379", "--num-cpus", "1"]
    made = [_machine(1, folder, head, shared | {"RAY_REDIS_ADDRESS": f"{HERE}:6379"})]
    return made + [_machine(number, folder, worker, shared) for number in range(2, 2 + WORKERS)]


def _machine(number: int, folder: Path, part: list[str], settings: dict[str, str]) -> Machine:
    address, scratch = address_of(number), folder / str(number)
    command = [beside("ray"), "start", "--block", "--node-ip-address", address, "--temp-dir", str(scratch)]
    command += ["--object-store-memory", STORE, "--include-log-monitor", "false", "--disable-usage-stats"]
    return Machine(
        name=name_of(number),
        address=address,
        command=command + part,
        environment=settings,
        scratch=scratch,
        log=folder / f"{name_of(number)}.log",
    )
