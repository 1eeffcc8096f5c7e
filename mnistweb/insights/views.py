"""The page of insights."""

from datetime import UTC, datetime

from flask import Blueprint, abort, current_app, render_template, request
from flask.typing import ResponseReturnValue

from mnistweb.extensions import db
from mnistweb.insights.charts import swatch
from mnistweb.insights.figures import insight_charts, when
from mnistweb.insights.queries import PERIODS, gather
from mnistweb.registry.recognizers import model_cards
from mnistweb.web.access import OFF

blueprint = Blueprint("insights", __name__)


@blueprint.get("/insights")
def index() -> ResponseReturnValue:
    """What all visitors' feedback says of the last 30 or 365 `?days=`, or of all time.

    The figures tell nothing of a single visitor, so they are hidden only where there is no public history.
    """
    periods = {None if days is None else str(days): days for days in PERIODS}
    asked = request.args.get("days")
    if asked not in periods or current_app.config["PUBLIC_HISTORY"] == OFF:
        abort(404)
    insights = gather(db.session(), periods[asked], datetime.now(UTC).date())
    return render_template(
        "insights.html",
        insights=insights,
        charts=insight_charts(insights, {card.name: card.title for card in model_cards()}),
        swatch=swatch,
        when=when,
        periods=PERIODS,
        chosen=periods[asked],
    )
