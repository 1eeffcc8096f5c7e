"""The insights' charts of drift, and the table of what has changed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import pairwise

from mnistweb.charts import plots, windows
from mnistweb.charts.figure import UNKNOWN, Chart, share_cells
from mnistweb.formatting import percent
from mnistweb.insights.links import HistoryLinks
from mnistweb.insights.wording import period_name
from mnistweb.predictions.drift import CONFIDENCE_BOUNDS, INK_BOUNDS, SHARES, Drift
from mnistweb.predictions.drift_statistics import DistributionDrift, ShareDrift, Verdict
from mnistweb.predictions.filter_fields import NONE
from mnistweb.predictions.filter_fields import Verdict as Rating
from mnistweb.predictions.filters import Filter
from mnistweb.proportion import Proportion
from mnistweb.recognition.boundaries import Certainty

NAMES = {
    "refused": "Answered “not a digit”",
    "doubtful": "Digits in doubt",
    "right": "Right, of the rated ones",
    "confidence": "Confidence",
    "ink": "Ink",
}
VERDICTS = {Verdict.CHANGED: "changed", Verdict.SAME: "as before", Verdict.FEW: "too few drawings to tell"}
FILTERS = {
    "refused": Filter(digit=NONE),
    "doubtful": Filter(certainty=Certainty.DOUBTFUL),
    "right": Filter(verdict=Rating.LABELLED),
}
SENTENCES = {
    "refused": "Rises when people draw other things, or write in a way that the model does not know.",
    "doubtful": "Rises when the model is less sure of what people draw.",
    "right": "Of the answers that their authors rated. Authors rate mistakes more often than right answers.",
}


@dataclass(frozen=True, slots=True)
class Row:
    """A measure in words: its values in both windows, their difference with its bounds, and the verdict."""

    name: str
    before: str
    latest: str
    difference: str
    bounds: str
    verdict: Verdict

    @property
    def words(self) -> str:
        """The verdict in words."""
        return VERDICTS[self.verdict]


def drift_rows(drift: Drift) -> list[Row]:
    """Return a row for each measure."""
    return [_row(NAMES[name], measure) for name, measure in drift.measures.items()]


def drift_sentence(drift: Drift) -> str:
    """Say in a sentence what has changed."""
    verdicts = {measure.verdict for measure in drift.measures.values()}
    if verdicts == {Verdict.FEW}:
        return "There are too few drawings yet to tell."
    changed = [NAMES[name] for name in drift.changed]
    return f"Changed: {'; '.join(changed)}." if changed else "Nothing has changed that is more than chance."


def drift_charts(drift: Drift, links: HistoryLinks) -> Iterator[Chart]:
    """Yield the charts of those measures that have drawings in both windows."""
    for name in SHARES:
        share = drift.shares[name]
        if share.recent.total and share.reference.total:
            yield _day_chart(name, drift, links)
    for name, bounds in (("confidence", CONFIDENCE_BOUNDS), ("ink", INK_BOUNDS)):
        measure = drift.distributions[name]
        if sum(measure.recent) and sum(measure.reference):
            yield _bin_chart(name, bounds, measure)


def _row(name: str, measure: ShareDrift | DistributionDrift) -> Row:
    if isinstance(measure, DistributionDrift):
        before, latest = (f"{sum(counts):,} drawings" for counts in (measure.reference, measure.recent))
        size, bounds = f"index {measure.size:.2f}", f"noticed from {measure.bound:.2f}"
        known = measure.verdict is not Verdict.FEW
    else:
        before, latest = (_of(each) for each in (measure.reference, measure.recent))
        size = f"{_signed(measure.size)} points"
        bounds = " to ".join(map(_signed, measure.interval))
        known = bool(measure.recent.total and measure.reference.total)
    return Row(name, before, latest, *((size, bounds) if known else (UNKNOWN, UNKNOWN)), measure.verdict)


def _of(share: Proportion) -> str:
    return f"{percent(share.value)} of {share.total:,}" if share.total else UNKNOWN


def _signed(difference: float) -> str:
    return f"{100 * difference:+.1f}".replace("-", "−")  # noqa: RUF001 (a minus sign)


def _day_chart(name: str, drift: Drift, links: HistoryLinks) -> Chart:
    first, end = drift.windows.first, drift.windows.end
    counted = {day.start: day.share(name) for day in drift.days}
    start = min(counted)  # a young site has no earlier days
    days = [start + timedelta(number) for number in range((end - start).days)]
    shares = [counted.get(day, Proportion(0, 0)) for day in days]
    names = [period_name(day, "day") for day in days]
    wanted = [replace(FILTERS[name], model=drift.model, first=day, last=day) for day in days]
    columns = plots.evenly_spaced(
        names, shares, map(links.address, wanted), ticks=[f"{day.day} {day:%b}" for day in days]
    )
    title, share = f"{NAMES[name]}, by day", drift.shares[name]
    before, latest = percent(share.reference.value), percent(share.recent.value)
    recent_from = (drift.windows.recent - max(first, start)).days
    return Chart(
        f"drift-{name}",
        title,
        f"{latest} in the latest days, {before} before: the dashed line. {SENTENCES[name]}",
        windows.day_chart(columns, recent_from, share.reference, f"{title}: {latest}, before {before}"),
        ("Day (UTC)", "Drawings", "Share", "95 % interval"),
        [(day, f"{each.total:,}", *share_cells(each)) for day, each in zip(names, shares, strict=True)],
    )


def _bin_chart(name: str, bounds: Sequence[float], measure: DistributionDrift) -> Chart:
    edges = [0.0, *bounds, 1.0]
    bins = [f"{100 * low:g} to {100 * high:g} %" for low, high in pairwise(edges)]
    title = f"{NAMES[name]}, before and now"
    subject = "sure the model was" if name == "confidence" else "much of the 28×28 picture is ink"
    return Chart(
        f"drift-{name}",
        title,
        f"How {subject}, in a random sample of the drawings. The population stability index of the two is "
        f"{measure.size:.2f}; from {measure.bound:.2f} on it counts as a change.",
        windows.bin_chart(
            bins,
            [f"{100 * low:g} %" for low in edges[:-1]],
            measure.reference,
            measure.recent,
            f"{title}: index {measure.size:.2f}",
        ),
        (NAMES[name], "Before", "Share", "95 % interval", "Latest", "Share", "95 % interval"),
        [
            (
                words,
                f"{before:,}",
                *share_cells(Proportion(before, sum(measure.reference))),
                f"{latest:,}",
                *share_cells(Proportion(latest, sum(measure.recent))),
            )
            for words, before, latest in zip(bins, measure.reference, measure.recent, strict=True)
        ],
        [(plots.swatch("open"), "before"), (plots.swatch("right"), "latest days")],
    )
