"""Registry of the recognizers: created once for an application, looked up by model name."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from flask import Flask, current_app

from mnistweb.config import ConfigError
from mnistweb.recognition.errors import UserError
from mnistweb.recognition.model_card import Card, ModelCard
from mnistweb.recognition.remote.client import FallbackRecognizer
from mnistweb.recognition.report import Report, read_reports
from mnistweb.recognition.types import Recognizer
from mnistweb.recognition.zoo import Zoo
from mnistweb.registry import model_store
from mnistweb.registry.networks import Networks

if TYPE_CHECKING:
    from mnistweb.recognition.recognizer import TorchScriptRecognizer

# Keys in `app.extensions`.
NETWORKS = "mnistweb-networks"
ZOO = "mnistweb-zoo"
LANGUAGE_MODEL = "mnistweb-language-model"
REPORTS = "mnistweb-reports"
FORMER_CARDS = "mnistweb-former-cards"


def init_app(app: Flask, identify: Callable[[], str | None], trace: Callable[[], Mapping[str, str]]) -> None:
    """Load every model of WEIGHTS_PATH, or connect to a model server; and the language model if any.

    `identify` returns the request id to send to a model server, `trace` the headers that propagate the trace
    context. Raises ModelFileError for a missing or corrupt model or report, ConfigError if a package is
    missing, that of the language model or of MODEL_STORE.
    """
    weights = Path(app.root_path) / app.config["WEIGHTS_PATH"]
    app.extensions[NETWORKS] = networks = Networks(weights, app.config, identify, trace)
    app.extensions[ZOO] = networks.installed()
    app.extensions[REPORTS] = read_reports(weights)
    app.extensions[FORMER_CARDS] = {}
    if app.config["MODEL_STORE"] and networks.local:
        model_store.check(app.config["MODEL_STORE"])
    app.extensions[LANGUAGE_MODEL] = _connect_language_model(app.config)


def zoo() -> Zoo:
    """Return the models of the current application."""
    return cast(Zoo, current_app.extensions[ZOO])


def models_are_local() -> bool:
    """Return whether the models run in this process, with torch: alone, or as a fallback."""
    return cast(Networks, current_app.extensions[NETWORKS]).local


def model_cards() -> list[Card]:
    """Return the cards of all models that a visitor can choose, default first, language model last."""
    language_model = _current_language_model()
    return [*zoo().cards(), *([language_model.card] if language_model else [])]


def report_on(card: Card) -> Report:
    """Return the report on this version of a model; an empty one without a report."""
    report = cast(Mapping[str, Report], current_app.extensions[REPORTS]).get(card.name)
    return report if report and report.version == card.version else Report(card.name, card.version)


def refusal_threshold(model: str, version: str) -> float | None:
    """Return the probability 0..1 of "not a digit" from which a model refuses.

    None for a language model, and for a version that was not live lately.
    """
    former = cast(Mapping[str, ModelCard], current_app.extensions[FORMER_CARDS])
    for card in (*zoo().cards(), *former.values()):
        if (card.name, card.version) == (model, version):
            return card.boundaries.not_a_digit
    return None


def recognizer_named(model: str | None) -> Recognizer:
    """Return the recognizer of a model, by default of the default model. Raises UserError (unknown_model)."""
    language_model = _current_language_model()
    if language_model is not None and model == language_model.card.name:
        return language_model
    try:
        return zoo().get(model)
    except KeyError:
        raise UserError("unknown_model", "There is no model of that name.") from None


def local_network(name: str) -> "TorchScriptRecognizer | None":
    """Return the network of that name, or else the default one; None if it does not run in this process."""
    if not models_are_local():
        return None
    from mnistweb.recognition.recognizer import TorchScriptRecognizer  # here, because it imports torch

    network = zoo().get(name if name in zoo().names() else None)
    if isinstance(network, FallbackRecognizer):
        network = network.local
    return network if isinstance(network, TorchScriptRecognizer) else None


def _current_language_model() -> Recognizer | None:
    return cast(Recognizer | None, current_app.extensions[LANGUAGE_MODEL])


def _connect_language_model(config: Mapping[str, Any]) -> Recognizer | None:
    if not config["MNISTWEB_LLM_BASE_URL"]:
        return None
    try:
        # Imported only if configured: the client is an extra, and takes seconds to import.
        from mnistweb.recognition.llm.client import LanguageModel
    except ModuleNotFoundError as error:
        if error.name != "openai":
            raise
        raise ConfigError(
            'MNISTWEB_LLM_BASE_URL needs the openai client: install it with pip install "mnistweb[llm]".'
        ) from None
    return LanguageModel(
        base_url=config["MNISTWEB_LLM_BASE_URL"],
        api_key=config["MNISTWEB_LLM_API_KEY"],
        model=config["MNISTWEB_LLM_MODEL"],
        timeout=config["MNISTWEB_LLM_TIMEOUT"],
        places=config["THREADS"] // 2,
        sure_from=config["SURE_FROM"],
    )
