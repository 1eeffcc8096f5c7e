"""The pages of the models, made from their cards and reports."""

from flask import Blueprint, abort, render_template
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import undefer

from mnistweb.charts.networks import kernel_diagram, layer_box
from mnistweb.database.models import Promotion
from mnistweb.extensions import db
from mnistweb.recognition.comparison import MARGIN, Comparison
from mnistweb.recognition.model_card import Card, ModelCard
from mnistweb.registry.comparison_page import site_page
from mnistweb.registry.figures import PAGE_FIGURES, setting_rows
from mnistweb.registry.lineage import Lineage, lineage
from mnistweb.registry.recognizers import model_cards, report_on
from mnistweb.registry.report_charts import (
    TEST_SETS,
    boundary_charts,
    confusion_charts,
    learning_charts,
    reliability_chart,
)
from mnistweb.registry.versions import VersionError

blueprint = Blueprint("registry", __name__, url_prefix="/models")


@blueprint.get("")
def index() -> ResponseReturnValue:
    """Show all models side by side."""
    cards = model_cards()
    return render_template(
        "registry/index.html",
        cards=cards,
        main_figures=[figure for figure in PAGE_FIGURES if any(figure.text(card) for card in cards)],
        layers={card.name: report_on(card).layers for card in cards},
        layer_box=layer_box,
    )


@blueprint.get("/<name>")
def show(name: str) -> ResponseReturnValue:
    """Show one model."""
    card = next((card for card in model_cards() if card.name == name), None)
    if card is None:
        abort(404)
    report = report_on(card)
    figures = card.figures if isinstance(card, ModelCard) else {}
    return render_template(
        "registry/show.html",
        card=card,
        figures=figures,
        report=report,
        main_figures=[figure for figure in PAGE_FIGURES if figure.text(card)],
        test_sets={key: title for key, title in TEST_SETS.items() if key in figures},
        confusions=list(confusion_charts(report)),
        reliability={key: reliability_chart(report, key) for key in TEST_SETS},
        boundaries=list(boundary_charts(card)) if isinstance(card, ModelCard) else [],
        learning=list(learning_charts(figures.get("history", ()))),
        lineage=_lineage(card),
        training=list(setting_rows(card.training)) if isinstance(card, ModelCard) else [],
        layer_box=layer_box,
        kernel_diagram=kernel_diagram,
    )


@blueprint.get("/<name>/compare/<int(max=2147483647):promotion_id>")  # the largest id of both databases
def comparison(name: str, promotion_id: int) -> ResponseReturnValue:
    """Show the comparison on which a version went live."""
    promotion = db.session.get(Promotion, promotion_id, options=[undefer(Promotion.comparison)])
    if promotion is None or promotion.name != name or promotion.comparison is None:
        abort(404)
    margin = promotion.comparison.get("margin", MARGIN)
    return site_page(Comparison.from_json(promotion.comparison), margin)


def _lineage(card: Card) -> Lineage | None:
    """Return the lineage of a network; None for a language model, and while the database fails."""
    if not isinstance(card, ModelCard):
        return None
    try:
        return lineage(card.name)
    except (SQLAlchemyError, VersionError):
        db.session.rollback()
        return None
