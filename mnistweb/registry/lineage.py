"""Lineage of a model: its versions and their parents, and which went live when, by whom and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import undefer

from mnistweb.database.models import ModelVersion, Promotion
from mnistweb.extensions import db
from mnistweb.recognition.comparison import Comparison, ComparisonError
from mnistweb.registry import versions
from mnistweb.registry.installed import installed_card

SHOWN_STEPS = 50


@dataclass(frozen=True, slots=True)
class Version:
    """A version of a model; without a date it is installed, and was never replaced."""

    version: str
    added_at: datetime | None
    added_by: str
    parent: str | None
    live: bool


@dataclass(frozen=True, slots=True)
class Step:
    """A change of the live version, and the comparison that it was decided on."""

    version: str
    previous: str
    at: datetime
    by: str
    reason: str
    rollback: bool
    forced: bool
    comparison: Comparison | None


@dataclass(frozen=True, slots=True)
class Lineage:
    """The versions of a model and its latest steps, the newest first."""

    name: str
    versions: Sequence[Version]
    steps: Sequence[Step]


def lineage(name: str) -> Lineage:
    """Return the lineage of an installed model. Raises VersionError for another."""
    now, installed = versions.live_version(name), installed_card(name).version
    rows = db.session.scalars(
        sa.select(ModelVersion).where(ModelVersion.name == name).order_by(ModelVersion.added_at.desc())
    ).all()
    found = [Version(row.version, row.added_at, row.added_by, row.parent, row.version == now) for row in rows]
    if installed not in {each.version for each in found}:
        found.append(Version(installed, None, versions.PACKAGE, None, installed == now))
    promotions = db.session.scalars(
        sa.select(Promotion)
        .where(Promotion.name == name)
        .order_by(Promotion.id.desc())
        .limit(SHOWN_STEPS)
        .options(undefer(Promotion.comparison))
    )
    return Lineage(name, found, [*map(_step, promotions)])


def _step(row: Promotion) -> Step:
    try:
        comparison = Comparison.from_json(row.comparison) if row.comparison else None
    except ComparisonError:  # of a format that this site does not know
        comparison = None
    return Step(
        row.version,
        row.previous,
        row.promoted_at,
        row.promoted_by,
        row.reason,
        row.rollback,
        row.forced,
        comparison,
    )
