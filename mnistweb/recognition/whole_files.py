"""Whole files: an interruption or a full disk leaves the file as it was."""

from collections.abc import Mapping
from pathlib import Path


def write_whole(files: Mapping[Path, bytes]) -> None:
    """Write these files. All are written beside their places before the first takes its place."""
    drafts = {path: path.with_name(f"{path.name}.tmp") for path in files}
    try:
        for path, data in files.items():
            drafts[path].write_bytes(data)
        for path, draft in drafts.items():
            draft.replace(path)
    finally:
        for draft in drafts.values():
            draft.unlink(missing_ok=True)
