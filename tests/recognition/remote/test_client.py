"""Models of a model server: the same answers as in this process, and failures of the server."""

import dataclasses
import functools
import logging
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Literal

import numpy as np
import pytest

from mnistweb.circuit_breaker import CircuitBreaker
from mnistweb.recognition.boundaries import Boundaries
from mnistweb.recognition.decoding import read_drawing
from mnistweb.recognition.errors import RecognitionError
from mnistweb.recognition.preprocessing import normalize
from mnistweb.recognition.remote import client as remote
from mnistweb.recognition.remote.client import (
    BREAKER_FAILURES,
    FallbackRecognizer,
    ModelServer,
    RemoteRecognizer,
)
from mnistweb.recognition.remote.protocol import write_metadata
from mnistweb.recognition.types import DigitImage
from tests.support.clock import Clock
from tests.support.drawings import digit_png
from tests.support.model_server import CLOSE, StandIn, serve


def drawn(digit: int) -> DigitImage:
    return normalize(read_drawing(digit_png(digit), 10**6))


def network(
    server: StandIn,
    timeout: float = 5.0,
    path: str = "",
    url: str | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> RemoteRecognizer:
    card = server.network.card
    client = ModelServer((url or server.url) + path, timeout, 2, {"lenet5": card}, sleep=sleep)
    return RemoteRecognizer(card, client)


def failure(reader: RemoteRecognizer) -> str:
    with pytest.raises(RecognitionError) as caught:
        reader.recognize(drawn(3))
    assert str(caught.value).endswith("Try again in a few seconds.")
    return caught.value.code


@pytest.fixture
def server() -> Iterator[StandIn]:
    with serve() as server:
        yield server


@pytest.mark.parametrize("digit", range(10))
def test_answer_equals_that_of_the_local_model(server: StandIn, digit: int) -> None:
    assert network(server).recognize(drawn(digit)) == server.network.recognize(drawn(digit))


def test_noise_is_rejected(server: StandIn) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (28, 28), np.uint8)
    assert network(server).recognize(noise).digit is None


def test_url_may_have_a_path(server: StandIn) -> None:
    network(server, path="/inference/").recognize(drawn(3))
    assert server.asked == ["/inference/v2/models/lenet5/infer"]


def test_inference_request_has_the_request_id(server: StandIn) -> None:
    card = server.network.card
    client = ModelServer(server.url, 5, 2, {"lenet5": card}, identify=lambda: "the request's")
    RemoteRecognizer(card, client).recognize(drawn(3))
    network(server).recognize(drawn(3))
    assert server.ids[0] == "the request's"
    assert re.fullmatch("[0-9a-f]{32}", server.ids[1] or "")
    assert [head["X-Request-ID"] for head in server.heads] == server.ids


def test_inference_request_has_the_trace_headers(server: StandIn) -> None:
    trace = iter(["00-1-1-01", "00-2-2-01"])
    card = server.network.card
    client = ModelServer(server.url, 5, 2, {"lenet5": card}, trace=lambda: {"traceparent": next(trace)})
    for _ in range(2):
        RemoteRecognizer(card, client).recognize(drawn(3))
    assert [head["traceparent"] for head in server.heads] == ["00-1-1-01", "00-2-2-01"]


def test_connections_are_reused(server: StandIn) -> None:
    mine = network(server)
    for digit in range(10):
        mine.recognize(drawn(digit))
    assert server.connections == 1


@pytest.mark.parametrize(
    "statuses",
    [[404] * 3, [502], [503, 504], [500] * (remote.MAX_SERVER_ERRORS - 1), [CLOSE], [CLOSE, 404, 500, 503]],
)
def test_transient_failure_is_retried(server: StandIn, statuses: list[int]) -> None:
    server.failures = list(statuses)
    pauses: list[float] = []
    assert network(server, sleep=pauses.append).recognize(drawn(3)).digit == 3
    assert len(server.asked) == len(statuses) + 1
    assert len(pauses) == len(statuses)


