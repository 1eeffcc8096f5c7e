"""The networks of a model server that speaks the Open Inference Protocol: the same answers from elsewhere."""

import logging
import random
import re
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

import numpy as np
import urllib3
from urllib3.exceptions import ConnectTimeoutError, HTTPError, TimeoutError

from mnistweb.recognition.errors import RecognitionError
from mnistweb.recognition.model_card import ModelCard, version_number
from mnistweb.recognition.postprocessing import to_answer
from mnistweb.recognition.remote import protocol
from mnistweb.recognition.remote.circuit_breaker import Breaker
from mnistweb.recognition.remote.http import connection_pool
from mnistweb.recognition.remote.tensors import HEADER_LENGTH, REQUEST_ID, Message, ProtocolError
from mnistweb.recognition.types import Answer, DigitImage
from mnistweb.recognition.zoo import Network

FAILURES = 5
"""Failed questions in a row after which the server is left alone."""
REST = 2.0
"""Seconds for which it then is."""
PAUSES = (0.01, 0.25)
"""Seconds before the second attempt, and at most before any later one; each is twice as long."""
SILENT = 3
"""Attempts for which there is time when each hears nothing, as of a machine whose cable was pulled."""
PASSING = frozenset({404, 502, 503, 504})
"""Statuses that pass: the server is starting, moving or busy. A node that just came says 404 for seconds."""
BROKEN = 12
"""Attempts that may end with 500: Ray says it of a replica that died on the question; another may live."""
MOST_BYTES = 1024**2
EMPTY = Message(b"", {})
VERSION = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)

logger = logging.getLogger(__name__)


