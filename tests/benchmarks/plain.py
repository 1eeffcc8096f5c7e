"""Baseline that the site's own work leaves as it is: the echo in plain Flask, under gunicorn's own worker."""

import os

from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import make_url

from tests.benchmarks.echo import add_echo

db = SQLAlchemy()
app = Flask(__name__)
app.config["SQLALCHEMY_DATABASE_URI"] = make_url(os.environ["DATABASE_URL"]).set(
    drivername="postgresql+psycopg2"
)
db.init_app(app)
add_echo(app, db)
