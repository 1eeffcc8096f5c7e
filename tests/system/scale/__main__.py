"""`make test-scale`: a simulated network of machines under load, while parts of it fail.

Everything runs in its own namespaces (network, processes, mounts). When this program ends, for any reason,
the kernel removes all of it.
"""

import argparse
import os
import platform
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.postgres import NoPostgres
from tests.system.chaos.__main__ import MIGRATE
from tests.system.chaos.clients import Crowd
from tests.system.chaos.database import Database, database
from tests.system.chaos.ledger import audit
from tests.system.chaos.site import Site
from tests.system.scale.balancer import BALANCER, failed
from tests.system.scale.capacity import measure
from tests.system.scale.cluster import Cluster, cluster
from tests.system.scale.faults import FAULTS, Fault
from tests.system.scale.programs import MissingProgram
from tests.system.scale.versions import inconsistent_rows

CLIENTS = 4
MODEL_TIMEOUT = 9
RECOVERY_TIMEOUT = 420.0
NAMESPACES = [
    "setpriv",
    "--pdeathsig=KILL",
    "unshare",
    "--mount",
    "--net",
    "--pid",
    "--fork",
    "--kill-child",
    "--mount-proc",
]
# The first process of a namespace must reap all orphans.
REAPER = ["sh", "-c", '"$@" & wait "$!"', "first"]
COLUMNS = ("requests", "acknowledged", "asked again", "errors", "lost")


@dataclass
class Stage:
    """All parts of the test."""

    cluster: Cluster
    site: Site
    database: Database
    crowd: Crowd


@contextmanager
def running_stage(folder: Path) -> Iterator[Stage]:
    """Run machines, balancer, database, site and paused clients."""
    with cluster(folder) as machines, database(folder) as server:
        site = Site(folder, server.url)
        site.settings |= {"MODEL_URL": BALANCER, "MODEL_TIMEOUT": str(MODEL_TIMEOUT)}
        subprocess.run([sys.executable, "-c", MIGRATE], env=site.settings, check=True)
        site.start()
        try:
            yield Stage(machines, site, server, Crowd.of(CLIENTS, site.port))
        finally:
            site.process.terminate()
            site.process.wait()


def run_fault(fault: Fault, stage: Stage) -> list[str]:
    """Run one fault under load; print its line, and return the broken promises."""
    before, length = failed(), stage.site.log.stat().st_size
    stage.crowd.resume()
    time.sleep(3)
    since = time.monotonic()
    recovered = fault.happen(stage.cluster)
    while not (is_recovered := recovered()) and time.monotonic() - since < RECOVERY_TIMEOUT:
        time.sleep(0.25)
    seconds = time.monotonic() - since
    time.sleep(5)
    stage.crowd.suspend()
    counts = stage.crowd.counts()
    result = audit(stage.crowd.clients, stage.database)
    errors = counts["refused"] + counts["no answer"] + counts["not saved"]
    broken = result.lost + result.unexpected + inconsistent_rows(stage.database, stage.cluster.newer)
    if errors:
        broken.append(f"clients saw {errors} errors")
        broken += model_server_errors(stage.site.log.read_bytes()[length:].decode())
    if not is_recovered:
        broken.append(f"it was not recovered within {RECOVERY_TIMEOUT:.0f} s\n{stage.cluster.log()}")
    cells = (counts["sent"], counts["saved"], failed() - before, errors, len(result.lost))
    slowest = stage.crowd.percentile(100)
    times = f" {slowest:7.1f} s | {seconds:7.1f} s |"
    print(f"| {fault.name:20} |" + "".join(f" {cell:12,} |" for cell in cells) + times, flush=True)
    return [f"{fault.name}: {sentence}" for sentence in broken]


def model_server_errors(log: str) -> list[str]:
    """Extract the site's log messages about the model server, each once, with its count."""
    sentences = Counter(re.findall(r"The model server[^\"\n]*", log))
    return [f"the site, {count} times: {sentence}" for sentence, count in sentences.most_common()]


def run_inside(folder: Path, names: list[str], most: int) -> int:
    """Run all faults, or those that are named; return 1 if any broke a promise."""
    broken: list[str] = []
    try:
        with running_stage(folder) as stage:
            print(
                f"Python {platform.python_version()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.0f}\n"
            )
            print("| replicas | requests/s | p50 | p99 | CPU for one | memory |\n|" + " --: |" * 6)
            for replicas in range(1, most + 1):
                print(f"| {replicas} | {measure(stage.cluster, replicas)} |", flush=True)
            if stage.cluster.target != 3:
                measure(stage.cluster, 3, seconds=0)
            print(
                f"\n| {'fault':20} |"
                + "".join(f" {column:>12} |" for column in COLUMNS)
                + "   slowest | recovered |"
            )
            print(f"| {'-' * 20} |" + " -----------: |" * len(COLUMNS) + " --------: |" * 2, flush=True)
            for fault in FAULTS:
                if not names or any(name in fault.name for name in names):
                    broken += run_fault(fault, stage)
    except (NoPostgres, MissingProgram) as error:
        print(error, file=sys.stderr)
        return 1
    print("\n" + "\n".join(dict.fromkeys(broken)) if broken else "\nNothing that was acknowledged was lost.")
    return 1 if broken else 0


def main() -> int:
    """Start again in new namespaces, and run the test there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", action="append", default=[], help="a part of a fault's name")
    parser.add_argument("--capacity", type=int, default=3, help="the most replicas to measure, 0 for none")
    parser.add_argument("--inside", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inside:
        return run_inside(options.inside, options.only, options.capacity)
    if sys.platform != "linux" or os.geteuid() != 0:
        print("make test-scale creates networks: it needs Linux, and root", file=sys.stderr)
        return 1
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with tempfile.TemporaryDirectory(prefix="mnistweb-scale-") as folder:
        Path(folder).chmod(0o755)  # PostgreSQL runs as another user
        command = [sys.executable, "-m", "tests.system.scale", "--inside", folder, *sys.argv[1:]]
        # When this program ends, even by Ctrl-C, the processes in the namespaces end too.
        with subprocess.Popen([*NAMESPACES, *REAPER, *command]) as process:
            try:
                return process.wait()
            except KeyboardInterrupt:
                return 130
            finally:
                process.kill()


if __name__ == "__main__":
    sys.exit(main())
