"""`mnistweb data forget`."""

from pathlib import Path

import click

from mnistweb.cli.data.context import on_database
from mnistweb.cli.moderation import drawing_id
from mnistweb.datasets.errors import DataSetError
from mnistweb.datasets.forgetting import author_of, belongings, visitor_of_writer
from mnistweb.datasets.forgetting import forget as forget_visitor


@click.command()
@click.argument("visitor")
@click.option(
    "--export",
    "folder",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="VISITOR is the number of a writer in this export.",
)
@click.option("--drawing", is_flag=True, help="VISITOR is the id or the address of one of their drawings.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def forget(visitor: str, folder: Path | None, drawing: bool, yes: bool) -> None:
    """Delete all drawings of a visitor, with their reviews and challenges.

    VISITOR is the id in the log. The counts of the insights shrink, too. Exports that were made before still
    have the drawings, as backups do.
    """
    if drawing and folder:
        raise click.UsageError("--export and --drawing rule each other out.")
    with on_database():
        name = _find(visitor, folder, drawing)
        found = belongings(name)
        if not found:
            raise DataSetError("There is nothing of this visitor.")
        words = (
            f"{found.drawings:,} drawings, {found.decisions:,} decisions of their review "
            f"and {found.challenges:,} challenges"
        )
        if not yes:
            click.confirm(f"Delete {words}?", abort=True)
        forget_visitor(name)
    click.echo(f"{words} are deleted.")


def _find(visitor: str, folder: Path | None, drawing: bool) -> str:
    if drawing:
        return author_of(drawing_id(visitor))
    if folder is None:
        return visitor
    if not visitor.isdecimal():
        raise DataSetError(f"{visitor} is not the number of a writer.")
    return visitor_of_writer(folder, int(visitor))
