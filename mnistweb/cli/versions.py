"""`mnistweb models add`, `versions`, `promote` and `rollback`: the versions of the models of a site."""

import getpass
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from mnistweb.cli.database import on_database
from mnistweb.config import ConfigError
from mnistweb.recognition.comparison import MARGIN, Comparison, ComparisonError, parse_comparison
from mnistweb.recognition.model_card import ModelFileError, read_cards
from mnistweb.recognition.report import read_reports
from mnistweb.registry import lineage as lineages
from mnistweb.registry import versions as registry
from mnistweb.registry.installed import installed_names


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have a number only
        return str(os.getuid())


by_option = click.option(
    "--by",
    default=_user,
    show_default="the user",
    help="Who decides this, for the record.",
)


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--parent", help="The version that it was trained from.")
@by_option
def add(folder: Path, parent: str | None, by: str) -> None:
    """Add the exported models of FOLDER as versions, each with its card and report. None goes live yet."""
    with _registry():
        reports = read_reports(folder)
        for card in read_cards(folder).values():
            try:
                file = (folder / f"{card.name}.pt").read_bytes()
            except OSError as error:
                raise click.ClickException(f"{folder / card.name}.pt: {error.strerror}") from None
            report = reports.get(card.name)
            new = registry.add_version(
                file, card, report if report and report.version == card.version else None, parent, by
            )
            click.echo(f"{card.name} {card.version} {'is added' if new else 'was added before'}.")


@click.command()
@click.argument("name", required=False)
def versions(name: str | None) -> None:
    """List the versions of a model, or of all, and what went live when, by whom and why."""
    with _registry():
        for each in installed_names() if name is None else [name]:
            _print(lineages.lineage(each))


@click.command()
@click.argument("name")
@click.argument("version")
@click.option(
    "--comparison",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The file of `mnistweb models compare --json` of the live version with this one.",
)
@click.option("--reason", default="", help="Why, for the record and for the model's page.")
@click.option(
    "--margin",
    type=click.FloatRange(0, 1),
    default=MARGIN,
    show_default=True,
    help="How much worse it may be on a frozen test set, as a share of its drawings.",
)
@click.option("--force", is_flag=True, help="Whatever the comparison says; needs a --reason.")
@by_option
def promote(
    name: str, version: str, comparison: Path | None, reason: str, margin: float, force: bool, by: str
) -> None:
    """Let VERSION of the model NAME go live, on all servers within ten seconds.

    It must be better on reviewed drawings, and on no frozen test set worse by more than the margin.
    """
    with _registry():
        promotion = registry.promote(
            name, version, _read(comparison), by=by, reason=reason, margin=margin, force=force
        )
        click.echo(f"{name} {promotion.version} is live; before, it was {promotion.previous}.")


@click.command()
@click.argument("name")
@click.option("--reason", default="", help="Why, for the record and for the model's page.")
@by_option
def rollback(name: str, reason: str, by: str) -> None:
    """Go back to the version of the model NAME that was live before."""
    with _registry():
        promotion = registry.rollback(name, by=by, reason=reason)
        click.echo(f"{name} {promotion.version} is live again; before, it was {promotion.previous}.")


@contextmanager
def _registry() -> Iterator[None]:
    """Enter the application's context, and turn every refusal into a ClickException."""
    with on_database():
        try:
            yield
        except (registry.VersionError, ModelFileError, ConfigError, ComparisonError) as error:
            raise click.ClickException(str(error)) from None


def _read(path: Path | None) -> Comparison | None:
    if path is None:
        return None
    try:
        return parse_comparison(path.read_bytes())
    except ComparisonError as error:
        raise ComparisonError(f"{path}: {error}") from None


def _print(lineage: lineages.Lineage) -> None:
    click.echo(lineage.name)
    for version in lineage.versions:
        parent = f", from {version.parent}" if version.parent else ""
        added = (
            f"added {version.added_at:%Y-%m-%d %H:%M} by {version.added_by}"
            if version.added_at
            else "installed"
        )
        click.echo(f"{'*' if version.live else ' '} {version.version:12}  {added}{parent}")
    for step in lineage.steps:
        click.echo(f"    {step.at:%Y-%m-%d %H:%M}  {_describe(step)}")


def _describe(step: lineages.Step) -> str:
    verb = "went back to" if step.rollback else "forced live" if step.forced else "promoted"
    reason = f": {step.reason}" if step.reason else ""
    return f"{step.by} {verb} {step.version} from {step.previous}{reason}"
