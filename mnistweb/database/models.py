"""The tables. This module knows neither HTTP nor torch."""

import enum
import uuid
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Date,
    DateTime,
    Dialect,
    Double,
    Enum,
    ForeignKey,
    Index,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Text,
    TypeDecorator,
    case,
    cast,
    false,
    func,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, column_property, mapped_column

SHORT_STROKES = 16 * 1024
"""Characters of the JSON of most strokes."""


class UtcDateTime(TypeDecorator[datetime]):
    """An aware datetime, read in UTC, also from databases without time zones (SQLite)."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Convert to UTC. Raises ValueError for a naive datetime."""
        if value is not None and value.tzinfo is None:
            raise ValueError("a naive datetime cannot be stored")
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Return an aware datetime in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Source(enum.StrEnum):
    """Origin of a drawing."""

    SLATE = "slate"
    UPLOAD = "upload"
    API = "api"


class Review(enum.StrEnum):
    """The operator's word on a drawing; null is none yet."""

    APPROVED = "approved"
    HIDDEN = "hidden"


class Decision(enum.StrEnum):
    """The result of a drawing's review; null is not reviewed yet."""

    DIGIT = "digit"
    NOT_A_DIGIT = "none"
    REJECTED = "rejected"  # left out of data sets


class Span(enum.StrEnum):
    """Period of an aggregate."""

    DAY = "day"
    MONTH = "month"


class Base(DeclarativeBase):
    """Base of all tables. Constraints get predictable names, so that migrations can name them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


def _enum_type(kind: type[enum.StrEnum]) -> Enum:
    return Enum(kind, native_enum=False, length=8, values_callable=lambda kinds: [*map(str, kinds)])


def for_sqlite(condition: str) -> str:
    """Translate a condition to SQLite's words: it uses a partial index only if the text is the same."""
    translated = condition.replace("IS NOT DISTINCT FROM", "IS").replace("IS DISTINCT FROM", "IS NOT")
    return translated.replace("doubtful", "doubtful = 1")


def _partial_index(name: str, condition: str, *columns: str, also: Sequence[str] = ()) -> Index:
    return Index(
        f"ix_prediction_{name}",
        *columns,
        "created_at",
        "id",
        *also,
        postgresql_where=text(condition),
        sqlite_where=text(for_sqlite(condition)),
    )


_NOT_YET = dict.fromkeys(("label", "labelled_at", "prompt", "review"))


