"""`make test-scale`: machines on a network that is none, all of it under load while parts of it fail.

Everything happens in namespaces of its own (network, processes, mounts): whatever becomes of this program,
the kernel ends and forgets all that it began.
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
from tests.system.scale.programs import Missing
from tests.system.scale.versions import strange_rows

CLIENTS = 4
MODEL_TIMEOUT = 9
PATIENCE = 420.0
APART = [
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
# The first process of a namespace must take leave of all that end in it.
FIRST = ["sh", "-c", '"$@" & wait "$!"', "first"]
COLUMNS = ("requests", "acknowledged", "asked again", "errors", "lost")


@dataclass
class Stage:
    """All that takes part."""

    cluster: Cluster
    site: Site
    database: Database
    crowd: Crowd


@contextmanager
def everything(folder: Path) -> Iterator[Stage]:
    """Machines, balancer, database, site and clients who wait."""
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


def suffer(fault: Fault, stage: Stage) -> list[str]:
    """Let one fault happen under load; print its line, and return what it broke."""
    before, length = failed(), stage.site.log.stat().st_size
    stage.crowd.go()
    time.sleep(3)
    since = time.monotonic()
    whole = fault.happen(stage.cluster)
    while not (healed := whole()) and time.monotonic() - since < PATIENCE:
        time.sleep(0.25)
    seconds = time.monotonic() - since
    time.sleep(5)
    stage.crowd.rest()
    counts = stage.crowd.counts()
    verdict = audit(stage.crowd.clients, stage.database)
    errors = counts["refused"] + counts["no answer"] + counts["not saved"]
    broken = verdict.lost + verdict.odd + strange_rows(stage.database, stage.cluster.newer)
    if errors:
        broken.append(f"clients saw {errors} errors")
        broken += complaints(stage.site.log.read_bytes()[length:].decode())
    if not healed:
        broken.append(f"it was not whole again within {PATIENCE:.0f} s\n{stage.cluster.log()}")
    cells = (counts["sent"], counts["saved"], failed() - before, errors, len(verdict.lost))
    slowest = max(client.slowest for client in stage.crowd.clients)
    times = f" {slowest:7.1f} s | {seconds:7.1f} s |"
    print(f"| {fault.name:20} |" + "".join(f" {cell:12,} |" for cell in cells) + times, flush=True)
    return [f"{fault.name}: {sentence}" for sentence in broken]


def complaints(log: str) -> list[str]:
    """What the site's log says of the model server, each sentence once, with how often."""
    sentences = Counter(re.findall(r"The model server[^\"\n]*", log))
    return [f"the site, {count} times: {sentence}" for sentence, count in sentences.most_common()]


def inside(folder: Path, names: list[str], most: int) -> int:
    """Let every fault happen, or those that are named; 1 if any broke a promise."""
    broken: list[str] = []
    try:
        with everything(folder) as stage:
            print(
                f"Python {platform.python_version()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.0f}\n"
            )
            print("| replicas | questions/s | p50 | p99 | CPU for one | memory |\n|" + " --: |" * 6)
            for replicas in range(1, most + 1):
                print(f"| {replicas} | {measure(stage.cluster, replicas)} |", flush=True)
            if stage.cluster.wanted != 3:
                measure(stage.cluster, 3, seconds=0)
            print(
                f"\n| {'fault':20} |"
                + "".join(f" {column:>12} |" for column in COLUMNS)
                + "   slowest |     whole |"
            )
            print(f"| {'-' * 20} |" + " -----------: |" * len(COLUMNS) + " --------: |" * 2, flush=True)
            for fault in FAULTS:
                if not names or any(name in fault.name for name in names):
                    broken += suffer(fault, stage)
    except (NoPostgres, Missing) as error:
        print(error, file=sys.stderr)
        return 1
    print("\n" + "\n".join(dict.fromkeys(broken)) if broken else "\nNothing that was acknowledged was lost.")
    return 1 if broken else 0


def main() -> int:
    """Start anew in namespaces of its own; there, do it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", action="append", default=[], help="a part of a fault's name")
    parser.add_argument("--capacity", type=int, default=3, help="the most replicas to measure, 0 for none")
    parser.add_argument("--inside", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inside:
        return inside(options.inside, options.only, options.capacity)
    if sys.platform != "linux" or os.geteuid() != 0:
        print("make test-scale makes networks: it needs Linux, and root", file=sys.stderr)
        return 1
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with tempfile.TemporaryDirectory(prefix="mnistweb-scale-") as folder:
        Path(folder).chmod(0o755)  # PostgreSQL is another user
        command = [sys.executable, "-m", "tests.system.scale", "--inside", folder, *sys.argv[1:]]
        # When this ends, be it by Ctrl-C, so does all that runs inside.
        with subprocess.Popen([*APART, *FIRST, *command]) as process:
            try:
                return process.wait()
            except KeyboardInterrupt:
                return 130
            finally:
                process.kill()


if __name__ == "__main__":
    sys.exit(main())
