"""A small file system of its own, which can be filled up."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Disk:
    """A folder. `small` is true if it is a file system of its own, which can be filled up."""

    folder: Path
    small: bool

    def fill(self) -> None:
        """Fill the file system."""
        with suppress(OSError), (self.folder / "ballast").open("wb", buffering=0) as ballast:
            while True:
                ballast.write(bytes(64 * 1024))

    def empty(self) -> None:
        """Free the space."""
        (self.folder / "ballast").unlink(missing_ok=True)


@contextmanager
def disk(megabytes: int, parent: Path | None = None) -> Iterator[Disk]:
    """Mount a file system in a new folder of `parent`, by default /tmp; or make a mere folder."""
    folder = Path(tempfile.mkdtemp(prefix="mnistweb-chaos-", dir=parent or "/tmp"))  # noqa: S108 (mkdtemp)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)]
    small = os.geteuid() == 0 and subprocess.run(mount, check=False, capture_output=True).returncode == 0
    try:
        yield Disk(folder, small)
    finally:
        if small:
            subprocess.run(["umount", "--lazy", str(folder)], check=False)
        shutil.rmtree(folder, ignore_errors=True)
