"""`mnistweb predict` and `mnistweb models`: the recognizers without a web site."""

import json
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import click

from mnistweb.charts.svg import standalone
from mnistweb.recognition.boundaries import Certainty
from mnistweb.recognition.decoding import read_drawing
from mnistweb.recognition.errors import DrawingError
from mnistweb.recognition.model_card import ModelCard
from mnistweb.recognition.preprocessing import normalize
from mnistweb.recognition.rejection import reason_in_picture
from mnistweb.recognition.remote.triton import write_repository
from mnistweb.recognition.report import Report, read_reports
from mnistweb.recognition.types import Answer, Recognizer
from mnistweb.recognition.zoo import WEIGHTS, ModelFileError, Zoo
from mnistweb.registry.report_charts import report_charts
from mnistweb.registry.tables import layers, refusals, robustness, summary

MAX_PIXELS = 50_000_000

weights_option = click.option(
    "--weights",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Another folder of exported models.",
)


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--model", help="A name from `mnistweb models`.")
@weights_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object for each file.")
def predict(files: tuple[Path, ...], model: str | None, weights: Path | None, as_json: bool) -> None:
    """Read the digit in each picture FILE (PNG, JPEG or WebP)."""
    zoo = load_zoo(weights)
    try:
        recognizer = zoo.get(model)
    except KeyError as error:
        raise click.ClickException(f"no model {model!r}; available: {', '.join(zoo.names())}") from error
    failures = 0
    for file in files:
        try:
            answer = read_file(file, recognizer)
        except (DrawingError, OSError) as error:
            failures += 1
            click.echo(_json_error(file, error) if as_json else f"{file}: {error}", err=not as_json)
        else:
            click.echo(_json_line(file, answer) if as_json else f"{file}: {_describe(answer)}")
    sys.exit(1 if failures else 0)


def load_zoo(weights: Path | None) -> Zoo:
    """Load the installed models, or those of another folder. Raises ClickException."""
    try:
        return Zoo.load(weights)
    except ModelFileError as error:
        raise click.ClickException(str(error)) from error


def read_file(file: Path, recognizer: Recognizer) -> Answer:
    """Read the digit in a picture file. Raises DrawingError or OSError."""
    ink = read_drawing(file.read_bytes(), MAX_PIXELS)
    answer = recognizer.recognize(normalize(ink))
    return replace(answer, reason=reason_in_picture(answer.reason, ink))


def _json_line(file: Path, answer: Answer) -> str:
    return json.dumps(
        {
            "file": str(file),
            "digit": answer.digit,
            "certainty": answer.certainty,
            "confidence": answer.confidence,
            "probabilities": list(answer.probabilities),
            "not_a_digit": answer.not_a_digit,
            "reason": answer.reason,
            "model": answer.model,
            "model_version": answer.model_version,
        }
    )


def _json_error(file: Path, error: Exception) -> str:
    code = error.code if isinstance(error, DrawingError) else "unreadable_file"
    return json.dumps({"file": str(file), "error": {"code": code, "message": str(error)}})


def _describe(answer: Answer) -> str:
    digit = "not a digit" if answer.digit is None else str(answer.digit)
    doubt = ", in doubt" if answer.certainty is Certainty.DOUBTFUL else ""
    return f"{digit}  ({answer.confidence:.1%}{doubt})"


@click.group(invoke_without_command=True)
@weights_option
@click.option(
    "--figures", is_flag=True, help="Print the figures of their cards and reports, as Markdown tables."
)
@click.option(
    "--charts",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write the charts of the default model's page to this folder, as SVG files.",
)
@click.pass_context
def models(ctx: click.Context, weights: Path | None, figures: bool, charts: Path | None) -> None:
    """List the installed models, or export them for another server."""
    ctx.obj = weights or WEIGHTS
    if ctx.invoked_subcommand:
        return
    zoo = load_zoo(weights)
    if figures:
        _print_figures(zoo.cards(), read_reports(ctx.obj))
        return
    if charts:
        _write_charts(charts, zoo.get().card, read_reports(ctx.obj))
        return
    for card in zoo.cards():
        mark = "*" if card.name == zoo.default else " "
        click.echo(
            f"{mark} {card.name:8} {card.version:12} {card.parameters:>9,} parameters  "
            f"{card.size / 1e6:5.2f} MB  {card.title}"
        )


def _print_figures(cards: Sequence[ModelCard], reports: Mapping[str, Report]) -> None:
    try:
        tables = [table(cards) for table in (summary, refusals, robustness)]
    except KeyError as error:
        raise click.ClickException(f"a card lacks the figure {error}") from error
    tables += [f"`{name}`\n\n{layers(report)}" for name, report in reports.items()]
    click.echo("\n\n".join(tables))


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


@models.command()
@click.option(
    "--triton",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Write a model repository of Triton Inference Server to this folder.",
)
@click.pass_obj
def export(weights: Path, triton: Path) -> None:
    """Export the models in the format of another server."""
    try:
        written = write_repository(weights, triton)
    except (ModelFileError, OSError) as error:
        raise click.ClickException(str(error)) from error
    for file in written:
        click.echo(file)
