"""`make fuzz`: 100,000 hostile files, mutated from the seeds by Atheris with coverage feedback.

Atheris, which uses libFuzzer, is the one maintained coverage-guided fuzzer for Python. Files that show a
fault are kept in fuzz-results/found. Files that reach new code are kept in fuzz-results/corpus, where the
next run starts.
"""

import argparse
import hashlib
import os
import random
import sys
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["PIL", "mnistweb.recognition", "mnistweb.predictions.images"]):
    from tests.support.fuzz.trial import attempt

from tests.fuzz.reader import MAX_MILLISECONDS, ReaderProcess
from tests.support.fuzz.pieces import reseal
from tests.support.fuzz.seeds import HOSTILE, SEEDS

RESULTS = Path("fuzz-results")
MAX_FILE_BYTES = 64 * 1024
MAX_MEGABYTES = 200.0


class Campaign:
    """Outcomes of all files so far, the slowest time, and the highest memory of the reader."""

    def __init__(self, files: int, reader: ReaderProcess) -> None:
        self.files = files
        self.reader = reader
        self.started = time.monotonic()
        self.outcomes: Counter[str] = Counter()
        self.slowest = 0.0
        self.megabytes = 0.0
        self.faults = 0

    def fuzz_one(self, data: bytes) -> None:
        """Try a file twice: in this process for coverage, and in the reader for measurement."""
        with suppress(Exception):
            attempt(data)
        self.measure(data)

    def measure(self, data: bytes) -> None:
        """Try a file in the reader. After the last file, print the figures and end the process."""
        report = self.reader.read(data)
        self.outcomes[report.outcome.partition(":")[0]] += 1
        self.slowest = max(self.slowest, report.milliseconds)
        self.megabytes = max(self.megabytes, report.megabytes)
        if ":" in report.outcome:
            self.record_fault(data, report.outcome)
        elif report.milliseconds > MAX_MILLISECONDS:
            self.record_fault(data, f"took {report.milliseconds:.0f} ms")
        if self.outcomes.total() >= self.files:
            self.finish()

    def record_fault(self, data: bytes, fault: str) -> None:
        """Count a fault, and keep its file."""
        path = RESULTS / "found" / hashlib.sha256(data).hexdigest()[:16]
        path.write_bytes(data)
        self.faults += 1
        print(f"{path}: {fault}", flush=True)

    def finish(self) -> None:
        """Print the figures and end the process, with 1 if a file showed a fault."""
        print(f"\n{self.outcomes.total():,} files in {time.monotonic() - self.started:.0f} s")
        for outcome, count in self.outcomes.most_common():
            print(f"  {outcome:24}{count:9,}")
        print(f"  {'slowest':24}{self.slowest:9.0f} ms of the processor, allowed {MAX_MILLISECONDS:.0f}")
        print(f"  {'memory':24}{self.megabytes:9.0f} MB more than at the start, allowed {MAX_MEGABYTES:.0f}")
        print(f"  {'faults':24}{self.faults:9}", flush=True)
        os._exit(1 if self.faults or self.megabytes > MAX_MEGABYTES else 0)


def mutate(data: bytes, longest: int, seed: int) -> bytes:
    """Mutate with libFuzzer, mostly with correct checksums, so that the code after them is reached."""
    mutated: bytes = atheris.Mutate(data, longest)
    return reseal(mutated)[:longest] if random.Random(seed).random() < 0.8 else mutated


def main() -> None:
    """Try the large hostile files, then fuzz."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    corpus, seeds = RESULTS / "corpus", RESULTS / "seeds"
    for folder in (corpus, seeds, RESULTS / "found"):
        folder.mkdir(parents=True, exist_ok=True)
    for number, data in enumerate(SEEDS.values()):
        (seeds / str(number)).write_bytes(data)
    flags = [
        f"-seed={options.seed}",
        f"-max_len={MAX_FILE_BYTES}",
        "-mutate_depth=2",  # with more mutations, few files are read to the end
        "-rss_limit_mb=0",  # the fuzzer's own memory grows by 20 kB a file; the reader's is measured
        f"-artifact_prefix={RESULTS}/found/",
    ]
    with ReaderProcess() as reader:
        campaign = Campaign(options.files, reader)
        for make in HOSTILE.values():
            campaign.measure(make())
        atheris.Setup(
            [sys.argv[0], *flags, str(corpus), str(seeds)], campaign.fuzz_one, custom_mutator=mutate
        )
        atheris.Fuzz()


if __name__ == "__main__":
    main()
