"""The pages about the networks: what each is and can do, all of it from the model cards."""

from pathlib import Path

from flask import Blueprint, abort, current_app, render_template
from flask.typing import ResponseReturnValue

from mnistweb.recognition.model_card import ModelCard
from mnistweb.registry.figures import MEASURES, facts
from mnistweb.registry.recognizers import model_cards
from mnistweb.registry.report_images import ReportPicture, report_pictures

blueprint = Blueprint("registry", __name__, url_prefix="/models")


@blueprint.get("")
def index() -> ResponseReturnValue:
    """Every installed network beside the others."""
    cards = model_cards()
    measures = [measure for measure in MEASURES if any(measure.text(card) for card in cards)]
    pictures = {card.name: _pictures(card.name) for card in cards}
    return render_template("networks.html", cards=cards, measures=measures, pictures=pictures)


@blueprint.get("/<name>")
def show(name: str) -> ResponseReturnValue:
    """One network."""
    card = next((card for card in model_cards() if card.name == name), None)
    if card is None:
        abort(404)
    return render_template(
        "network.html",
        card=card,
        measures=[measure for measure in MEASURES if measure.text(card)],
        training=list(facts(card.training)) if isinstance(card, ModelCard) else [],
        pictures=_pictures(name),
    )


def _pictures(name: str) -> dict[str, ReportPicture]:
    return report_pictures(Path(current_app.static_folder or ""), name)
