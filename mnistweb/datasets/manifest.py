"""The manifest of an export: what is in it, how it was chosen, and the hash of each file."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from mnistweb.datasets.errors import DataSetError

MANIFEST = "manifest.json"
SCHEMA = 1
"""Changes with the form of the manifest or of the log's lines."""
MAX_BYTES = 1024**2
"""The largest manifest that is read."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """The content of manifest.json.

    `formats` has the number of drawings of each split by format. `writer_key` is the key of the numbers
    of the writers, in hexadecimal: with it the site finds a visitor again who wants to be forgotten.
    """

    labels: str
    filter: Mapping[str, str]
    counts: Mapping[str, Any]
    formats: Mapping[str, Mapping[str, int]]
    files: Mapping[str, Mapping[str, Any]]
    writer_key: str = ""
    made_at: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))
    site_version: str = field(default_factory=lambda: version("mnistweb"))
    schema: int = SCHEMA

    def write(self, folder: Path) -> None:
        """Write the manifest into the folder of the export."""
        (folder / MANIFEST).write_text(json.dumps(asdict(self), indent=2) + "\n", encoding="utf-8")


def read_manifest(folder: Path) -> Manifest:
    """Read the manifest of an export. Raises DataSetError if it is missing, damaged or of a newer version."""
    path = folder / MANIFEST
    try:
        with path.open(encoding="utf-8") as file:
            text = file.read(MAX_BYTES + 1)
        fields = json.loads(text) if len(text) <= MAX_BYTES else {}
        if isinstance(fields, dict) and fields.get("schema", SCHEMA) != SCHEMA:
            raise DataSetError(f"{path} is of another version of the site.")
        manifest = Manifest(**fields)
        bytes.fromhex(manifest.writer_key)
        hashes = [entry["sha256"] for entry in manifest.files.values()]
    except FileNotFoundError:
        raise DataSetError(f"{path} is missing.") from None
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise DataSetError(f"{path} is damaged.") from None
    if not isinstance(manifest.counts, dict) or not all(isinstance(each, str) for each in hashes):
        raise DataSetError(f"{path} is damaged.")
    return manifest


def hashes_of(folder: Path, paths: Iterable[Path]) -> dict[str, dict[str, Any]]:
    """Return size and SHA-256 of files, by their path in the folder."""
    return {
        path.relative_to(folder).as_posix(): {"bytes": path.stat().st_size, "sha256": sha256_of(path)}
        for path in sorted(paths)
    }


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
