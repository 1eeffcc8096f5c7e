"""The rows. Nothing here knows of HTTP or of torch."""

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
    Index,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    TypeDecorator,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class UtcDateTime(TypeDecorator[datetime]):
    """An aware datetime, in UTC on the way out, also from databases that keep no time zone (SQLite)."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Store in UTC; a naive datetime is an error."""
        if value is not None and value.tzinfo is None:
            raise ValueError("a naive datetime cannot be stored")
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Read as aware UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Source(enum.StrEnum):
    """Where a drawing came from."""

    SLATE = "slate"
    UPLOAD = "upload"
    API = "api"


class Span(enum.StrEnum):
    """How much time a tally counts."""

    DAY = "day"
    MONTH = "month"


class Base(DeclarativeBase):
    """The rows' common base; constraints get predictable names, so that migrations can name them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


def _words(kind: type[enum.StrEnum]) -> Enum:
    return Enum(kind, native_enum=False, length=8, values_callable=lambda kinds: [*map(str, kinds)])


def for_sqlite(condition: str) -> str:
    """The condition in SQLite's own words, under which alone it finds an index again."""
    return condition.replace("IS NOT DISTINCT FROM", "IS").replace("IS DISTINCT FROM", "IS NOT")


def _index_where(name: str, condition: str, *columns: str, also: Sequence[str] = ()) -> Index:
    return Index(
        f"ix_prediction_{name}",
        *columns,
        "created_at",
        "id",
        *also,
        postgresql_where=text(condition),
        sqlite_where=text(for_sqlite(condition)),
    )


class Prediction(Base):
    """One drawing, what was answered, and what its author said about the answer."""

    __tablename__ = "prediction"
    # Every index is read backwards, newest first; the id makes the order total. Each serves one filter of
    # the history. PostgreSQL takes no order from an index whose first column IS NULL, hence the partial ones.
    # What a second filter passes over is told by `also`, without a look at the log.
    __table_args__ = (
        Index(None, "created_at", "id"),
        Index(None, "visitor", "created_at", "id"),
        Index(None, "model", "created_at", "id"),
        Index(None, "digit", "created_at", "id"),
        Index(None, "source", "created_at", "id"),
        _index_where("refused", "digit IS NULL", also=("label", "model", "source")),
        _index_where("label", "label IS NOT NULL", "label", also=("model", "source")),
        _index_where("read_as", "label IS NOT NULL", "digit", "label"),
        _index_where("refused_label", "digit IS NULL AND label IS NOT NULL", "label"),
        _index_where(
            "label_none", "labelled_at IS NOT NULL AND label IS NULL", also=("digit", "model", "source")
        ),
        _index_where("unlabelled", "labelled_at IS NULL"),
        _index_where("right", "labelled_at IS NOT NULL AND digit IS NOT DISTINCT FROM label"),
        _index_where(
            "wrong",
            "labelled_at IS NOT NULL AND digit IS DISTINCT FROM label",
            also=("digit", "label", "model", "source"),
        ),
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
    source: Mapped[Source] = mapped_column(_words(Source))

    drawing: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)  # PNG
    input: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)  # 28 x 28 bytes, row by row, 0 is ground
    strokes: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True), deferred=True)

    digit: Mapped[int | None] = mapped_column(SmallInteger)  # null: not a digit
    confidence: Mapped[float] = mapped_column(Double)
    not_a_digit: Mapped[float] = mapped_column(Double)
    reason: Mapped[str | None] = mapped_column(String(200))
    probabilities: Mapped[list[float]] = mapped_column(JSON)
    model: Mapped[str] = mapped_column(String(64))
    model_version: Mapped[str] = mapped_column(String(64))
    recognition_ms: Mapped[float] = mapped_column(Double)

    label: Mapped[int | None] = mapped_column(SmallInteger)  # null once labelled: it was no digit
    labelled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    # Of a request that may be sent again: what its key, and what it asked, come to (see once.py).
    request_key: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    request_content: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)

    saved = True  # false where the database failed
    repeated = False  # true where an earlier request with the same key had saved it

    @property
    def labelled(self) -> bool:
        """Whether its author has said what it was."""
        return self.labelled_at is not None

    @property
    def correct(self) -> bool | None:
        """Whether the answer was right; None while there is no feedback."""
        return self.digit == self.label if self.labelled else None


class Tally(Base):
    """How many predictions of a day or month a network answered alike, with like feedback."""

    __tablename__ = "tally"

    span: Mapped[Span] = mapped_column(_words(Span), primary_key=True)
    start: Mapped[date] = mapped_column(Date, primary_key=True)  # UTC; of a month its first day
    model: Mapped[str] = mapped_column(String(64), primary_key=True)
    digit: Mapped[int] = mapped_column(SmallInteger, primary_key=True)  # -1: not a digit
    label: Mapped[int] = mapped_column(SmallInteger, primary_key=True)  # -1: it was no digit; -2: no feedback
    # Which of several like rows: those who write at once then seldom wait for each other.
    shard: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    count: Mapped[int] = mapped_column(BigInteger)


class ConfidenceTally(Base):
    """How many answers of like confidence were right or wrong, by their feedback."""

    __tablename__ = "confidence_tally"

    span: Mapped[Span] = mapped_column(_words(Span), primary_key=True)
    start: Mapped[date] = mapped_column(Date, primary_key=True)
    model: Mapped[str] = mapped_column(String(64), primary_key=True)
    tenth: Mapped[int] = mapped_column(SmallInteger, primary_key=True)  # 9: confidence 0.9..1
    correct: Mapped[bool] = mapped_column(primary_key=True)
    count: Mapped[int] = mapped_column(BigInteger)
    confidence: Mapped[float] = mapped_column(Double)  # the sum of all of them
