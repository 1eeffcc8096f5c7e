"""Lineage of a model: its versions and their parents, and which went live when, by whom and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from mnistweb.database.models import ModelVersion, Promotion
from mnistweb.extensions import db
from mnistweb.recognition.comparison import SetResult, parse_set
from mnistweb.registry import versions
from mnistweb.registry.installed import installed_card

SHOWN_STEPS = 20


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
    """A change of the live version, and the results that it was decided on, if any."""

    id: int
    version: str
    previous: str
    at: datetime
    by: str
    reason: str
    rollback: bool
    forced: bool
    compared: Sequence[SetResult]


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
    # Without the drawings of a comparison, which may be many.
    sets = Promotion.comparison["sets"].label("sets")
    promotions = db.session.execute(
        sa.select(Promotion, sets)
        .where(Promotion.name == name)
        .order_by(Promotion.id.desc())
        .limit(SHOWN_STEPS)
    )
    return Lineage(name, found, [_step(*row) for row in promotions])


def _step(row: Promotion, sets: Sequence[Any] | None) -> Step:
    try:
        compared = [parse_set(each) for each in sets or ()]
    except (KeyError, TypeError, ValueError):  # of a format that this site does not know
        compared = []
    return Step(
        row.id,
        row.version,
        row.previous,
        row.promoted_at,
        row.promoted_by,
        row.reason,
        row.rollback,
        row.forced,
        compared,
    )
