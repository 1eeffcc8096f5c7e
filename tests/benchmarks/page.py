"""The page's Predict as its script sends it, for visitors without and with earlier drawings."""

import json

from flask import Flask
from sqlalchemy import text

from mnistweb.database.models import Prediction
from mnistweb.extensions import db
from mnistweb.web.form_tokens import token_for
from mnistweb.web.visitors import COOKIE, signed
from tests.benchmarks.load import KEY, http_post
from tests.support.drawings import STROKES, data_url, draw_digit, encode, strokes_json

EARLIER = 50
"""Drawings of each visitor who has any."""
VISITORS = 500
"""Their number: each gets a few more drawings during the measurement."""
ACCEPT_ENCODING = "gzip, deflate, br, zstd"
COPIED = ", ".join(
    column.name
    for column in Prediction.__table__.columns
    if column.name not in ("id", "visitor", "label", "request_key")
)
FILL = f"""
INSERT INTO prediction (id, visitor, label, {COPIED})
SELECT gen_random_uuid(), 'visitor ' || number, CASE WHEN random() < 0.5 THEN digit END, {COPIED}
FROM (SELECT * FROM prediction LIMIT :earlier) AS drawn, generate_series(1, :visitors) AS number
"""  # noqa: S608 (names of columns)


def give_drawings(app: Flask) -> None:
    """Copy EARLIER predictions of the log to each of VISITORS visitors."""
    with app.app_context():
        db.session.execute(text(FILL), {"earlier": EARLIER, "visitors": VISITORS})
        db.session.execute(text("UPDATE prediction SET labelled_at = created_at WHERE label IS NOT NULL"))
        db.session.commit()
        db.session.execute(text("ANALYZE prediction"))
        db.session.commit()


def new_visitors(app: Flask) -> list[bytes]:
    """Return requests of visitors without drawings, in turns."""
    return _requests(app, [f"newcomer {number}" for number in range(VISITORS)])


def known_visitors(app: Flask) -> list[bytes]:
    """Return requests of the visitors with drawings, in turns."""
    return _requests(app, [f"visitor {number}" for number in range(1, VISITORS + 1)])


def _requests(app: Flask, visitors: list[str]) -> list[bytes]:
    forms = [_form(digit, width) for digit in STROKES for width in (12, 20, 28)]
    requests = []
    with app.app_context():
        for number, visitor in enumerate(visitors):
            body = json.dumps(forms[number % len(forms)]).encode()
            headers = {
                "Accept-Encoding": ACCEPT_ENCODING,
                "Content-Type": "application/json",
                "Cookie": f"{COOKIE}={signed(visitor)}",
                "Idempotency-Key": KEY.decode(),
                "X-CSRFToken": token_for(visitor),
                "X-Fragment": "true",
            }
            requests.append(http_post("/predictions", body, headers))
    return requests


def _form(digit: int, width: int) -> dict[str, str]:
    return {
        "model": "cnn",
        "image": data_url(encode(draw_digit(digit, width))),
        "strokes": json.dumps(strokes_json(digit, width), separators=(",", ":")),
    }
