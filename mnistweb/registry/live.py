"""Live versions of the models, and their files: read from the database without the site.

The model server, which is no site, reads them too. So this module knows no Flask.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from mnistweb.database.models import ModelVersion, Promotion
from mnistweb.recognition.model_card import ModelCard, ModelFileError, parse_card, sha256_of
from mnistweb.recognition.report import Report, parse_report
from mnistweb.registry import model_store

NEWEST = sa.select(sa.func.max(Promotion.id)).group_by(Promotion.name)


@dataclass(frozen=True, slots=True)
class Live:
    """The version that is live since the newest promotion of a model, and the one before."""

    version: str
    previous: str


def live_versions(connection: Connection) -> dict[str, Live]:
    """Return the live versions by model, of the models with a promotion; of others the installed one is."""
    rows = connection.execute(
        sa.select(Promotion.name, Promotion.version, Promotion.previous).where(Promotion.id.in_(NEWEST))
    )
    return {name: Live(version, previous) for name, version, previous in rows}


def read_card(connection: Connection, name: str, version: str) -> ModelCard:
    """Read the card of a version. Raises ModelFileError if it is missing or malformed."""
    return _parse(name, version, _columns(connection, name, version, ModelVersion.card)[0])


def read_report(connection: Connection, name: str, version: str) -> Report | None:
    """Read the report of a version; None without one. Raises ModelFileError if it is malformed."""
    [values] = _columns(connection, name, version, ModelVersion.report)
    if values is None:
        return None
    try:
        return parse_report(values)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ModelFileError(f"{name} {version}: not a report on a model ({error})") from error


def read_model(connection: Connection, name: str, version: str) -> tuple[bytes, ModelCard]:
    """Read the file and the card of a version.

    Raises ModelFileError if one is missing, or if the file's SHA-256 is not the card's.
    """
    values, file, url = _columns(
        connection, name, version, ModelVersion.card, ModelVersion.file, ModelVersion.url
    )
    card = _parse(name, version, values)
    if url is not None:
        file = model_store.read(url)
    if file is None:
        raise ModelFileError(f"{name} {version}: its file is missing")
    check_hash(file, card)
    return file, card


def check_hash(file: bytes, card: ModelCard) -> None:
    """Check that a file is the card's. Raises ModelFileError."""
    if sha256_of(file) != card.sha256:
        raise ModelFileError(f"{card.name} {card.version}: its file's SHA-256 differs from its card's")


def _columns(connection: Connection, name: str, version: str, *columns: Any) -> Any:
    found = connection.execute(
        sa.select(*columns).where(ModelVersion.name == name, ModelVersion.version == version)
    ).one_or_none()
    if found is None:
        raise ModelFileError(f"{name} has no version {version}")
    return found


def _parse(name: str, version: str, values: Mapping[str, Any]) -> ModelCard:
    try:
        card = parse_card(json.dumps(values))
    except (ValueError, TypeError, KeyError) as error:
        raise ModelFileError(f"{name} {version}: not a model card ({error})") from error
    if (card.name, card.version) != (name, version):
        raise ModelFileError(f"{name} {version}: its card is that of {card.name} {card.version}")
    return card
