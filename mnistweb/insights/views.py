"""The insights page."""

from datetime import UTC, datetime

from flask import Blueprint, abort, current_app, render_template, request
from flask.typing import ResponseReturnValue

from mnistweb.extensions import db
from mnistweb.insights.charts import swatch
from mnistweb.insights.figures import insight_charts
from mnistweb.insights.hardest import hardest_drawings
from mnistweb.insights.links import HistoryLinks
from mnistweb.insights.queries import TIME_RANGES, load_insights
from mnistweb.insights.wording import period_name
from mnistweb.registry.recognizers import model_cards
from mnistweb.web.access import OFF, is_public

blueprint = Blueprint("insights", __name__)


@blueprint.get("/insights")
def index() -> ResponseReturnValue:
    """Show the insights of the last 30 or 365 `?days=`, or of all time.

    Only PUBLIC_HISTORY off hides the charts, which contain no data of single visitors. Drawings, and links to
    them, need a public history.
    """
    time_ranges = {None if days is None else str(days): days for days in TIME_RANGES}
    requested = request.args.get("days")
    if requested not in time_ranges or current_app.config["PUBLIC_HISTORY"] == OFF:
        abort(404)
    today = datetime.now(UTC).date()
    # First, because the queries of the charts change how PostgreSQL plans.
    hardest = hardest_drawings(db.session()) if is_public() else None
    insights = load_insights(db.session(), time_ranges[requested], today)
    links = HistoryLinks(insights.first, is_public())
    return render_template(
        "insights/index.html",
        insights=insights,
        charts=insight_charts(insights, {card.name: card.title for card in model_cards()}, links),
        hardest=hardest,
        today=today,
        swatch=swatch,
        when=period_name,
        time_ranges=TIME_RANGES,
        chosen=time_ranges[requested],
    )
