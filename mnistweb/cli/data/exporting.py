"""`mnistweb data export`."""

from pathlib import Path
from typing import Any, get_args
from urllib.parse import parse_qsl

import click

from mnistweb.cli.data.context import on_database, progress
from mnistweb.datasets.export import export as export_records
from mnistweb.datasets.formats import WRITERS
from mnistweb.datasets.log_export import count_log, export_log
from mnistweb.datasets.manifest import Manifest
from mnistweb.datasets.records import Labels, Selection, count_records
from mnistweb.predictions.filter_fields import FIELDS
from mnistweb.predictions.filters import Filter, parse_filter
from mnistweb.recognition.errors import UserError

LOG = "log"


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
        if not given and value:
            self.fail(f'"{value}" is no filter.', param, ctx)
        try:
            return parse_filter(given)
        except UserError as error:
            self.fail(str(error), param, ctx)


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--format",
    "formats",
    type=click.Choice([*WRITERS, LOG]),
    multiple=True,
    required=True,
    help="A format; may be repeated. `log` is for another site and stands alone.",
)
@click.option(
    "--labels",
    type=click.Choice(get_args(Labels)),
    help="The origin of the labels.  [default: reviewed]",
)
@click.option(
    "--filter",
    "criteria",
    type=FilterText(),
    default=Filter,
    help='A filter of the history, such as "digit=3&from=2026-01-01", or the address of its page.',
)
@click.option("--force", is_flag=True, help="Replace an earlier export in FOLDER.")
def export(
    folder: Path, formats: tuple[str, ...], labels: Labels | None, criteria: Filter, force: bool
) -> None:
    """Write labelled drawings to FOLDER, with a manifest and a data card.

    FOLDER appears when it is complete. Visitors are split into train and test, so that nobody is on both
    sides. They are numbers that name nobody. Hidden and rejected drawings are left out.

    With --format log, all drawings are written with all that the site has of them, for "mnistweb data
    import". Such a file has the ids of visitors, and is as private as a backup.
    """
    if LOG in formats and (labels or {*formats} != {LOG}):
        raise click.UsageError("--format log takes neither --labels nor other formats: it is not to be published.")
    with on_database():
        if LOG in formats:
            with progress(count_log(criteria)) as advance:
                manifest = export_log(folder, criteria, advance, replace=force)
        else:
            selection = Selection(labels or "reviewed", criteria)
            with progress(count_records(selection)) as advance:
                manifest = export_records(
                    folder, [*dict.fromkeys(formats)], selection, advance, replace=force
                )
    _report(folder, manifest)


def _report(folder: Path, manifest: Manifest) -> None:
    click.echo(f"{folder} holds {manifest.counts['drawings']:,} drawings.")
    for name, written in manifest.formats.items():
        if name != LOG:
            click.echo(f"  {name:8} {written['train']:>11,} to train, {written['test']:>11,} to test")
