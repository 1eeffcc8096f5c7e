"""`mnistweb predict`: a recognizer without a web site."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import click

from mnistweb.recognition.boundaries import Certainty
from mnistweb.recognition.decoding import read_drawing
from mnistweb.recognition.errors import DrawingError
from mnistweb.recognition.preprocessing import normalize
from mnistweb.recognition.rejection import reason_in_picture
from mnistweb.recognition.types import Answer, Recognizer
from mnistweb.recognition.zoo import ModelFileError, Zoo

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
