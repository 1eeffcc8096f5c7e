"""`make chaos`: kill, freeze and cut off site, database and clients, and check that no promise is broken."""

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import uuid
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from tests.support.postgres import NoPostgres
from tests.system.chaos.causes import CAUSES, SQLITE_CAUSES, Cause
from tests.system.chaos.clients import DRAWINGS, Crowd
from tests.system.chaos.database import Database, database
from tests.system.chaos.ledger import AuditResult, audit
from tests.system.chaos.site import Site
from tests.system.chaos.sqlite_file import SqliteFile, sqlite_file

CLIENTS = 8
MIGRATE = "from mnistweb.cli import main; main(['migrate'])"
MAX_RECOVERY_SECONDS = 5.0
RECOVERY_TIMEOUT = 30.0
COLUMNS = ("sent", "saved", "not saved", "refused", "no answer")


def seconds_to_recover(site: Site) -> float:
    """Measure the seconds until a drawing is saved again, at most RECOVERY_TIMEOUT."""
    since = time.monotonic()
    while (seconds := time.monotonic() - since) < RECOVERY_TIMEOUT:
        request = urllib.request.Request(
            f"http://127.0.0.1:{site.port}/api/v1/predictions",
            json.dumps({"image": DRAWINGS[3]}).encode(),
            {"Content-Type": "application/json", "Idempotency-Key": str(uuid.uuid4())},
        )
        try:
            with urllib.request.urlopen(request, timeout=5) as response:  # noqa: S310 (our own site)
                if json.load(response)["saved"]:
                    return time.monotonic() - since
        except (OSError, ValueError):
            pass
        time.sleep(0.05)
    return seconds


def broken_promises(
    cause: Cause, counts: Counter[str], slow: float, seconds: float, result: AuditResult
) -> list[str]:
    """List all broken promises, a sentence each."""
    broken = result.lost + result.unexpected
    if seconds > MAX_RECOVERY_SECONDS:
        broken.append(f"it took {seconds:.1f} s until a drawing was saved again")
    if cause.answers and counts["no answer"]:
        broken.append(f"{counts['no answer']} requests got no answer")
    if cause.unsaved and not counts["not saved"]:
        broken.append("no drawing was read while the database was away")
    if cause.seconds and slow > cause.seconds:
        broken.append(f"one in twenty answers took {slow:.1f} s or more")
    return broken


def run_cause(cause: Cause, site: Site, server: Database | SqliteFile, crowd: Crowd) -> list[str]:
    """Run one cause under load; print its line, and return the broken promises."""
    crowd.resume()
    time.sleep(1)
    broken_asserts = []
    try:
        cause.happen(site, server)
    except (AssertionError, RuntimeError, subprocess.SubprocessError) as error:
        broken_asserts.append(str(error))
    seconds = seconds_to_recover(site)
    time.sleep(1)
    crowd.suspend()
    counts, slow = crowd.counts(), crowd.percentile(95)
    result = audit(crowd.clients, server)
    broken = broken_asserts + broken_promises(cause, counts, slow, seconds, result)
    cells = "".join(f" {counts[column]:9,} |" for column in COLUMNS)
    measured = f"{slow:7.2f} | {result.unknown:7} | {len(result.lost):4} | {seconds:7.1f}"
    print(f"| {cause.name:24} |{cells} {measured} |", flush=True)
    return [f"{cause.name}: {sentence}" for sentence in broken]


def run_causes(causes: Iterable[Cause], server: Database | SqliteFile, folder: Path) -> list[str]:
    """Run a site on a database, and its causes; return all broken promises."""
    broken: list[str] = []
    site = Site(folder, server.site_url)
    subprocess.run([sys.executable, "-c", MIGRATE], env=site.settings, check=True)
    site.start()
    try:
        crowd = Crowd.of(CLIENTS, site.port)
        for cause in causes:
            if cause.small_disk and not server.disk.small:
                print(f"SKIPPED {cause.name}: a small file system cannot be mounted here")
            else:
                broken += run_cause(cause, site, server, crowd)
    finally:
        site.stop()
    return broken


def print_head() -> None:
    """Print what it runs on, and the head of the table."""
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, {CLIENTS} clients\n")
    names = "".join(f" {column:>9} |" for column in COLUMNS)
    print(f"| {'cause':24} |{names}     p95 | unknown | lost | seconds |")
    rules = " --------: |" * len(COLUMNS)
    print(f"| {'-' * 24} |{rules} ------: | ------: | ---: | ------: |", flush=True)


def main() -> int:
    """Run all causes, or those of --only; return 1 if any broke a promise."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", action="append", help="a part of a cause's name")
    parser.add_argument("--log", type=Path, help="a folder for what the sites said")
    options = parser.parse_args()

    def chosen(causes: Iterable[Cause]) -> list[Cause]:
        return [
            each for each in causes if not options.only or any(part in each.name for part in options.only)
        ]

    broken: list[str] = []
    print_head()
    try:
        for causes, store in ((chosen(CAUSES), database), (chosen(SQLITE_CAUSES), sqlite_file)):
            if not causes:
                continue
            with tempfile.TemporaryDirectory() as folder, store() as server:
                broken += run_causes(causes, server, Path(folder))
                if options.log:
                    options.log.mkdir(exist_ok=True)
                    shutil.copy(Path(folder) / "site.log", options.log / f"{store.__name__}.log")
    except NoPostgres as error:
        print(error, file=sys.stderr)
        return 1
    print("\n" + "\n".join(sorted(set(broken)) or ["Nothing that was promised was lost."]))
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
