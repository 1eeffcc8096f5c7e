"""The insights page."""

from datetime import UTC, datetime

from flask import Blueprint, abort, current_app, render_template, request
from flask.typing import ResponseReturnValue

from mnistweb.extensions import db
from mnistweb.insights.figures import insight_charts, period_name
from mnistweb.insights.queries import TIME_RANGES, load_insights
from mnistweb.registry.recognizers import model_cards
from mnistweb.web.access import OFF

blueprint = Blueprint("insights", __name__)


@blueprint.get("/insights")
def index() -> ResponseReturnValue:
    """Show the insights of the last 30 or 365 `?days=`, or of all time.

    They contain no data of single visitors, so only PUBLIC_HISTORY off hides them.
    """
    time_ranges = {None if days is None else str(days): days for days in TIME_RANGES}
    requested = request.args.get("days")
    if requested not in time_ranges or current_app.config["PUBLIC_HISTORY"] == OFF:
        abort(404)
    insights = load_insights(db.session(), time_ranges[requested], datetime.now(UTC).date())
    return render_template(
        "insights/index.html",
        insights=insights,
        charts=insight_charts(insights, {card.name: card.title for card in model_cards()}),
        when=period_name,
        time_ranges=TIME_RANGES,
        chosen=time_ranges[requested],
    )
