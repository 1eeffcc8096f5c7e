"""Links from the charts to the drawings that they count, in the history."""

from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from flask import url_for

from mnistweb.charts.svg import element
from mnistweb.predictions.filters import Filter


@dataclass(frozen=True, slots=True)
class HistoryLinks:
    """Addresses of drawings from the day `first` on; all are empty unless the history is `public`.

    Nor is there an address of drawings from before `kept`, the first day of those that the history shows.
    """

    first: date | None = None
    public: bool = True
    kept: date | None = None

    def address(self, criteria: Filter) -> str:
        """Return the address of the gallery of the drawings that match."""
        if not self.public:
            return ""
        first = max((day for day in (self.first, criteria.first) if day is not None), default=None)
        if self.kept is not None and (first is None or first < self.kept):
            return ""
        query: dict[str, Any] = replace(criteria, first=first).query()
        return url_for("history.index", view="gallery", **query)

    def cell(self, count: int, words: str, criteria: Filter) -> str:
        """Return a count for a table, linked to its drawings if there are any; `words` say what they are."""
        address = self.address(criteria) if count else ""
        if not address:
            return f"{count:,}"
        return element("a", f"{count:,}", href=address, aria_label=f"{count:,} {words}")