class Prediction(Base):
    """A drawing, the answer, and the author's feedback."""

    __tablename__ = "prediction"
    # Indexes are read backwards, newest first or surest first; the id makes the order total. Each serves one
    # filter of the history. PostgreSQL takes no order from an index whose first column IS NULL, hence the
    # partial ones.
    # The columns of `also` let a second filter skip entries without reading rows.
    __table_args__ = (
        Index(None, "created_at", "id"),
        Index(None, "visitor", "created_at", "id"),
        Index(None, "model", "created_at", "id"),
        Index(None, "digit", "created_at", "id"),
        Index(None, "source", "created_at", "id"),
        Index("ix_prediction_confidence", "confidence", "created_at", "id", "doubtful", "digit"),
        _partial_index("refused", "digit IS NULL", also=("label", "model", "source")),
        _partial_index("label", "label IS NOT NULL", "label", also=("model", "source")),
        _partial_index("read_as", "label IS NOT NULL", "digit", "label"),
        _partial_index("refused_label", "digit IS NULL AND label IS NOT NULL", "label"),
        _partial_index(
            "label_none", "labelled_at IS NOT NULL AND label IS NULL", also=("digit", "model", "source")
        ),
        _partial_index("labelled", "labelled_at IS NOT NULL"),
        _partial_index("unlabelled", "labelled_at IS NULL"),
        _partial_index("review", "review IS NOT NULL", "review"),
        _partial_index("decision", "decision IS NOT NULL", "decision"),
        # What waits for a review, by reason (predictions/review_queue.py), and whose claims were reviewed.
        _partial_index(
            "review_claims",
            "decision IS NULL AND labelled_at IS NOT NULL AND digit IS DISTINCT FROM label",
            "confidence",
        ),
        _partial_index(
            "review_prompted",
            "decision IS NULL AND prompt IS NOT NULL AND digit IS DISTINCT FROM prompt",
            "confidence",
        ),
        _partial_index("review_refused", "decision IS NULL AND digit IS NULL", "confidence"),
        _partial_index(
            "unreviewed_claims", "decision IS NULL AND labelled_at IS NOT NULL", "visitor", "confidence"
        ),
        Index(
            "ix_prediction_reviewed_claims",
            *("visitor", "decision", "truth", "label"),
            postgresql_where=text("decision IS NOT NULL AND labelled_at IS NOT NULL"),
            sqlite_where=text("decision IS NOT NULL AND labelled_at IS NOT NULL"),
        ),
        _partial_index("prompt", "prompt IS NOT NULL", "prompt"),
        Index(
            None,
            "challenge",
            postgresql_where=text("challenge IS NOT NULL"),
            sqlite_where=text("challenge IS NOT NULL"),
        ),
        _partial_index("right", "labelled_at IS NOT NULL AND digit IS NOT DISTINCT FROM label"),
        _partial_index(
            "wrong",
            "labelled_at IS NOT NULL AND digit IS DISTINCT FROM label",
            also=("digit", "label", "model", "source"),
        ),
        _partial_index(
            "wrong_confidence",
            "labelled_at IS NOT NULL AND digit IS DISTINCT FROM label",
            "confidence",
            also=("digit", "label", "model", "source"),
        ),
        _partial_index("doubtful_confidence", "doubtful", "confidence", also=("decision",)),
        _partial_index("doubtful_time", "doubtful", also=("digit", "label", "model", "source", "confidence")),
        Index(
            None,
            "request_key",
            unique=True,
            postgresql_where=text("request_key IS NOT NULL"),
            sqlite_where=text("request_key IS NOT NULL"),
        ),
        CheckConstraint("digit BETWEEN 0 AND 9", name="digit"),
        CheckConstraint("label BETWEEN 0 AND 9", name="label"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    visitor: Mapped[str] = mapped_column(String(32))
    source: Mapped[Source] = mapped_column(_enum_type(Source))

    drawing: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)  # PNG
    input: Mapped[bytes] = mapped_column(
        LargeBinary, deferred=True
    )  # 28 x 28 bytes, row-major, 0: background
    strokes: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True), deferred=True)
    # For downloads, as text: parsed, strokes take ten times its memory. Long ones are read one by one.
    strokes_length: Mapped[int | None] = column_property(func.length(cast(strokes, Text)), deferred=True)
    short_strokes: Mapped[str | None] = column_property(
        case((func.length(cast(strokes, Text)) <= SHORT_STROKES, cast(strokes, Text))), deferred=True
    )

    digit: Mapped[int | None] = mapped_column(SmallInteger)  # null: not a digit
    doubtful: Mapped[bool] = mapped_column(default=False, server_default=false())  # of a digit
    confidence: Mapped[float] = mapped_column(Double)
    not_a_digit: Mapped[float] = mapped_column(Double)
    reason: Mapped[str | None] = mapped_column(String(200))
    probabilities: Mapped[list[float]] = mapped_column(JSON)
    model: Mapped[str] = mapped_column(String(64))
    model_version: Mapped[str] = mapped_column(String(64))
    recognition_ms: Mapped[float] = mapped_column(Double)

    label: Mapped[int | None] = mapped_column(SmallInteger)  # null with labelled_at: not a digit
    labelled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    # The digit that the author was asked to draw, and the challenge that asked.
    prompt: Mapped[int | None] = mapped_column(SmallInteger)
    challenge: Mapped[uuid.UUID | None]

    review: Mapped[Review | None] = mapped_column(_enum_type(Review))  # moderation: who may see it
    # The reviewed label: `truth` holds the digit if the decision is DIGIT.
    decision: Mapped[Decision | None] = mapped_column(_enum_type(Decision))
    truth: Mapped[int | None] = mapped_column(SmallInteger)

    # Hashes of the idempotency key and of the request (predictions/idempotency.py).
    request_key: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    request_content: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)

    def __init__(self, **values: Any) -> None:
        # SQLAlchemy's constructor records each value as a change, at twice the time. A new row is all change.
        # Nor need it look for what is not known yet, each time that an answer asks for it.
        self.__dict__.update(_NOT_YET, **values)

    saved = True  # false if the database failed
    repeated = False  # true if an earlier request with the same key saved it

    @property
    def certainty(self) -> str:
        """The certainty of the answer, a value of recognition.boundaries.Certainty."""
        if self.digit is None:
            return "not_a_digit"
        return "doubtful" if self.doubtful else "sure"

    @property
    def labelled(self) -> bool:
        """True if there is feedback."""
        return self.labelled_at is not None

    @property
    def correct(self) -> bool | None:
        """True if the answer was right, false if wrong, None without feedback."""
        return self.digit == self.label if self.labelled else None


