"""The route of the baselines: it echoes JSON and inserts one row."""

from flask import Flask, jsonify, request
from flask.typing import ResponseReturnValue
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import JSON, Column, Integer, MetaData, Table, insert

TABLE = Table("echo", MetaData(), Column("id", Integer, primary_key=True), Column("body", JSON))


def add_echo(app: Flask, db: SQLAlchemy) -> None:
    """Add the route, and create its table."""
    with app.app_context():
        TABLE.metadata.create_all(db.engine)
        db.engine.dispose()

    @app.post("/echo")
    def echo() -> ResponseReturnValue:
        body = request.get_json()
        db.session.execute(insert(TABLE).values(body={"length": len(body["image"])}))
        db.session.commit()
        return jsonify(body), 201
