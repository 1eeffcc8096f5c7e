"""Networks of the site: in this process, on a model server, or there with a fallback here."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from mnistweb.recognition.model_card import ModelCard, read_cards
from mnistweb.recognition.remote.client import FallbackRecognizer, ModelServer, RemoteRecognizer
from mnistweb.recognition.zoo import Network, Zoo


class Networks:
    """Makes the networks that the configuration asks for, with the boundaries of the site.

    `identify` returns the id of a request for a model server, `trace` the headers that propagate the trace
    context.
    """

    def __init__(
        self,
        weights: Path,
        config: Mapping[str, Any],
        identify: Callable[[], str | None],
        trace: Callable[[], Mapping[str, str]],
    ) -> None:
        self._weights = weights
        self._config = config
        self.local = not config["MODEL_URL"] or config["MODEL_FALLBACK"] == "local"
        self._server: ModelServer | None = None
        if config["MODEL_URL"]:
            self._server = ModelServer(
                config["MODEL_URL"],
                config["MODEL_TIMEOUT"],
                config["THREADS"],
                self._cards(),
                adapt=self._adapt,
                identify=identify,
                trace=trace,
            )

    def installed(self) -> Zoo:
        """Load or connect the installed models. Raises ModelFileError."""
        default = self._config["DEFAULT_MODEL"]
        if self._server is not None and not self.local:
            remote = {name: self._remote(self._server, card) for name, card in self._cards().items()}
            return Zoo(remote, default)
        local = Zoo.load(self._weights, default, self._adapt)
        return Zoo({name: self._with_server(local.get(name)) for name in local.names()}, default)

    def version(self, card: ModelCard, file: bytes) -> Network:
        """Make the network of another version. Raises ModelFileError if a local one cannot answer."""
        adapted = self._adapt(card)
        if self._server is not None and not self.local:
            return self._remote(self._server, adapted)
        from mnistweb.recognition.recognizer import TorchScriptRecognizer  # here, because it imports torch

        return self._with_server(TorchScriptRecognizer.from_bytes(adapted, file))

    def know(self, card: ModelCard) -> ModelCard:
        """Use a card for the model server's answers of its version; return it with the site's boundaries."""
        adapted = self._adapt(card)
        if self._server is not None:
            self._server.know(adapted)
        return adapted

    def _with_server(self, local: Network) -> Network:
        if self._server is None:
            return local
        return FallbackRecognizer(self._remote(self._server, local.card), local)

    def _remote(self, server: ModelServer, card: ModelCard) -> RemoteRecognizer:
        server.know(card)
        return RemoteRecognizer(card, server)

    def _cards(self) -> dict[str, ModelCard]:
        return {name: self._adapt(card) for name, card in read_cards(self._weights).items()}

    def _adapt(self, card: ModelCard) -> ModelCard:
        """Move a card's boundaries to those of the site."""
        return card.with_boundaries(self._config["SURE_FROM"], self._config["NOT_A_DIGIT_FROM"])
