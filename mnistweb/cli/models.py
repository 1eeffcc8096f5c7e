"""`mnistweb models`: list the models, and print their figures. Other modules have its further commands."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from mnistweb.charts.svg import standalone
from mnistweb.cli import LazyGroup
from mnistweb.cli.recognition import load_zoo, weights_option
from mnistweb.recognition.model_card import ModelCard
from mnistweb.recognition.report import Report, read_reports
from mnistweb.recognition.zoo import WEIGHTS
from mnistweb.registry.report_charts import report_charts
from mnistweb.registry.tables import all_tables, fill

COMMANDS = {
    "add": "mnistweb.cli.versions",
    "compare": "mnistweb.cli.comparison",
    "export": "mnistweb.cli.export",
    "promote": "mnistweb.cli.versions",
    "rollback": "mnistweb.cli.versions",
    "versions": "mnistweb.cli.versions",
}


@click.group(cls=LazyGroup, modules=COMMANDS, invoke_without_command=True)
@weights_option
@click.option(
    "--figures", is_flag=True, help="Print the figures of their cards and reports, as Markdown tables."
)
@click.option(
    "--charts",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write the charts of the default model's page to this folder, as SVG files.",
)
@click.option(
    "--tables",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Renew the tables of figures in the Markdown files of this folder.",
)
@click.pass_context
def models(
    ctx: click.Context, weights: Path | None, figures: bool, charts: Path | None, tables: Path | None
) -> None:
    """List the installed models, or put other versions of them live."""
    ctx.obj = weights or WEIGHTS
    if ctx.invoked_subcommand:
        return
    zoo = load_zoo(weights)
    if figures:
        named = _tables(zoo.cards(), read_reports(ctx.obj))
        click.echo("\n\n".join(f"{name}\n\n{table}" for name, table in named.items()))
    if tables:
        _renew_tables(tables, _tables(zoo.cards(), read_reports(ctx.obj)))
    if charts:
        _write_charts(charts, zoo.get().card, read_reports(ctx.obj))
    if figures or tables or charts:
        return
    for card in zoo.cards():
        mark = "*" if card.name == zoo.default else " "
        click.echo(
            f"{mark} {card.name:8} {card.version:12} {card.parameters:>9,} parameters  "
            f"{card.size / 1e6:5.2f} MB  {card.title}"
        )


def _tables(cards: Sequence[ModelCard], reports: Mapping[str, Report]) -> dict[str, str]:
    try:
        return all_tables(cards, reports)
    except KeyError as error:
        raise click.ClickException(f"a card lacks the figure {error}") from error


def _renew_tables(folder: Path, tables: Mapping[str, str]) -> None:
    for path in sorted(folder.glob("*.md")):
        text = path.read_text(encoding="utf-8")
        path.write_text(fill(text, tables), encoding="utf-8")


def _write_charts(folder: Path, card: ModelCard, reports: Mapping[str, Report]) -> None:
    if card.name not in reports:
        raise click.ClickException(f"there is no report on {card.name}")
    folder.mkdir(parents=True, exist_ok=True)
    for name, picture in chart_files(card, reports[card.name]).items():
        (folder / name).write_text(picture, encoding="utf-8")


def chart_files(card: ModelCard, report: Report) -> dict[str, str]:
    """Return the charts of a model's page as SVG files, by name."""
    style = _chart_style()
    return {
        f"{card.name}-{chart.kind.replace('_', '-')}.svg": standalone(chart.picture, style)
        for chart in report_charts(card, report)
    }


def _chart_style() -> str:
    """Return the charts' style sheet with those custom properties of the site that it uses."""
    # Imported only here: the settings need SQLAlchemy, which reading a picture does not.
    from mnistweb.config import site_files

    base, charts = (
        (site_files() / "static" / "css" / name).read_text(encoding="utf-8")
        for name in ("base.css", "charts.css")
    )
    used = set(re.findall(r"var\((--[\w-]+)\)", charts))
    properties = [line for line in re.findall(r"--[\w-]+: [^;]+;", base) if line.partition(":")[0] in used]
    return f":root {{ color-scheme: light dark; background: var(--paper); {' '.join(properties)} }}\n{charts}"
