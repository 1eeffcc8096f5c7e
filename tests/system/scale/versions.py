"""A second version of a network, and a check that each row's answer fits its version."""

import shutil
import zipfile
from dataclasses import replace
from functools import cache
from pathlib import Path

from mnistweb.recognition.decoding import read_drawing
from mnistweb.recognition.model_card import read_card, sha256_of
from mnistweb.recognition.preprocessing import normalize
from mnistweb.recognition.recognizer import TorchScriptRecognizer
from mnistweb.recognition.zoo import WEIGHTS
from tests.support.drawings import STROKES, digit_png
from tests.system.chaos.database import Database


def make_newer(folder: Path) -> str:
    """Copy the networks, one with another hash and temperature; return its version."""
    shutil.copytree(WEIGHTS, folder)
    card, path = read_card(folder / "cnn.json"), folder / "cnn.pt"
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(f"{archive.namelist()[0].partition('/')[0]}/extra/newer", "")
    sha256 = sha256_of(path.read_bytes())
    version = sha256[: len(card.version)]
    temperature = card.temperature * 1.5
    replace(card, version=version, sha256=sha256, temperature=temperature).write(folder / "cnn.json")
    TorchScriptRecognizer.load(folder / "cnn.json")
    return version


@cache
def answers(weights: Path) -> frozenset[tuple[str, int | None, float]]:
    """Return version, digit and confidence for each drawing of the clients."""
    network = TorchScriptRecognizer.load(weights / "cnn.json")
    output = [network.recognize(normalize(read_drawing(digit_png(digit), 10**6))) for digit in STROKES]
    return frozenset((each.model_version, each.digit, round(each.confidence, 5)) for each in output)


def inconsistent_rows(database: Database, newer: Path) -> list[str]:
    """List rows whose answer fits no version, a sentence each."""
    right = answers(WEIGHTS) | answers(newer)
    with database.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT model_version, digit, confidence FROM prediction")
        rows = {(version, digit, round(confidence, 5)) for version, digit, confidence in cursor.fetchall()}
    connection.close()
    return [f"no version gives {row}" for row in sorted(rows - right, key=str)]
