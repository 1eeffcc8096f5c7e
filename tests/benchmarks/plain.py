"""Baseline that the site's own work leaves as it is: plain Flask, under gunicorn's own worker."""

import os

from flask import Flask, jsonify, request
from flask.typing import ResponseReturnValue
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import JSON, Column, Integer, MetaData, Table, insert, make_url

db = SQLAlchemy()
echo_table = Table("plain_echo", MetaData(), Column("id", Integer, primary_key=True), Column("body", JSON))

app = Flask(__name__)
app.config["SQLALCHEMY_DATABASE_URI"] = make_url(os.environ["DATABASE_URL"]).set(
    drivername="postgresql+psycopg2"
)
db.init_app(app)
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
