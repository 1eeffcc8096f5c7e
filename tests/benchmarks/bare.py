"""Baseline: a route that echoes JSON and inserts one row, under the site's own gunicorn and engine."""

from flask import jsonify, request
from flask.typing import ResponseReturnValue
from sqlalchemy import JSON, Column, Integer, MetaData, Table, insert

from mnistweb.app import create_database_app
from mnistweb.extensions import db

echo_table = Table("echo", MetaData(), Column("id", Integer, primary_key=True), Column("body", JSON))

app = create_database_app()
with app.app_context():
    echo_table.metadata.create_all(db.engine)
    db.engine.dispose()


@app.post("/echo")
def echo() -> ResponseReturnValue:
    """Insert a row, and return the body."""
    body = request.get_json()
    db.session.execute(insert(echo_table).values(body={"length": len(body["image"])}))
    db.session.commit()
    return jsonify(body), 201
