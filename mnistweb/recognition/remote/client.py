"""Client of a model server, by the Open Inference Protocol: recognizers whose models run elsewhere."""

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
from urllib3.exceptions import ConnectTimeoutError, HTTPError
from urllib3.exceptions import TimeoutError as HTTPTimeoutError

from mnistweb.circuit_breaker import CircuitBreaker
from mnistweb.recognition.deadline import BoundedCalls, TooManyCalls
from mnistweb.recognition.errors import RecognitionError
from mnistweb.recognition.model_card import ModelCard, version_number
from mnistweb.recognition.postprocessing import to_answer
from mnistweb.recognition.remote import protocol
from mnistweb.recognition.remote.tensors import HEADER_LENGTH, REQUEST_ID, Message, ProtocolError
from mnistweb.recognition.types import Answer, DigitImage
from mnistweb.recognition.zoo import Adapt, Network

BREAKER_FAILURES = 5
"""Consecutive failed requests after which the circuit breaker opens."""
BREAKER_PAUSE = 2.0
"""Seconds for which it stays open."""
RETRY_PAUSES = (0.01, 0.25)
"""Seconds before the second attempt, and at most before any later one; each pause doubles the one before."""
SILENT_ATTEMPTS = 3
"""Attempts that fit into the timeout when none gets a response, as from a machine without a network."""
TRANSIENT_STATUSES = frozenset({404, 502, 503, 504})
"""Statuses of a server that is starting, moving or busy. A new node returns 404 for seconds."""
MAX_SERVER_ERRORS = 12
"""Attempts that may end with 500: Ray returns it for a replica that died; another may be alive."""
MAX_RESPONSE_BYTES = 1024**2
NO_BODY = Message(b"", {})
VERSION = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)

logger = logging.getLogger(__name__)


