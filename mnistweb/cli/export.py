"""`mnistweb models export`: the models for another server, once or for as long as it runs."""

from pathlib import Path
from urllib.parse import quote

import click
import urllib3
from urllib3.exceptions import HTTPError

from mnistweb.cli.database import database_app
from mnistweb.extensions import db
from mnistweb.recognition.model_card import ModelFileError
from mnistweb.recognition.remote.triton import write_repository, write_version
from mnistweb.registry.follower import Follower, Version
from mnistweb.registry.installed import installed_card, installed_names, read_installed

LOAD_TIMEOUT = 60.0
"""Seconds in which a server may load a model."""


@click.command()
@click.option(
    "--triton",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Write a model repository of Triton Inference Server to this folder.",
)
@click.option("--follow", is_flag=True, help="Write the live versions of the site's database, until stopped.")
@click.option("--load", metavar="URL", help="Ask the server at this address to load what --follow wrote.")
@click.pass_obj
def export(weights: Path, triton: Path, follow: bool, load: str | None) -> None:
    """Export the models in the format of another server."""
    if load and not follow:
        raise click.UsageError("--load needs --follow.")
    if follow:
        _follow(triton, load)
        return
    try:
        written = write_repository(weights, triton)
    except (ModelFileError, OSError) as error:
        raise click.ClickException(str(error)) from error
    for file in written:
        click.echo(file)


def _follow(folder: Path, load: str | None) -> None:
    with database_app().app_context():
        installed = {name: installed_card(name).version for name in installed_names()}
        missing = set(installed)

        def write(name: str, version: Version | None) -> None:
            file, card = (version.file, version.card) if version else read_installed(name)
            click.echo(write_version(folder, card, file))
            if load:
                _load(load, name)
            missing.discard(name)

        follower = Follower(db.engine.url, installed, write)
        if not follower.refresh():
            raise click.ClickException("The database cannot be read.")
        for name in sorted(missing):
            try:
                write(name, None)
            except ModelFileError as error:  # the server may start later, and then loads what is there
                click.echo(error, err=True)
        follower.run()


def _load(url: str, name: str) -> None:
    address = f"{url.rstrip('/')}/v2/repository/models/{quote(name, safe='')}/load"
    try:
        response = urllib3.request("POST", address, json={}, timeout=LOAD_TIMEOUT, retries=False)
    except HTTPError as error:
        raise ModelFileError(f"{address}: {error}") from error
    if response.status != 200:
        raise ModelFileError(f"{address}: status {response.status}")
