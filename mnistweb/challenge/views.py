"""The challenge: ten digits to draw in thirty seconds, and the page of a round's results."""

import re
import uuid
from collections.abc import Sequence

from flask import Blueprint, current_app, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import BadRequest

from mnistweb.challenge import rounds
from mnistweb.challenge.results import Round, load_results, rounds_of
from mnistweb.challenge.wording import outcome, score, seconds_of
from mnistweb.database.errors import DATABASE_ERRORS
from mnistweb.database.models import Source
from mnistweb.extensions import db
from mnistweb.predictions.challenges import own_challenges
from mnistweb.predictions.service import recognize_and_save
from mnistweb.predictions.strokes import strokes_from_form
from mnistweb.recognition.decoding import decode_base64_image
from mnistweb.recognition.errors import UserError
from mnistweb.web.access import has_public
from mnistweb.web.error_handlers import DATABASE_ERROR, respond
from mnistweb.web.fragments import is_fragment
from mnistweb.web.request_args import form_fields
from mnistweb.web.visitors import current_visitor, known_visitor

blueprint = Blueprint("challenge", __name__, url_prefix="/challenge")
SECONDS = 30
"""The time of a round; a visitor can switch the clock off."""
LATEST = 5
"""Own rounds that the page lists."""


@blueprint.get("")
def index() -> str:
    """Show the slate of the challenge, and the visitor's latest rounds."""
    return render_template("challenge/index.html", seconds=SECONDS, rounds=_latest_rounds())


@blueprint.post("")
def start() -> ResponseReturnValue:
    """Begin a round, and send the digits that it asks for to the page's script."""
    return render_template("challenge/_round.html", challenge=rounds.begin(current_visitor())), 201


@blueprint.post("/<uuid:challenge_id>/drawings/<int:place>")
def draw(challenge_id: uuid.UUID, place: int) -> ResponseReturnValue:
    """Recognize the drawing (`image`, `strokes`) for a place of the visitor's round that asks for `prompt`.

    A place takes one drawing; the same one may be sent again.
    """
    fields, visitor = form_fields(), current_visitor()
    prompt = rounds.prompt_at(challenge_id, visitor, place, fields.get("prompt", ""))
    try:
        prediction = recognize_and_save(
            decode_base64_image(fields.get("image", ""), current_app.config["MAX_IMAGE_BYTES"]),
            visitor=visitor,
            source=Source.SLATE,
            strokes=strokes_from_form(fields.get("strokes", "")),
            key=prompt.key,
            prompt=prompt,
        )
    except UserError as error:
        if error.code == "idempotency_key_reused":
            raise UserError("already_drawn", "This round already has a drawing here.") from None
        raise
    if not prediction.saved:
        return respond(*DATABASE_ERROR, 503)
    rounds.check_saved(challenge_id, visitor)
    return render_template("challenge/_reading.html", answer=prediction), 200 if prediction.repeated else 201


@blueprint.post("/<uuid:challenge_id>/finish")
def finish(challenge_id: uuid.UUID) -> ResponseReturnValue:
    """Finish the visitor's round; `seconds` is the time of drawing, empty without the clock."""
    rounds.finish(challenge_id, current_visitor(), _seconds(form_fields().get("seconds", "")))
    if is_fragment():
        return render_template("challenge/_round.html", challenge=rounds.find(challenge_id))
    return redirect(url_for(".show", challenge_id=challenge_id), 303)


@blueprint.get("/<uuid:challenge_id>")
def show(challenge_id: uuid.UUID) -> str:
    """Show the results of a round."""
    challenge = rounds.find(challenge_id)
    mine = challenge.visitor == known_visitor()
    if not mine and not has_public():
        raise rounds.ChallengeNotFound
    return render_template("challenge/show.html", results=load_results(challenge), mine=mine)


@blueprint.post("/<uuid:challenge_id>/delete")
def delete(challenge_id: uuid.UUID) -> ResponseReturnValue:
    """Delete one of the visitor's own rounds, with its drawings."""
    rounds.delete(challenge_id, current_visitor())
    return redirect(url_for(".index"), 303)


@blueprint.context_processor
def _words() -> dict[str, object]:
    return {"outcome": outcome, "score": score, "seconds_of": seconds_of}


def _latest_rounds() -> Sequence[Round]:
    try:
        return rounds_of(own_challenges(known_visitor(), LATEST))
    except DATABASE_ERRORS:
        db.session.rollback()
        return []


def _seconds(text: str) -> float | None:
    # `float` also accepts "nan", "inf", "1_0" and spaces.
    if text and not re.fullmatch(r"[0-9]{1,5}(\.[0-9]{1,6})?", text, re.ASCII):
        raise BadRequest
    return float(text) if text else None
