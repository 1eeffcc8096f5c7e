"""`mnistweb data import`."""

from pathlib import Path

import click

from mnistweb.cli.data.context import on_database, progress
from mnistweb.datasets.additions import Added
from mnistweb.datasets.idx_files import find_pairs, is_idx
from mnistweb.datasets.idx_import import import_idx
from mnistweb.datasets.log_export import FILE
from mnistweb.datasets.log_import import drawings_in, import_log
from mnistweb.registry.recognizers import recognizer_named


@click.command("import")
@click.argument("path", type=click.Path(path_type=Path, exists=True))
def import_(path: Path) -> None:
    """Add the drawings of another site, or of MNIST's files.

    PATH is a folder that "mnistweb data export --format log" wrote. Or it is a folder with MNIST's files, or
    one file of images with that of its labels beside it. All is checked before anything is written. The same
    drawing is never added twice.
    """
    idx = is_idx(path) and not (path / FILE).is_file()
    with on_database(with_models=idx):
        _report(_import_idx(path) if idx else _import_log(path))


def _import_log(path: Path) -> list[Added]:
    folder = path if path.is_dir() else path.parent
    with progress(2 * drawings_in(folder)) as advance:
        return [import_log(folder, advance)]


def _import_idx(path: Path) -> list[Added]:
    pairs = find_pairs(path)
    recognizer = recognizer_named(None)
    with progress(sum(pair.length for pair in pairs)) as advance:
        return [import_idx(pair, recognizer, advance) for pair in pairs]


def _report(parts: list[Added]) -> None:
    added, known, too_old = (
        sum(getattr(part, name) for part in parts) for name in ("added", "known", "too_old")
    )
    click.echo(f"{_drawings(added)} added, {known:,} known already.")
    if too_old:
        click.echo(f"{_drawings(too_old)} left out: RETENTION_DAYS lets go of them.")


def _drawings(number: int) -> str:
    return "1 drawing is" if number == 1 else f"{number:,} drawings are"
