"""A process that reads files one after another, and reports outcome, time and memory.

It is separate from the fuzzer, so that the fuzzer's own memory and time are not counted, and the fuzzer
survives a crash.
"""

import os
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

MAX_MILLISECONDS = 200.0


class Report(NamedTuple):
    """Outcome of a file, processor time in milliseconds, and peak memory in megabytes beyond the start."""

    outcome: str
    milliseconds: float
    megabytes: float


class ReaderProcess:
    """The process, and the pipes to it."""

    def __enter__(self) -> Self:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.fuzz.reader"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.communicate(timeout=60)

    def read(self, data: bytes) -> Report:
        """Read a file in the process; the outcome begins with "crash" if it ended."""
        assert self.process.stdin
        assert self.process.stdout
        try:
            self.process.stdin.write(len(data).to_bytes(4, "big") + data)
            self.process.stdin.flush()
            outcome, milliseconds, megabytes = self.process.stdout.readline().decode().split("\t")
        except (OSError, ValueError):
            status = self.process.wait()
            self.__enter__()
            return Report(f"crash: the process ended with {status}", 0, 0)
        return Report(outcome, float(milliseconds), float(megabytes))


def most_megabytes() -> float:
    """Return the peak memory of this process."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def main() -> None:
    """Read files from standard input, each after its length, and answer each with a line."""
    from tests.support.fuzz.trial import Trial, attempt

    def measured(data: bytes) -> Trial:
        trial = attempt(data)
        # The best of three, because of other load on the machine.
        again = 2 if trial.milliseconds > MAX_MILLISECONDS else 0
        return min([trial, *(attempt(data) for _ in range(again))], key=lambda tried: tried.milliseconds)

    answers, sys.stdout = sys.stdout, sys.stderr
    start = most_megabytes()
    while length := sys.stdin.buffer.read(4):
        data = sys.stdin.buffer.read(int.from_bytes(length, "big"))
        try:
            trial = measured(data)
        except Exception as error:
            trial = Trial(f"fault: {type(error).__name__} {error}".replace("\t", " ").replace("\n", " "), 0)
        print(trial.outcome, trial.milliseconds, most_megabytes() - start, sep="\t", file=answers, flush=True)
    os._exit(0)


if __name__ == "__main__":
    main()
