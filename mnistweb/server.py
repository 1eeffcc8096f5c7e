"""The command `serve`: the site under gunicorn, in this process."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from gunicorn.app.base import Application

from mnistweb.cli import migrate
from mnistweb.config import site_files

if TYPE_CHECKING:
    from flask import Flask


class Server(Application):  # type: ignore[misc]
    """Gunicorn with the configuration that the site comes with, and GUNICORN_CMD_ARGS above it."""

    def load_config(self) -> None:
        """Read the configuration, at the start and on SIGHUP."""
        self.load_config_from_file(str(site_files() / "deploy" / "gunicorn.conf.py"))
        given = self.cfg.parser().parse_args(self.cfg.get_cmd_args_from_env())
        for name, value in vars(given).items():
            if value is not None and name != "args":
                self.cfg.set(name, value)

    def load(self) -> Flask:
        """Make the site, once the configuration has prepared the process for torch and for Prometheus."""
        from mnistweb import create_app

        return create_app()


@click.command()
@click.pass_context
def serve(context: click.Context) -> None:
    """Migrate the database, then serve the site with gunicorn.

    The settings HOST, PORT, WORKERS and THREADS say where and with how many; a checkout and the folder of an
    installed package may hold them in `.env`. By default the site keeps its files in `instance`.
    """
    context.invoke(migrate)
    Server(prog="mnistweb serve").run()