class _FailedAttempt(Exception):
    """A failed attempt, with the code and the sentence of the RecognitionError that it may become."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


UNREACHABLE = ("model_unavailable", "The model server can’t be reached.")
BUSY = ("model_busy", "The model server is busy with other drawings.")


class ModelServer:
    """A model server, and the cards of its model versions. Safe to use from several threads.

    `recognize` takes at most `timeout` seconds, retries included. `cards` are those of this site. The card of
    another version is fetched from the server, so that its own temperature calibrates the answer. `adapt`
    changes such a card as the site changes its own. `identify`
    returns the id of a request, None for a random one. `trace` returns headers that join the server's work
    to a trace. `sleep` waits some seconds.
    """

    def __init__(
        self,
        url: str,
        timeout: float,
        connections: int,
        cards: Mapping[str, ModelCard],
        identify: Callable[[], str | None] = lambda: None,
        trace: Callable[[], Mapping[str, str]] = dict,
        sleep: Callable[[float], None] = time.sleep,
        adapt: Adapt = lambda card: card,
    ) -> None:
        self._prefix = urlsplit(url).path.rstrip("/")
        self._pool = urllib3.connection_from_url(url, maxsize=connections)
        # Twice as many: an attempt that timed out may still run while the next one is made.
        self._calls = BoundedCalls(2 * connections)
        self._timeout = timeout
        self._adapt = adapt
        self._identify = identify
        self._trace = trace
        self._sleep = sleep
        self._breaker = CircuitBreaker(BREAKER_FAILURES, BREAKER_PAUSE)
        self._cards: dict[tuple[str, str], ModelCard] = {}
        for name, card in cards.items():
            self._keep(name, card)

    def know(self, card: ModelCard) -> None:
        """Keep the card of a version, by which its answers are calibrated."""
        self._keep(card.name, card)

    def recognize(self, name: str, image: DigitImage) -> Answer:
        """Read uint8 [28, 28], 255 for ink, with the model of that name. Raises RecognitionError."""
        if not self._breaker.allows_call():
            raise _error("model_unavailable", "The model server is away.")
        try:
            found = self._recognize(name, image, time.monotonic() + self._timeout)
        except ProtocolError as error:
            self._breaker.record_failure()
            logger.warning("The model server's answer could not be understood: %s.", error)
            sentence = "The model server’s answer makes no sense."
            raise _error("model_nonsense", sentence) from None
        except _FailedAttempt as failure:
            self._breaker.record_failure()
            logger.warning("%s", failure)
            raise _error(failure.code, str(failure)) from None
        except BaseException:
            self._breaker.record_failure()
            raise
        self._breaker.record_success()
        return found

    def _recognize(self, name: str, image: DigitImage, deadline: float) -> Answer:
        request_id = self._identify() or secrets.token_hex(16)
        path = f"/v2/models/{quote(name, safe='')}"
        message = protocol.write_request(image[np.newaxis], request_id)
        # The protocol has the id in the body; the header is for proxies, which log headers only.
        message.headers.update({REQUEST_ID: request_id, **self._trace()})
        response = self._request("POST", f"{path}/infer", deadline, message)
        found = protocol.read_response(response.body, response.header_length)
        if found.model != name or len(found.logits) != 1 or found.id not in (None, request_id):
            raise ProtocolError("it belongs to another request")
        card = self._cards.get((name, found.version)) or self._fetch_card(name, found.version, deadline)
        return to_answer(found.logits[0].tolist(), card, image)

    def _fetch_card(self, name: str, version: str, deadline: float) -> ModelCard:
        if not VERSION.fullmatch(version):
            raise ProtocolError("the version is malformed")
        path = f"/v2/models/{quote(name, safe='')}/versions/{version}"
        for address in (path, f"{path}/config"):  # the second is Triton's
            card = protocol.read_metadata(self._request("GET", address, deadline).body)
            if card is not None:
                self._keep(name, self._adapt(card))
                break
        try:
            return self._cards[name, version]
        except KeyError:
            raise ProtocolError(f"there is no card of version {version} of {name}") from None

    def _keep(self, name: str, card: ModelCard) -> None:
        self._cards[name, card.version] = card
        if (number := version_number(card.version)) is not None:
            self._cards[name, str(number)] = card

    # Not by tenacity: the loop limits one status on its own, and reports the more telling of two failures.
    def _request(self, method: str, path: str, deadline: float, message: Message = NO_BODY) -> "_Response":
        """Return a response of status 200. Retries transient failures until the deadline."""
        pause, longest = RETRY_PAUSES
        failure: _FailedAttempt | None = None
        server_errors = 0
        while True:
            try:
                response = self._attempt(method, path, deadline, message)
            except ConnectTimeoutError:
                failure = _FailedAttempt(*UNREACHABLE)
            except (HTTPTimeoutError, TimeoutError):
                failure = failure or _FailedAttempt(
                    "model_timeout", f"The model server didn’t answer within {self._timeout:g} seconds."
                )
            except TooManyCalls:
                failure = failure or _FailedAttempt(*BUSY)
            except (HTTPError, OSError):
                failure = _FailedAttempt(*UNREACHABLE)
            else:
                status = response.status
                if status == 200:
                    return response
                failure = _FailedAttempt(
                    "model_unavailable", f"The model server failed with status {status}."
                )
                server_errors += status == 500
                if status not in TRANSIENT_STATUSES and (status != 500 or server_errors == MAX_SERVER_ERRORS):
                    raise failure
            wait = pause * random.uniform(0.5, 1)
            if time.monotonic() + wait >= deadline:
                raise failure
            self._sleep(wait)
            pause = min(2 * pause, longest)

    def _attempt(self, method: str, path: str, deadline: float, message: Message) -> "_Response":
        ends = min(deadline, time.monotonic() + self._timeout / SILENT_ATTEMPTS)
        return self._calls.run(lambda: self._send(method, path, ends, message), _seconds_left(ends))

    def _send(self, method: str, path: str, deadline: float, message: Message) -> "_Response":
        response = self._pool.urlopen(
            method,
            self._prefix + path,
            body=message.body or None,
            headers=message.headers,
            retries=False,
            redirect=False,
            timeout=urllib3.Timeout(total=_seconds_left(deadline)),
            preload_content=False,
        )
        body = bytearray()
        try:
            while part := response.read1(MAX_RESPONSE_BYTES):
                body += part
                if len(body) > MAX_RESPONSE_BYTES:
                    raise ProtocolError("it is too long")
                _seconds_left(deadline)  # a call that nobody waits for any more ends here
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
    """One model of a model server. Its card is that of this site, whichever version the server has."""

    def __init__(self, card: ModelCard, server: ModelServer) -> None:
        self.card = card
        self._server = server

    def recognize(self, image: DigitImage) -> Answer:
        """Read a preprocessed image, uint8 [28, 28] with 255 for ink. Raises RecognitionError."""
        return self._server.recognize(self.card.name, image)


class FallbackRecognizer:
    """A remote recognizer, with a local one for its failures."""

    def __init__(self, first: Network, local: Network) -> None:
        self._first = first
        self.local = local

    @property
    def card(self) -> ModelCard:
        """The card of the local model."""
        return self.local.card

    def recognize(self, image: DigitImage) -> Answer:
        """Read a preprocessed image, uint8 [28, 28] with 255 for ink."""
        try:
            return self._first.recognize(image)
        except RecognitionError:
            return self.local.recognize(image)


def _seconds_left(deadline: float) -> float:
    seconds = deadline - time.monotonic()
    if seconds <= 0:
        raise TimeoutError
    return seconds


def _error(code: str, sentence: str) -> RecognitionError:
    return RecognitionError(code, f"{sentence} Try again in a few seconds.")
