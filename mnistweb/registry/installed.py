"""The models in WEIGHTS_PATH: the first version of each."""

from pathlib import Path

from flask import current_app

from mnistweb.recognition.model_card import ModelCard, ModelFileError, read_card
from mnistweb.recognition.report import Report, read_reports
from mnistweb.registry.live import check_hash


def weights_folder() -> Path:
    """Return the folder of the installed models."""
    return Path(current_app.root_path, current_app.config["WEIGHTS_PATH"])


def installed_names() -> list[str]:
    """Return the names of the installed models."""
    return sorted(path.stem for path in weights_folder().glob("*.json"))


def installed_card(name: str) -> ModelCard:
    """Return the card of an installed model. Raises KeyError for another."""
    if name not in installed_names():
        raise KeyError(name)
    return read_card(weights_folder() / f"{name}.json")


def read_installed(name: str) -> tuple[bytes, ModelCard]:
    """Return the file and the card of an installed model. Raises KeyError, or ModelFileError."""
    card = installed_card(name)
    path = weights_folder() / f"{name}.pt"
    try:
        file = path.read_bytes()
    except OSError as error:
        raise ModelFileError(f"{path}: cannot be read ({error.strerror})") from error
    check_hash(file, card)
    return file, card


def installed_report(card: ModelCard) -> Report | None:
    """Return the report on this version of an installed model; None without one."""
    report = read_reports(weights_folder()).get(card.name)
    return report if report and report.version == card.version else None
