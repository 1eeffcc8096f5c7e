"""Versions of the models: add one, promote it if a comparison shows that it is better, and roll back.

All functions need an application context. Those that write commit.
"""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.util import find_spec

import sqlalchemy as sa
from flask import current_app

from mnistweb.database.models import ModelVersion, Promotion
from mnistweb.extensions import db
from mnistweb.recognition.comparison import MARGIN, Comparison
from mnistweb.recognition.model_card import ModelCard, ModelFileError
from mnistweb.recognition.report import Report
from mnistweb.registry import live, model_store
from mnistweb.registry.installed import installed_card, installed_report, read_installed

PACKAGE = "mnistweb"
"""The name in place of a person: the version was in WEIGHTS_PATH."""
VERSION_LENGTHS = range(8, 65)


class VersionError(RuntimeError):
    """A version that cannot be added, promoted or gone back to; the message says why."""


def add_version(file: bytes, card: ModelCard, report: Report | None, parent: str | None, by: str) -> bool:
    """Add a version, trained from the version `parent`. Return whether it is new.

    The file of one that was added before is written anew if it is lost or damaged. Raises ModelFileError for
    a file that is not the card's or computes nothing. Raises VersionError if the version is not the beginning
    of the file's SHA-256.
    """
    if not card.sha256.startswith(card.version) or len(card.version) not in VERSION_LENGTHS:
        raise VersionError(f"The version {card.version} is not the beginning of the file’s SHA-256.")
    known = db.session.get(ModelVersion, (card.name, card.version))
    if known and _has_its_file(known):
        return False
    check_model(file, card)
    store: str = current_app.config["MODEL_STORE"]
    url = model_store.write(store, card.name, card.version, file) if store else None
    if known:
        known.file, known.url = None if store else file, url
        db.session.commit()
        return False
    db.session.add(
        ModelVersion(
            name=card.name,
            version=card.version,
            added_at=datetime.now(UTC),
            added_by=by,
            parent=parent,
            card=json.loads(card.text()),
            report=asdict(report) if report else None,
            file=None if store else file,
            url=url,
        )
    )
    db.session.commit()
    return True


def _has_its_file(known: ModelVersion) -> bool:
    try:
        live.read_model(db.session.connection(), known.name, known.version)
    except ModelFileError:
        return False
    return True


def live_version(name: str) -> str:
    """Return the live version of a model. Raises VersionError for an unknown model."""
    found = live.live_versions(db.session.connection()).get(name)
    return found.version if found else _installed(name).version


def read_version(name: str, version: str) -> tuple[bytes, ModelCard]:
    """Return the file and the card of a version, also of the installed one.

    Raises ModelFileError if it is missing, or if the file's SHA-256 is not the card's.
    """
    if _installed(name).version == version and not db.session.get(ModelVersion, (name, version)):
        return read_installed(name)
    return live.read_model(db.session.connection(), name, version)


def promote(
    name: str,
    version: str,
    comparison: Comparison | None,
    *,
    by: str,
    reason: str = "",
    margin: float = MARGIN,
    force: bool = False,
) -> Promotion:
    """Let a version go live that a comparison with the live one shows to be better.

    With `force` it needs a reason instead. Raises VersionError if it must not go live, and
    ModelFileError if its file is missing or damaged.
    """
    if force and not reason:
        raise VersionError("Forcing a version live needs a reason.")
    before = live_version(name)
    if version == before:
        raise VersionError(f"{name} {version} is live already.")
    if comparison is not None:
        _check_versions(comparison, (name, before, version))
    if not force:
        _check_verdict(comparison, name, version, margin)
    check_model(*read_version(name, version))
    for each in (before, version):
        _keep_installed(name, each)
    recorded = comparison and comparison.as_json() | {"margin": margin}
    return _go_live(
        Promotion(
            name=name,
            version=version,
            previous=before,
            promoted_by=by,
            reason=reason,
            rollback=False,
            forced=force,
            comparison=recorded,
        )
    )


def rollback(name: str, *, by: str, reason: str = "") -> Promotion:
    """Go back to the version that was live before. Raises VersionError without one, or ModelFileError."""
    stack = went_live(name)
    if len(stack) < 2:
        raise VersionError(f"There is no earlier version of {name} to go back to.")
    *_, before, now = stack
    check_model(*read_version(name, before))
    return _go_live(
        Promotion(
            name=name,
            version=before,
            previous=now,
            promoted_by=by,
            reason=reason,
            rollback=True,
            forced=False,
        )
    )


def went_live(name: str) -> list[str]:
    """Return the versions that went live and were not rolled back, the live one last; none if none was."""
    steps = db.session.execute(
        sa.select(Promotion.version, Promotion.previous, Promotion.rollback)
        .where(Promotion.name == name)
        .order_by(Promotion.id)
    ).all()
    stack = [steps[0].previous] if steps else []
    for step in steps:
        if step.rollback:
            stack.pop()
        else:
            stack.append(step.version)
    return stack


def check_model(file: bytes, card: ModelCard) -> None:
    """Check that a file is the card's and computes logits. Raises ModelFileError.

    Without torch only the SHA-256 is compared; then the version was run where it was added.
    """
    live.check_hash(file, card)
    if find_spec("torch"):
        from mnistweb.recognition.recognizer import TorchScriptRecognizer

        TorchScriptRecognizer.from_bytes(card, file)


def _check_versions(comparison: Comparison, wanted: tuple[str, str, str]) -> None:
    compared = (comparison.model, comparison.old, comparison.new)
    if compared != wanted:
        raise VersionError(
            f"The comparison is of {compared[0]} {compared[1]} with {compared[2]}, not of the live version"
            f" {wanted[0]} {wanted[1]} with {wanted[2]}."
        )


def _check_verdict(comparison: Comparison | None, name: str, version: str, margin: float) -> None:
    if comparison is None:
        raise VersionError("A version goes live only on a comparison with the live one.")
    verdict = comparison.decision(margin)
    if not verdict.passes:
        raise VersionError(f"{name} {version} stays out. {' '.join(verdict.reasons)}")


def _go_live(promotion: Promotion) -> Promotion:
    """Write a promotion, unless another one came between. Raises VersionError."""
    _lock_promotions()
    if live_version(promotion.name) != promotion.previous:
        db.session.rollback()
        raise VersionError(f"Another version of {promotion.name} has just gone live.")
    promotion.promoted_at = datetime.now(UTC)
    db.session.add(promotion)
    db.session.commit()
    return promotion


def _lock_promotions() -> None:
    db.session.rollback()  # to read what others have committed
    if db.engine.dialect.name == "postgresql":
        db.session.execute(sa.text("LOCK TABLE promotion IN EXCLUSIVE MODE"))
    else:  # SQLite lets one connection write at a time, from its first write on
        db.session.execute(sa.delete(Promotion).where(sa.false()))


def _keep_installed(name: str, version: str) -> None:
    """Copy an installed version to the others, since an update of the package would replace its file."""
    if _installed(name).version == version and db.session.get(ModelVersion, (name, version)) is None:
        file, card = read_installed(name)
        add_version(file, card, installed_report(card), None, PACKAGE)


def _installed(name: str) -> ModelCard:
    try:
        return installed_card(name)
    except KeyError:
        raise VersionError(f"There is no model {name}.") from None
