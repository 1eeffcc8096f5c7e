"""What this application answers with: made when it is, shared by all requests."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

from flask import Flask, current_app

from mnistweb.config import ConfigError
from mnistweb.observability.request_ids import current_id
from mnistweb.recognition.model_card import Card, read_cards
from mnistweb.recognition.remote.client import ModelServer, RemoteNetwork, Standby
from mnistweb.recognition.types import Reader
from mnistweb.recognition.zoo import Zoo

KEY = "mnistweb-zoo"
LANGUAGE_MODEL_KEY = "mnistweb-language-model"


def init_app(app: Flask) -> None:
    """Load every network of WEIGHTS_PATH, or ask a model server for them; and the language model if any.

    Raises ModelFileError where a network is missing or corrupt, ConfigError without the language model's
    client.
    """
    app.extensions[KEY] = _zoo(Path(app.root_path) / app.config["WEIGHTS_PATH"], app.config)
    app.extensions[LANGUAGE_MODEL_KEY] = _language_model(app.config)


def zoo() -> Zoo:
    """The networks of the current application."""
    return cast(Zoo, current_app.extensions[KEY])


def are_here() -> bool:
    """Whether the networks are in this process, and torch with them: alone, or to stand in."""
    return not current_app.config["MODEL_URL"] or current_app.config["MODEL_FALLBACK"] == "local"


def choices() -> list[Card]:
    """What a visitor can choose from: the networks, the default first, and the language model if any."""
    language_model = _current_language_model()
    return [*zoo().cards(), *([language_model.card] if language_model else [])]


def reader(name: str | None = None) -> Reader:
    """The network or language model of that name, or the default network; KeyError where there is none."""
    language_model = _current_language_model()
    if language_model is not None and name == language_model.card.name:
        return language_model
    return zoo().get(name)


def _current_language_model() -> Reader | None:
    return cast(Reader | None, current_app.extensions[LANGUAGE_MODEL_KEY])


def _zoo(weights: Path, config: Mapping[str, Any]) -> Zoo:
    default = config["DEFAULT_MODEL"]
    if not config["MODEL_URL"]:
        return Zoo.load(weights, default)
    cards = read_cards(weights)
    server = ModelServer(
        config["MODEL_URL"],
        config["MODEL_TIMEOUT"],
        config["THREADS"],
        cards,
        identify=current_id,
        trace=_traced(config),
    )
    remote = Zoo({name: RemoteNetwork(card, server) for name, card in cards.items()}, default)
    if config["MODEL_FALLBACK"] == "none":
        return remote
    local = Zoo.load(weights, default)
    return Zoo({name: Standby(remote.get(name), local.get(name)) for name in cards}, default)


def _traced(config: Mapping[str, Any]) -> Callable[[], Mapping[str, str]]:
    if not config["OTEL_EXPORTER_OTLP_ENDPOINT"]:
        return dict
    # Here, because OpenTelemetry is an extra.
    from mnistweb.observability.tracing import handed_on

    return handed_on


def _language_model(config: Mapping[str, Any]) -> Reader | None:
    if not config["MNISTWEB_LLM_BASE_URL"]:
        return None
    try:
        # Here, because the client takes seconds to import and is an extra.
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
    )
