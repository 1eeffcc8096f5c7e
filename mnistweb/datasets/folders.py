"""The folder of an export: written beside its place, and moved there when it is complete."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mnistweb.datasets.errors import DataSetError
from mnistweb.datasets.manifest import MANIFEST


@contextmanager
def draft_folder(target: Path, *, replace: bool) -> Iterator[Path]:
    """Yield a new folder that takes the place of `target` after this block, or vanishes if that fails.

    Raises DataSetError if `target` has content, unless this is an earlier export and `replace` is true.
    """
    _check(target, replace)
    target.parent.mkdir(parents=True, exist_ok=True)
    draft, former = (target.with_name(f".{target.name}.{kind}.{os.getpid()}") for kind in ("part", "old"))
    draft.mkdir(mode=0o700)
    try:
        yield draft
        _check(target, replace)
        if target.exists():
            target.rename(former)
        draft.rename(target)
    except BaseException:
        if former.exists() and not target.exists():
            former.rename(target)
        raise
    finally:
        shutil.rmtree(draft, ignore_errors=True)
        if target.exists():
            shutil.rmtree(former, ignore_errors=True)


def _check(target: Path, replace: bool) -> None:
    if target.exists() and not target.is_dir():
        raise DataSetError(f"{target} is not a folder.")
    if not target.exists() or not any(target.iterdir()):
        return
    if not (target / MANIFEST).is_file():
        raise DataSetError(f"{target} has files that are no export. Choose another folder.")
    if not replace:
        raise DataSetError(f"{target} has an earlier export already. --force replaces it.")
