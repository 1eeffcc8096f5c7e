"""The application, its errors and a progress bar, for the commands of `mnistweb data`."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import click
from flask import Flask

from mnistweb.app import create_app
from mnistweb.cli import database
from mnistweb.config import ConfigError
from mnistweb.datasets.errors import DataSetError
from mnistweb.recognition.errors import RecognitionError
from mnistweb.recognition.model_card import ModelFileError


@contextmanager
def on_database(*, with_models: bool = False) -> Iterator[None]:
    """Enter the application, with its models or its database alone.

    Turns errors of data sets, of files and of the database into a ClickException.
    """
    with database.on_database(site_app if with_models else None):
        try:
            yield
        except (DataSetError, OSError, RecognitionError) as error:
            raise click.ClickException(str(error)) from None


def site_app() -> Flask:
    """Create the whole application. Raises ClickException for an invalid setting or model."""
    try:
        return create_app()
    except (ConfigError, ModelFileError) as error:
        raise click.ClickException(str(error)) from None


@contextmanager
def progress(total: int) -> Iterator[Callable[[int], None]]:
    """Show a progress bar on a terminal, and yield the function that advances it."""
    if not total or not sys.stderr.isatty():
        yield lambda _: None
        return
    bar: Any = click.progressbar(length=total, file=sys.stderr, show_pos=True)
    with bar:
        yield bar.update
