"""Follow the live versions of the models: a thread that takes up a new one while requests are answered.

Sites and model servers do so alike. The old version answers until the new one has been read, checked and run.
This module knows no Flask.
"""

import logging
import random
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Literal, TypeAlias

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from mnistweb.database.failover import connect_args
from mnistweb.recognition.deadline import BoundedCalls, TooManyCalls
from mnistweb.recognition.model_card import ModelCard, ModelFileError
from mnistweb.recognition.report import Report
from mnistweb.registry import live

POLL_INTERVAL = 2.0
"""Seconds between two looks at the database, less or more by a quarter, so that processes spread."""
START_TIMEOUT = 10.0
"""Seconds that the start of a process may wait for the live versions."""
LOOK_TIMEOUT = 5.0
"""Seconds that the database may take to name the live versions."""
READ_TIMEOUT = 60.0
"""Seconds that a version's file may take to arrive."""
MAX_PAUSE = 60.0
"""Seconds at most between two attempts to take up a version that failed. The first pause is POLL_INTERVAL."""

logger = logging.getLogger(__name__)

Outcome: TypeAlias = Literal["started", "taken_up", "failed", "unreachable"]


@dataclass(frozen=True, slots=True)
class Version:
    """A version to take up. `previous` is the card of the one before, which others may still answer with."""

    card: ModelCard
    file: bytes
    report: Report | None
    previous: ModelCard | None


class Follower:
    """Takes up the live versions of the models, one process' own.

    `installed` are the versions at the start, by model. `take_up` replaces a model's version; without a
    Version by the installed one. It raises ModelFileError if that cannot answer. `notify` hears of each
    outcome, by model, and of the version that answers. `with_files` is whether `take_up` needs the files.
    """

    def __init__(
        self,
        url: str | sa.URL,
        installed: Mapping[str, str],
        take_up: Callable[[str, Version | None], None],
        notify: Callable[[str, str, Outcome], None] = lambda _name, _version, _outcome: None,
        *,
        with_files: bool = True,
    ) -> None:
        # An engine of its own: requests have another, with time limits that fit requests.
        self._engine = sa.create_engine(
            url,
            isolation_level="AUTOCOMMIT",
            pool_size=1,
            max_overflow=0,
            pool_pre_ping=True,
            connect_args=connect_args(url),
        )
        self._installed = installed
        self._take_up = take_up
        self._notify = notify
        self._with_files = with_files
        self._calls = BoundedCalls(2)
        self._serving = dict(installed)
        self._failures: dict[str, _Failure] = {}
        self._away = False
        self._first_look = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Follow in a thread, and wait for START_TIMEOUT at most until the live versions are taken up.

        Call it after a fork, which loses threads.
        """
        for name, version in self._serving.items():
            self._notify(name, version, "started")
        self._thread = threading.Thread(target=self.run, name="model-follower", daemon=True)
        self._thread.start()
        self._first_look.wait(START_TIMEOUT)

    def stop(self) -> None:
        """End the thread, and close the connection."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(LOOK_TIMEOUT)
        self._engine.dispose()

    def run(self) -> None:
        """Follow until `stop` is called."""
        while not self._stopping.is_set():
            self.refresh()
            self._first_look.set()
            self._stopping.wait(POLL_INTERVAL * random.uniform(0.75, 1.25))

    def refresh(self) -> bool:
        """Take up the live versions now, and return whether the database named them.

        Failures are logged, and the versions before go on answering.
        """
        try:
            found = self._calls.run(self._look, LOOK_TIMEOUT)
        except (SQLAlchemyError, TimeoutError, TooManyCalls) as error:
            self._note_outage(error)
            return False
        self._note_return()
        for name, installed in self._installed.items():
            wanted = found.get(name) or live.Live(installed, installed)
            if wanted.version != self._serving[name] and self._may_try(name, wanted.version):
                self._replace(name, wanted)
        return True

    def _look(self) -> dict[str, live.Live]:
        with self._engine.connect() as connection:
            return live.live_versions(connection)

    def _replace(self, name: str, wanted: live.Live) -> None:
        began = monotonic()
        try:
            back = wanted.version == self._installed[name]
            version = None if back else self._calls.run(lambda: self._read(name, wanted), READ_TIMEOUT)
            self._take_up(name, version)
        except Exception as error:  # whatever is wrong with a file, the version before goes on answering
            self._note_failure(name, wanted.version, error)
            return
        logger.warning(
            "%s answers with version %s in place of %s, which took %.1f seconds to take up.",
            name,
            wanted.version,
            self._serving[name],
            monotonic() - began,
        )
        self._serving[name] = wanted.version
        self._failures.pop(name, None)
        self._notify(name, wanted.version, "taken_up")

    def _read(self, name: str, wanted: live.Live) -> Version:
        with self._engine.connect() as connection:
            if self._with_files:
                file, card = live.read_model(connection, name, wanted.version)
            else:
                file, card = b"", live.read_card(connection, name, wanted.version)
            try:
                previous = live.read_card(connection, name, wanted.previous)
            except ModelFileError:
                previous = None
            return Version(card, file, live.read_report(connection, name, wanted.version), previous)

    def _may_try(self, name: str, version: str) -> bool:
        failure = self._failures.get(name)
        return failure is None or failure.version != version or monotonic() >= failure.next_attempt

    def _note_failure(self, name: str, version: str, error: Exception) -> None:
        before = self._failures.get(name)
        count = before.count + 1 if before and before.version == version else 1
        pause = min(POLL_INTERVAL * 2 ** (count - 1), MAX_PAUSE)
        self._failures[name] = _Failure(version, count, monotonic() + pause)
        if count == 1:
            reason = str(error) or type(error).__name__
            logger.error(
                "%s goes on answering with version %s, because %s cannot be taken up: %s",
                name,
                self._serving[name],
                version,
                reason.partition("\n")[0],
            )
        self._notify(name, self._serving[name], "failed")

    def _note_outage(self, error: Exception) -> None:
        if isinstance(error, TimeoutError):  # a connection that never answers is left to its thread
            self._engine.dispose()
        if not self._away:
            reason = str(error).partition("\n")[0] or "no answer"
            logger.warning("The live versions of the models cannot be read: %s", reason)
        self._away = True
        for name, version in self._serving.items():
            self._notify(name, version, "unreachable")

    def _note_return(self) -> None:
        if self._away:
            logger.warning("The live versions of the models can be read again.")
        self._away = False


@dataclass(frozen=True, slots=True)
class _Failure:
    version: str
    count: int
    next_attempt: float
