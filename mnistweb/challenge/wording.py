"""The words of a round's results."""

from collections.abc import Sequence

from mnistweb.challenge.results import Place, Results
from mnistweb.database.models import Challenge
from mnistweb.predictions.wording import with_article
from mnistweb.proportion import Proportion


def score(proportion: Proportion) -> str:
    """Say how many drawings were read right: "9 of 10 read right"."""
    return f"{proportion.part} of {proportion.total} read right" if proportion.total else "no drawings"


def seconds_of(challenge: Challenge) -> str:
    """Format the time of a round: "24.3 s"; empty without the clock."""
    return "" if challenge.seconds is None else f"{challenge.seconds:.1f} s"


def outcome(results: Results) -> str:
    """Say what was misread, and what was not drawn, in a sentence or two; empty if all went well."""
    parts = [f"Misread: {_listed(results.misread)}."] if results.misread else []
    missing = sum(place.state == "open" for place in results.places)
    if missing:
        end = "The clock ran out" if results.challenge.seconds is not None else "The round ended"
        parts.append(f"{end} before {'the last one' if missing == 1 else f'the last {missing}'}.")
    return " ".join(parts)


def _listed(misread: Sequence[Place]) -> str:
    readings = [f"the {place.prompt} as {_read_as(place)}" for place in misread]
    *first, last = readings
    return f"{', '.join(first)} and {last}" if first else last


def _read_as(place: Place) -> str:
    digit = place.prediction.digit if place.prediction else None
    return "no digit" if digit is None else with_article(digit)
