"""Versions of models by what the command line calls them: a model, one of its versions, or files."""

import re
from pathlib import Path

import click
from flask import current_app

from mnistweb.recognition.recognizer import TorchScriptRecognizer
from mnistweb.registry import versions
from mnistweb.registry.installed import installed_names

VERSION = re.compile(r"(?P<name>[\w.-]+)[@:/ ](?P<version>[0-9a-f]{8,64})")


def load_contender(text: str) -> TorchScriptRecognizer:
    """Load NAME, the live version; NAME@VERSION; or an export: its card, its file or its folder.

    Its answers are those of this site, which may have moved the boundaries of its models. Needs an
    application context. Raises ClickException, ModelFileError or VersionError.
    """
    recognizer = _load(text)
    config = current_app.config
    card = recognizer.card.with_boundaries(config["SURE_FROM"], config["NOT_A_DIGIT_FROM"])
    return recognizer.with_card(card)


def load_live(name: str) -> TorchScriptRecognizer:
    """Load the live version of a model. Raises ModelFileError or VersionError."""
    file, card = versions.read_version(name, versions.live_version(name))
    return TorchScriptRecognizer.from_bytes(card, file)


def _load(text: str) -> TorchScriptRecognizer:
    if text in installed_names():
        return load_live(text)
    if named := VERSION.fullmatch(text):
        file, card = versions.read_version(named["name"], named["version"])
        return TorchScriptRecognizer.from_bytes(card, file)
    return TorchScriptRecognizer.load(_card_path(Path(text)))


def _card_path(path: Path) -> Path:
    if path.is_dir():
        cards = sorted(path.glob("*.json"))
        if len(cards) == 1:
            return cards[0]
        raise click.ClickException(f"{path}: {len(cards)} model cards; name one of them")
    if not path.is_file():
        raise click.ClickException(f"{path}: neither a model, nor NAME@VERSION, nor an exported file")
    return path.with_suffix(".json")