class _Failure(Exception):
    """An attempt that came to nothing: the code and the sentence of the error that it may become."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


AWAY = ("model_unavailable", "The model server cannot be reached.")


class ModelServer:
    """A model server, and the cards of the versions that it answers with. Safe to use from several threads.

    Whatever it takes to answer, retries included, is over within `timeout` seconds. `cards` are those at
    hand; that of another version is asked of the server, so that an answer is calibrated as its network is.
    `identify` gives the id that a question gets, None for one that is made up; `trace` gives headers by which
    the server can join what it does to a trace.
    """

    def __init__(
        self,
        url: str,
        timeout: float,
        connections: int,
        cards: Mapping[str, ModelCard],
        identify: Callable[[], str | None] = lambda: None,
        trace: Callable[[], Mapping[str, str]] = dict,
    ) -> None:
        self._prefix = urlsplit(url).path.rstrip("/")
        self._pool = connection_pool(url, connections)
        self._timeout = timeout
        self._identify = identify
        self._trace = trace
        self._breaker = Breaker(FAILURES, REST)
        self._cards: dict[tuple[str, str], ModelCard] = {}
        for name, card in cards.items():
            self._keep(name, card)

    def recognize(self, name: str, image: DigitImage) -> Answer:
        """Have a network read uint8 [28, 28] with 255 for ink. Raises RecognitionError."""
        if not self._breaker.allows():
            raise _error("model_unavailable", "The model server is away.")
        answered = False
        try:
            found = self._recognise(name, image, time.monotonic() + self._timeout)
            answered = True
        except ProtocolError as error:
            logger.warning("The model server's answer could not be understood: %s.", error)
            sentence = "The model server gave an answer that could not be understood."
            raise _error("model_nonsense", sentence) from None
        except _Failure as failure:
            logger.warning("%s", failure)
            raise _error(failure.code, str(failure)) from None
        finally:
            self._breaker.report(answered)
        return found

    def _recognise(self, name: str, image: DigitImage, deadline: float) -> Answer:
        request_id = self._identify() or secrets.token_hex(16)
        path = f"/v2/models/{quote(name, safe='')}"
        question = protocol.write_question(image[np.newaxis], request_id)
        # The id is in the body for the protocol, and here for whatever logs requests by their heads.
        question.headers.update({REQUEST_ID: request_id, **self._trace()})
        response = self._ask("POST", f"{path}/infer", deadline, question)
        reply = protocol.read_reply(response.body, response.header_length)
        if reply.model != name or len(reply.logits) != 1 or reply.id not in (None, request_id):
            raise ProtocolError("it answers another question")
        card = self._cards.get((name, reply.version)) or self._fetch_card(name, reply.version, deadline)
        return to_answer(reply.logits[0].tolist(), card, image)

    def _fetch_card(self, name: str, version: str, deadline: float) -> ModelCard:
        if not VERSION.fullmatch(version):
            raise ProtocolError("the version is none")
        path = f"/v2/models/{quote(name, safe='')}/versions/{version}"
        for place in (path, f"{path}/config"):  # the second is Triton's
            card = protocol.read_metadata(self._ask("GET", place, deadline).body)
            if card is not None:
                self._keep(name, card)
                break
        try:
            return self._cards[name, version]
        except KeyError:
            raise ProtocolError(f"there is no card of version {version} of {name}") from None

    def _keep(self, name: str, card: ModelCard) -> None:
        self._cards[name, card.version] = card
        if (number := version_number(card.version)) is not None:
            self._cards[name, str(number)] = card

    def _ask(self, method: str, path: str, deadline: float, message: Message = EMPTY) -> "_Response":
        """A response of status 200. Asks again where that may help, for as long as there is time."""
        pause, longest = PAUSES
        failure: _Failure | None = None
        broken = 0
        while True:
            ends = min(deadline, time.monotonic() + self._timeout / SILENT)
            try:
                response = self._ask_once(method, path, ends, message)
            except ConnectTimeoutError:  # or any other reason why there is no connection
                failure = _Failure(*AWAY)
            except TimeoutError:
                # Where it had failed before, that says more.
                failure = failure or _Failure(
                    "model_timeout", f"The model server did not answer within {self._timeout:g} seconds."
                )
            except (HTTPError, OSError):
                failure = _Failure(*AWAY)
            else:
                if response.status == 200:
                    return response
                failure = _Failure(
                    "model_unavailable", f"The model server failed with status {response.status}."
                )
                broken += response.status == 500
                if response.status not in PASSING and (response.status != 500 or broken == BROKEN):
                    raise failure
            wait = pause * random.uniform(0.5, 1)
            if time.monotonic() + wait >= deadline:
                raise failure
            time.sleep(wait)
            pause = min(2 * pause, longest)

    def _ask_once(self, method: str, path: str, deadline: float, message: Message) -> "_Response":
        response = self._pool.urlopen(
            method,
            self._prefix + path,
            body=message.body or None,
            headers=message.headers,
            retries=False,
            redirect=False,
            timeout=urllib3.Timeout(total=_left(deadline)),
            preload_content=False,
        )
        body = bytearray()
        try:
            while part := response.read1(MOST_BYTES):
                body += part
                if len(body) > MOST_BYTES:
                    raise ProtocolError("it is too long")
            response.release_conn()
        except BaseException:
            response.close()
            raise
        return _Response(response.status, bytes(body), response.headers.get(HEADER_LENGTH))


@dataclass(frozen=True, slots=True)
class _Response:
    status: int
    body: bytes
    header_length: str | None


class RemoteRecognizer:
    """One network of a model server. The card at hand describes it, whichever version answers."""

    def __init__(self, card: ModelCard, server: ModelServer) -> None:
        self.card = card
        self._server = server

    def recognize(self, image: DigitImage) -> Answer:
        """Read a preprocessed image, uint8 [28, 28] with 255 for ink. Raises RecognitionError."""
        return self._server.recognize(self.card.name, image)


class FallbackRecognizer:
    """A network that answers where the first one does not."""

    def __init__(self, first: Network, local: Network) -> None:
        self._first = first
        self.local = local

    @property
    def card(self) -> ModelCard:
        """What it is."""
        return self.local.card

    def recognize(self, image: DigitImage) -> Answer:
        """Read a preprocessed image, uint8 [28, 28] with 255 for ink."""
        try:
            return self._first.recognize(image)
        except RecognitionError:
            return self.local.recognize(image)


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _error(code: str, sentence: str) -> RecognitionError:
    return RecognitionError(code, f"{sentence} Try again in a few seconds.")