class ReviewDecision(Base):
    """A decision of a review: who decided what about a drawing, when, and from what."""

    __tablename__ = "review_decision"
    __table_args__ = (
        Index(None, "prediction_id", "decided_at"),
        Index(None, "decided_at", "id"),
        Index(None, "reviewer", "decided_at", "id"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    prediction_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("prediction.id", ondelete="CASCADE"))
    decided_at: Mapped[datetime] = mapped_column(UtcDateTime)
    reviewer: Mapped[str] = mapped_column(String(64))
    decision: Mapped[Decision | None] = mapped_column(_enum_type(Decision))  # null: taken back
    truth: Mapped[int | None] = mapped_column(SmallInteger)
    decision_before: Mapped[Decision | None] = mapped_column(_enum_type(Decision))
    truth_before: Mapped[int | None] = mapped_column(SmallInteger)
    # The moderation after and before; null is also what earlier versions wrote.
    review: Mapped[Review | None] = mapped_column(_enum_type(Review))
    review_before: Mapped[Review | None] = mapped_column(_enum_type(Review))
    # What was known: the answer, and the author's claim.
    digit: Mapped[int | None] = mapped_column(SmallInteger)
    label: Mapped[int | None] = mapped_column(SmallInteger)
    labelled: Mapped[bool]


class Challenge(Base):
    """Ten digits that a visitor was asked to draw within thirty seconds."""

    __tablename__ = "challenge"
    __table_args__ = (Index(None, "visitor", "started_at"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    visitor: Mapped[str] = mapped_column(String(32))
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    prompts: Mapped[list[int]] = mapped_column(JSON)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    seconds: Mapped[float | None] = mapped_column(Double)  # of drawing, as the page measured it
    drawn: Mapped[int | None] = mapped_column(SmallInteger)  # drawings when it was finished


class ModelVersion(Base):
    """An exported model: its card and its file, or where the file is."""

    __tablename__ = "model_version"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    version: Mapped[str] = mapped_column(String(64), primary_key=True)
    added_at: Mapped[datetime] = mapped_column(UtcDateTime)
    added_by: Mapped[str] = mapped_column(String(64))
    parent: Mapped[str | None] = mapped_column(String(64))  # the version that it was trained from
    card: Mapped[dict[str, Any]] = mapped_column(JSON, deferred=True)
    report: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True), deferred=True)
    file: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)  # TorchScript
    url: Mapped[str | None] = mapped_column(Text)  # of the file on an object store


class Promotion(Base):
    """A version went live: who decided it, when, why, and on which comparison."""

    __tablename__ = "promotion"
    __table_args__ = (Index(None, "name", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(64))
    version: Mapped[str] = mapped_column(String(64))
    previous: Mapped[str] = mapped_column(String(64))
    promoted_at: Mapped[datetime] = mapped_column(UtcDateTime)
    promoted_by: Mapped[str] = mapped_column(String(64))
    reason: Mapped[str] = mapped_column(Text)
    rollback: Mapped[bool] = mapped_column(default=False)
    forced: Mapped[bool] = mapped_column(default=False)
    comparison: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True), deferred=True)


class _Counts:
    """The columns of a table of prediction counts per day or month, by model, predicted digit and label."""

    span: Mapped[Span] = mapped_column(_enum_type(Span), primary_key=True)
    start: Mapped[date] = mapped_column(Date, primary_key=True)  # UTC; the first day of a month
    model: Mapped[str] = mapped_column(String(64), primary_key=True)
    digit: Mapped[int] = mapped_column(SmallInteger, primary_key=True)  # -1: not a digit
    label: Mapped[int] = mapped_column(SmallInteger, primary_key=True)  # -1: not a digit; -2: no feedback
    # Spreads one count over several rows, so that concurrent writers seldom wait for each other.
    shard: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    count: Mapped[int] = mapped_column(BigInteger)


class Tally(_Counts, Base):
    """Counts of all predictions."""

    __tablename__ = "tally"


class DoubtTally(_Counts, Base):
    """Counts of the predictions of a digit in doubt, which Tally counts too."""

    __tablename__ = "doubt_tally"


class PromptTally(_Counts, Base):
    """Counts of the predictions that a challenge asked for; `label` is the digit that it asked for."""

    __tablename__ = "prompt_tally"


class ConfidenceTally(Base):
    """Counts of right and wrong answers per day or month, by model and tenth of confidence."""

    __tablename__ = "confidence_tally"

    span: Mapped[Span] = mapped_column(_enum_type(Span), primary_key=True)
    start: Mapped[date] = mapped_column(Date, primary_key=True)
    model: Mapped[str] = mapped_column(String(64), primary_key=True)
    tenth: Mapped[int] = mapped_column(SmallInteger, primary_key=True)  # 9: confidence 0.9..1
    correct: Mapped[bool] = mapped_column(primary_key=True)
    count: Mapped[int] = mapped_column(BigInteger)
    confidence: Mapped[float] = mapped_column(Double)  # the sum over all of them
