"""`make fuzz`: a hundred thousand hostile files, bred by Atheris from the seeds along what they newly reach.

Atheris, which drives libFuzzer, is the one coverage-guided fuzzer for Python that is maintained. Files
that show a fault are kept in fuzz-results/found, those that reach something new in fuzz-results/corpus, from
which the next run breeds on.
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

from tests.fuzz.reader import MOST_MILLISECONDS, Recognizer
from tests.support.fuzz.pieces import reseal
from tests.support.fuzz.seeds import HOSTILE, SEEDS

RESULTS = Path("fuzz-results")
LONGEST = 64 * 1024
MOST_MEGABYTES = 200.0


class Campaign:
    """The files so far: what came of them, the slowest, and the highest memory of who read them."""

    def __init__(self, files: int, reader: Recognizer) -> None:
        self.files = files
        self.reader = reader
        self.started = time.monotonic()
        self.outcomes: Counter[str] = Counter()
        self.slowest = 0.0
        self.megabytes = 0.0
        self.faults = 0

    def breed(self, data: bytes) -> None:
        """Try one file twice: here, where what it reaches is seen, and apart, where it is measured."""
        with suppress(Exception):
            attempt(data)
        self.take(data)

    def take(self, data: bytes) -> None:
        """Try one file apart. Ends the process with the figures after the last one."""
        report = self.reader.read(data)
        self.outcomes[report.outcome.partition(":")[0]] += 1
        self.slowest = max(self.slowest, report.milliseconds)
        self.megabytes = max(self.megabytes, report.megabytes)
        if ":" in report.outcome:
            self.keep(data, report.outcome)
        elif report.milliseconds > MOST_MILLISECONDS:
            self.keep(data, f"took {report.milliseconds:.0f} ms")
        if self.outcomes.total() >= self.files:
            self.end()

    def keep(self, data: bytes, fault: str) -> None:
        """Count a fault, and keep the file that shows it."""
        path = RESULTS / "found" / hashlib.sha256(data).hexdigest()[:16]
        path.write_bytes(data)
        self.faults += 1
        print(f"{path}: {fault}", flush=True)

    def end(self) -> None:
        """Print the figures; the process ends with 1 if any file showed a fault."""
        print(f"\n{self.outcomes.total():,} files in {time.monotonic() - self.started:.0f} s")
        for outcome, count in self.outcomes.most_common():
            print(f"  {outcome:24}{count:9,}")
        print(f"  {'slowest':24}{self.slowest:9.0f} ms of the processor, allowed {MOST_MILLISECONDS:.0f}")
        print(f"  {'memory':24}{self.megabytes:9.0f} MB more than at the start, allowed {MOST_MEGABYTES:.0f}")
        print(f"  {'faults':24}{self.faults:9}", flush=True)
        os._exit(1 if self.faults or self.megabytes > MOST_MEGABYTES else 0)


def mutate(data: bytes, longest: int, seed: int) -> bytes:
    """As libFuzzer does; and mostly with right checksums, without which nothing behind them is reached."""
    mutated: bytes = atheris.Mutate(data, longest)
    return reseal(mutated)[:longest] if random.Random(seed).random() < 0.8 else mutated


def main() -> None:
    """Try the large hostile files, then breed."""
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
        f"-max_len={LONGEST}",
        "-mutate_depth=2",  # more, and hardly a file is read to its end
        f"-artifact_prefix={RESULTS}/found/",
    ]
    with Recognizer() as reader:
        campaign = Campaign(options.files, reader)
        for make in HOSTILE.values():
            campaign.take(make())
        atheris.Setup([sys.argv[0], *flags, str(corpus), str(seeds)], campaign.breed, custom_mutator=mutate)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
