"""Start of Ray on each machine, as in docs/operations/machines.md."""

import os
import secrets
import sys
from pathlib import Path

from tests.system.deploy.site import ROOT
from tests.system.scale.machines import HOST_ADDRESS, Machine, address_of, name_of
from tests.system.scale.programs import venv_command

WORKERS = 2
OBJECT_STORE_BYTES = str(80 * 1024**2)
"""Ray's object store on each machine, nearly the smallest that Ray accepts; it is not used here."""
REPLICAS_PER_MACHINE = 2
"""Replicas that fit on a machine, at half a core each."""


def environment(folder: Path) -> dict[str, str]:
    """Return Ray's environment on all machines, with the shared token."""
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
        # The head removes a silent machine after some 20 seconds; by default after a minute.
        "RAY_health_check_period_ms": "2000",
        "RAY_health_check_timeout_ms": "3000",
        # Seconds that a machine waits for the head to return.
        "RAY_gcs_rpc_server_reconnect_timeout_s": "600",
        # For a busy machine: less work, and a longer timeout.
        "RAY_enable_metrics_collection": "0",
        "RAY_prestart_worker_first_driver": "0",
        "RAY_enable_worker_prestart": "0",
        "RAY_worker_register_timeout_seconds": "300",
    }


def machines(folder: Path, password: str) -> list[Machine]:
    """Return the head, which has no replicas, and the workers."""
    shared = environment(folder)
    head = ["--head", "--port", "6379", "--num-cpus", "0", "--include-dashboard", "false"]
    head += ["--redis-password", password]
    worker = ["--address", f"{address_of(1)}:6379", "--num-cpus", "1"]
    made = [_machine(1, folder, head, shared | {"RAY_REDIS_ADDRESS": f"{HOST_ADDRESS}:6379"})]
    return made + [_machine(number, folder, worker, shared) for number in range(2, 2 + WORKERS)]


def _machine(number: int, folder: Path, part: list[str], settings: dict[str, str]) -> Machine:
    address, scratch = address_of(number), folder / str(number)
    command = [
        venv_command("ray"),
        "start",
        "--block",
        "--node-ip-address",
        address,
        "--temp-dir",
        str(scratch),
    ]
    command += [
        "--object-store-memory",
        OBJECT_STORE_BYTES,
        "--include-log-monitor",
        "false",
        "--disable-usage-stats",
    ]
    return Machine(
        name=name_of(number),
        address=address,
        command=command + part,
        environment=settings,
        scratch=scratch,
        log=folder / f"{name_of(number)}.log",
    )
