"""Networks of the model server: those of a folder, or the versions that are live on a site."""

from collections.abc import Iterator
from pathlib import Path

from mnistweb.recognition.model_card import ModelCard
from mnistweb.recognition.recognizer import TorchScriptRecognizer, load_all
from mnistweb.registry.follower import Follower, Version
from mnistweb.settings.kinds import DATABASE


class Networks:
    """The networks by name. Requests that have one keep it while it is replaced.

    Raises ModelFileError if a network of the folder is missing or corrupt.
    """

    def __init__(self, folder: Path) -> None:
        self._installed = load_all(folder)
        self._networks = dict(self._installed)
        self._cards: dict[tuple[str, str], ModelCard] = {}
        self._follower: Follower | None = None

    def __iter__(self) -> Iterator[str]:
        return iter(self._networks)

    def get(self, name: str) -> TorchScriptRecognizer | None:
        """Return the network of that name, or None."""
        return self._networks.get(name)

    def card(self, name: str, version: str) -> ModelCard | None:
        """Return the card of a version that answers, or that did before; None for another."""
        network = self._networks.get(name)
        if network is not None and network.card.version == version:
            return network.card
        return self._cards.get((name, version))

    def follow(self, url: str) -> None:
        """Follow the live versions in the database of a site. Raises ValueError for a malformed URL."""
        versions = {name: network.card.version for name, network in self._installed.items()}
        self._follower = Follower(DATABASE.parse(url), versions, self._take_up)
        self._follower.start()

    def stop(self) -> None:
        """Stop following."""
        if self._follower is not None:
            self._follower.stop()

    def _take_up(self, name: str, version: Version | None) -> None:
        network = self._installed[name]
        if version is not None:
            network = TorchScriptRecognizer.from_bytes(version.card, version.file)
        former = self._networks[name].card
        self._cards[name, former.version] = former
        self._networks = self._networks | {name: network}
