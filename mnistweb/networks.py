"""The networks that this application answers with: loaded when it is made, shared by all requests."""

from pathlib import Path
from typing import cast

from flask import Flask, current_app

from mnistweb.recognition.zoo import Zoo

KEY = "mnistweb-zoo"


def init_app(app: Flask) -> None:
    """Load every network of WEIGHTS_PATH. Raises ModelFileError where one is missing or corrupt."""
    weights = Path(app.root_path) / app.config["WEIGHTS_PATH"]
    app.extensions[KEY] = Zoo.load(weights, app.config["DEFAULT_MODEL"])


def zoo() -> Zoo:
    """The networks of the current application."""
    return cast(Zoo, current_app.extensions[KEY])
