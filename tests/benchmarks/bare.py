"""Baseline: the echo under the site's own gunicorn, classes and engine."""

from mnistweb.app import create_database_app
from mnistweb.extensions import db
from tests.benchmarks.echo import add_echo

app = create_database_app()
add_echo(app, db)
