"""The outcome of an action of the review: what a page says of it, also after a redirect."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from mnistweb.database.models import ReviewDecision
from mnistweb.predictions.review import decisions_at
from mnistweb.predictions.review_changes import Change
from mnistweb.predictions.reviewed_labels import label_of
from mnistweb.recognition.errors import UserError


@dataclass(frozen=True, slots=True)
class Outcome:
    """Outcome of an action at a moment; `missed` drawings were decided by others, or deleted."""

    moment: datetime
    missed: int
    undone: bool = False

    @classmethod
    def parse(cls, given: Mapping[str, str]) -> "Outcome | None":
        """Read the outcome that an address names, if any. Raises UserError (invalid_filter)."""
        if not given.get("moment"):
            return None
        missed = given.get("missed", "0")
        return cls(
            parse_moment(given["moment"]),
            int(missed) if missed.isascii() and missed.isdigit() and len(missed) < 5 else 0,
            given.get("undone") == "1",
        )

    def query(self) -> dict[str, str]:
        """Return the parameters of an address that names it."""
        named = {"moment": self.moment.isoformat(), "missed": str(self.missed)}
        return named | {"undone": "1"} if self.undone else named

    def message(self, reviewer: str) -> "Message":
        """Say what happened, and what can be undone."""
        decisions = decisions_at(self.moment, reviewer)
        moment = None if self.undone or not decisions else self.moment.isoformat()
        return Message(self._words(decisions), moment)

    def _words(self, decisions: Sequence[ReviewDecision]) -> str:
        late = f"{_drawings(self.missed)} had been decided by someone else, or deleted."
        said = [late[0].upper() + late[1:]] if self.missed else []
        if self.undone and decisions:
            said.insert(0, f"Taken back: {_drawings(len(decisions))}.")
        elif decisions:
            labels = Counter(map(_decided_words, decisions))
            parts = [words if number == 1 else f"{words} ({number})" for words, number in labels.items()]
            said.insert(0, f"Decided: {', '.join(parts)}.")
        return " ".join(said) or "Nothing was changed."


@dataclass(frozen=True, slots=True)
class Message:
    """A message on the page; with a `moment`, what was decided then can be undone."""

    words: str
    moment: str | None = None


NOTHING_CHOSEN = Message("Choose drawings first, then say what they are.")


def parse_moment(text: str) -> datetime:
    """Parse the time of a decision. Raises UserError (invalid_filter)."""
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        raise UserError("invalid_filter", "This time cannot be read.") from None


def _decided_words(decision: ReviewDecision) -> str:
    return "hidden" if Change.of(decision).hides else label_of(decision).words


def _drawings(number: int) -> str:
    return "one drawing" if number == 1 else f"{number:,} drawings"
