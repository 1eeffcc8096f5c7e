"""Replace the models of a running site by the versions that are live."""

from typing import cast

from flask import Flask

from mnistweb.extensions import db
from mnistweb.observability.signals import followed
from mnistweb.recognition.model_card import ModelCard
from mnistweb.recognition.report import Report
from mnistweb.recognition.zoo import Zoo
from mnistweb.registry.follower import Follower, Outcome, Version
from mnistweb.registry.networks import Networks
from mnistweb.registry.recognizers import FORMER_CARDS, NETWORKS, REPORTS, ZOO

FOLLOWER = "mnistweb-follower"


def start(app: Flask) -> None:
    """Take up the live versions, and go on doing so in a thread. Call it after a fork, which loses threads.

    An application that was made before the fork has the versions of that time. One without models has none.
    """
    if NETWORKS not in app.extensions:
        return
    app.extensions[FOLLOWER] = follower = make_follower(app)
    follower.start()


def stop(app: Flask) -> None:
    """End the thread."""
    if FOLLOWER in app.extensions:
        cast(Follower, app.extensions[FOLLOWER]).stop()


def make_follower(app: Flask) -> Follower:
    """Return a follower that replaces the models of an application."""
    models = _SiteModels(app)
    with app.app_context():
        url = db.engine.url
    return Follower(url, models.versions, models.take_up, models.notify, with_files=models.networks.local)


class _SiteModels:
    """The models of an application. Requests that have one keep it; each assignment is atomic."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self.networks = cast(Networks, app.extensions[NETWORKS])
        self._installed = cast(Zoo, app.extensions[ZOO])
        self._reports = cast(dict[str, Report], app.extensions[REPORTS])
        self.versions = {name: self._installed.get(name).card.version for name in self._installed.names()}

    def take_up(self, name: str, version: Version | None) -> None:
        if version is None:
            network, report = self._installed.get(name), self._reports.get(name)
        else:
            network, report = self.networks.version(version.card, version.file), version.report
        zoo = cast(Zoo, self._app.extensions[ZOO])
        former = [zoo.get(name).card]
        if version and version.previous:
            former.append(self.networks.know(version.previous))
        self._remember(former)
        reports = {key: each for key, each in self._app.extensions[REPORTS].items() if key != name}
        self._app.extensions[REPORTS] = reports | ({name: report} if report else {})
        self._app.extensions[ZOO] = zoo.replaced(name, network)

    def _remember(self, cards: list[ModelCard]) -> None:
        known = cast(dict[tuple[str, str], ModelCard], self._app.extensions[FORMER_CARDS])
        self._app.extensions[FORMER_CARDS] = known | {(each.name, each.version): each for each in cards}

    def notify(self, name: str, version: str, outcome: Outcome) -> None:
        followed.send(self._app, model=name, version=version, outcome=outcome)
