"""`mnistweb serve`: the site under gunicorn, in this process."""

import click
from flask import Flask
from gunicorn.app.base import Application

from mnistweb.config import ConfigError, environment, load, site_files


class Server(Application):  # type: ignore[misc]
    """Gunicorn with the site's configuration; GUNICORN_CMD_ARGS overrides it."""

    def load_config(self) -> None:
        """Read the configuration, at the start and on SIGHUP."""
        self.load_config_from_file(str(site_files() / "deploy" / "gunicorn.conf.py"))
        given = self.cfg.parser().parse_args(self.cfg.get_cmd_args_from_env())
        for name, value in vars(given).items():
            if value is not None and name != "args":
                self.cfg.set(name, value)

    def load(self) -> Flask:
        """Create the application."""
        from mnistweb.app import create_app

        return create_app()


@click.command()
@click.pass_context
def serve(context: click.Context) -> None:
    """Migrate the database, then serve the site with gunicorn.

    HOST, PORT, WORKERS and THREADS set the address and the number of processes and threads. Settings come
    from the environment and from `.env` in the checkout; an installed package reads `.env` in the current
    folder.
    """
    try:
        load(environment())
    except ConfigError as error:
        raise click.ClickException(str(error)) from None
    # Before the site is imported, because gunicorn's configuration prepares the process for torch and
    # Prometheus.
    server = Server(prog="mnistweb serve")
    try:
        from mnistweb.cli.database import migrate

        context.invoke(migrate)
    except BaseException:
        server.cfg.on_exit(server)
        raise
    server.run()