@pytest.mark.parametrize("status", [400, 501, 301])
def test_permanent_failure_is_not_retried(
    server: StandIn, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    server.failures = [status]
    with caplog.at_level(logging.WARNING):
        assert failure(network(server)) == "model_unavailable"
    assert len(server.asked) == 1
    assert str(status) in caplog.text


def test_server_errors_are_retried_a_limited_number_of_times(server: StandIn) -> None:
    server.failures = [500] * 100
    assert failure(network(server, sleep=lambda _: None)) == "model_unavailable"
    assert len(server.asked) == remote.MAX_SERVER_ERRORS


def test_unreachable_server_fails_within_the_timeout(server: StandIn) -> None:
    started = time.monotonic()
    with socket.socket() as probe:  # holds a port without listening
        probe.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{probe.getsockname()[1]}"
        assert failure(network(server, 0.5, url=nobody)) == "model_unavailable"
    assert time.monotonic() - started < 3


@pytest.mark.parametrize("hangs", ["silent", "head", "body"])
def test_timeout_bounds_a_server_that_hangs_or_trickles(
    server: StandIn, hangs: Literal["silent", "head", "body"]
) -> None:
    server.hangs = hangs
    server.gate.clear()
    started = time.monotonic()
    assert failure(network(server, 0.7)) == "model_timeout"
    assert 0.6 < time.monotonic() - started < 2.0  # three attempts of 0.7 s each would take 2.1


def test_request_without_a_response_is_retried_within_the_timeout(server: StandIn) -> None:
    server.hangs = "silent"
    server.gate.clear()
    threading.Timer(0.9, server.gate.set).start()  # during the second of three attempts
    assert network(server, 1.8).recognize(drawn(3)).digit == 3
    assert len(server.asked) == 2


@pytest.mark.parametrize(
    "says",
    [
        {"id": "another's"},
        {"model_name": "cnn"},
        {"model_version": None},
        {"model_version": "../../x"},
        {"outputs": []},
        {"outputs": "x" * remote.MAX_RESPONSE_BYTES},
    ],
)
def test_malformed_response_is_nonsense(server: StandIn, says: dict[str, object]) -> None:
    server.says = says
    assert failure(network(server)) == "model_nonsense"


def test_answer_of_another_version_is_calibrated_by_its_own_card(server: StandIn) -> None:
    mine = network(server)
    boundaries = Boundaries(sure=0.1, not_a_digit=1.0)
    card = server.network.card
    newer = dataclasses.replace(card, version="abcdef012345", temperature=7.0, boundaries=boundaries)
    server.network.card = newer
    page = "/v2/models/lenet5/versions/abcdef012345"
    server.pages = {page: write_metadata(newer)}
    for _ in range(2):
        assert mine.recognize(drawn(3)) == server.network.recognize(drawn(3))
    assert server.asked.count(page) == 1  # then it is cached
    assert mine.recognize(drawn(3)).model_version == "abcdef012345"


def test_boundaries_of_the_site_move_those_of_every_version(server: StandIn) -> None:
    card = server.network.card
    newer = dataclasses.replace(card, version="abcdef012345")
    server.network.card = newer
    server.pages = {"/v2/models/lenet5/versions/abcdef012345": write_metadata(newer)}
    moved = ModelServer(
        server.url, 5.0, 2, {"lenet5": card}, adapt=lambda each: each.with_boundaries(None, 0.0)
    )
    assert RemoteRecognizer(card, moved).recognize(drawn(3)).certainty == "not_a_digit"


def test_triton_has_numeric_versions_and_cards_in_its_configuration(server: StandIn) -> None:
    mine = network(server)
    card = server.network.card
    server.says = {"model_version": str(int(card.version, 16))}
    assert mine.recognize(drawn(3)).model_version == card.version
    assert len(server.asked) == 1

    newer = dataclasses.replace(card, version="0bcdef012345", temperature=7.0)
    number = str(int(newer.version, 16))
    page = f"/v2/models/lenet5/versions/{number}"
    server.network.card = newer
    server.says = {"model_version": number}
    server.pages = {page: {}, f"{page}/config": {"parameters": {"card": {"string_value": newer.text()}}}}
    assert mine.recognize(drawn(3)) == server.network.recognize(drawn(3))


def test_version_without_a_card_is_nonsense(server: StandIn) -> None:
    server.says = {"model_version": "1"}
    page = "/v2/models/lenet5/versions/1"
    server.pages = {page: write_metadata(server.network.card), f"{page}/config": {}}
    assert failure(network(server)) == "model_nonsense"


def test_open_breaker_fails_fast_until_its_pause_is_over(
    server: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    monkeypatch.setattr(remote, "CircuitBreaker", functools.partial(CircuitBreaker, clock=clock))
    mine = network(server)
    server.failures = [400] * BREAKER_FAILURES
    for _ in range(2 * BREAKER_FAILURES):
        assert failure(mine) == "model_unavailable"
    assert len(server.asked) == BREAKER_FAILURES
    clock.now += remote.BREAKER_PAUSE
    assert mine.recognize(drawn(3)).digit == 3


def test_local_fallback_answers_when_the_server_fails(server: StandIn) -> None:
    reader = FallbackRecognizer(network(server), server.network)
    assert reader.recognize(drawn(3)).digit == 3
    server.failures = [400]
    assert reader.recognize(drawn(4)).digit == 4
    assert len(server.asked) == 2
    assert reader.card == server.network.card
