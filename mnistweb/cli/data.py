"""`mnistweb data`: data sets made of the drawings, and drawings of other sites."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, get_args
from urllib.parse import parse_qsl

import click
from sqlalchemy.exc import SQLAlchemyError

from mnistweb.cli.database import database_app
from mnistweb.database.outage_log import first_line
from mnistweb.datasets.errors import DataSetError
from mnistweb.datasets.export import export as export_records
from mnistweb.datasets.formats import WRITERS
from mnistweb.datasets.records import Labels, Selection, count_records
from mnistweb.predictions.filter_fields import FIELDS
from mnistweb.predictions.filters import Filter, parse_filter
from mnistweb.recognition.errors import UserError


class FilterText(click.ParamType[Filter]):
    """A filter of the history, as in the address of its page."""

    name = "query"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Filter:
        """Parse "digit=3&from=2026-01-01", or the whole address of a page."""
        if isinstance(value, Filter):
            return value
        given = dict(parse_qsl(str(value).rpartition("?")[2], keep_blank_values=True))
        known = {field.key for field in FIELDS.values()} - {"mine"}
        if unknown := given.keys() - known:
            self.fail(f"There is no filter {', '.join(sorted(unknown))}.", param, ctx)
        try:
            return parse_filter(given)
        except UserError as error:
            self.fail(str(error), param, ctx)


@click.group()
def data() -> None:
    """Make data sets of the drawings, and bring drawings of other sites."""


@data.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--format",
    "formats",
    type=click.Choice([*WRITERS]),
    multiple=True,
    required=True,
    help="One of the formats; may be repeated.",
)
@click.option(
    "--labels",
    type=click.Choice(get_args(Labels)),
    default="reviewed",
    show_default=True,
    help="Where the labels come from.",
)
@click.option(
    "--filter",
    "criteria",
    type=FilterText(),
    default=Filter,
    help='A filter of the history, such as "digit=3&from=2026-01-01", or the address of its page.',
)
@click.option("--force", is_flag=True, help="Replace an earlier export in FOLDER.")
def export(folder: Path, formats: tuple[str, ...], labels: Labels, criteria: Filter, force: bool) -> None:
    """Write labelled drawings to FOLDER, with a manifest and a data card.

    The folder appears when it is complete. Visitors are split into train and test, so that nobody is on both
    sides. They are numbers that name nobody. Hidden and rejected drawings are left out.
    """
    with _on_database():
        selection = Selection(labels, criteria)
        with _progress(count_records(selection)) as advance:
            manifest = export_records(folder, [*dict.fromkeys(formats)], selection, advance, replace=force)
    click.echo(f"{folder} holds {manifest.counts['drawings']:,} drawings.")
    for name, written in manifest.formats.items():
        click.echo(f"  {name:8} {written['train']:>11,} to train, {written['test']:>11,} to test")


@contextmanager
def _on_database() -> Iterator[None]:
    """Enter the application. Turns errors of data sets and of the database into a ClickException."""
    with database_app().app_context():
        try:
            yield
        except (DataSetError, OSError) as error:
            raise click.ClickException(str(error)) from None
        except SQLAlchemyError as error:
            raise click.ClickException(f"The database fails: {first_line(error)}") from None


@contextmanager
def _progress(total: int) -> Iterator[Callable[[int], None]]:
    """Show a progress bar on a terminal, and yield the function that advances it."""
    if not total or not sys.stderr.isatty():
        yield lambda _: None
        return
    bar: Any = click.progressbar(length=total, file=sys.stderr, show_pos=True)
    with bar:
        yield bar.update
