"""The pages of the models, made from their cards."""

from pathlib import Path

from flask import Blueprint, abort, current_app, render_template
from flask.typing import ResponseReturnValue

from mnistweb.recognition.model_card import ModelCard
from mnistweb.registry.figures import PAGE_FIGURES, setting_rows
from mnistweb.registry.recognizers import model_cards
from mnistweb.registry.report_images import ReportImage, report_images

blueprint = Blueprint("registry", __name__, url_prefix="/models")


@blueprint.get("")
def index() -> ResponseReturnValue:
    """Show all models side by side."""
    cards = model_cards()
    figures = [figure for figure in PAGE_FIGURES if any(figure.text(card) for card in cards)]
    images = {card.name: _report_images(card.name) for card in cards}
    return render_template("registry/index.html", cards=cards, main_figures=figures, pictures=images)


@blueprint.get("/<name>")
def show(name: str) -> ResponseReturnValue:
    """Show one model."""
    card = next((card for card in model_cards() if card.name == name), None)
    if card is None:
        abort(404)
    return render_template(
        "registry/show.html",
        card=card,
        main_figures=[figure for figure in PAGE_FIGURES if figure.text(card)],
        training=list(setting_rows(card.training)) if isinstance(card, ModelCard) else [],
        pictures=_report_images(name),
    )


def _report_images(name: str) -> dict[str, ReportImage]:
    return report_images(Path(current_app.static_folder or ""), name)
