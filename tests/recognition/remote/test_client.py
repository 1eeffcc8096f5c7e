"""The networks of a model server: the same answers as here, and what becomes of a server that fails."""

import dataclasses
import logging
import re
import socket
import threading
import time
from collections.abc import Iterator
from typing import Literal

import numpy as np
import pytest

from mnistweb.recognition.decoding import read_drawing
from mnistweb.recognition.errors import RecognitionError
from mnistweb.recognition.preprocessing import normalize
from mnistweb.recognition.remote import circuit_breaker as of_breakers
from mnistweb.recognition.remote import client as remote
from mnistweb.recognition.remote.circuit_breaker import Breaker
from mnistweb.recognition.remote.client import FAILURES, FallbackRecognizer, ModelServer, RemoteRecognizer
from mnistweb.recognition.remote.protocol import metadata
from mnistweb.recognition.types import DigitImage
from tests.support.drawings import digit_png
from tests.support.model_server import CLOSE, StandIn, serve


class Clock:
    """A time that passes when told."""

    now = 0.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """What breakers measure time with."""
    clock = Clock()
    monkeypatch.setattr(of_breakers, "time", clock)
    return clock


def drawn(digit: int) -> DigitImage:
    return normalize(read_drawing(digit_png(digit), 10**6))


def network(
    server: StandIn, timeout: float = 5.0, path: str = "", url: str | None = None
) -> RemoteRecognizer:
    card = server.network.card
    client = ModelServer((url or server.url) + path, timeout, 2, {"lenet5": card})
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
def test_the_answer_is_the_one_of_this_process(server: StandIn, digit: int) -> None:
    assert network(server).recognize(drawn(digit)) == server.network.recognize(drawn(digit))


def test_no_digit_is_none_there_either(server: StandIn) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (28, 28), np.uint8)
    assert network(server).recognize(noise).digit is None


def test_the_address_may_have_a_path(server: StandIn) -> None:
    network(server, path="/inference/").recognize(drawn(3))
    assert server.asked == ["/inference/v2/models/lenet5/infer"]


def test_a_question_bears_the_id_of_its_request(server: StandIn) -> None:
    card = server.network.card
    client = ModelServer(server.url, 5, 2, {"lenet5": card}, identify=lambda: "the request's")
    RemoteRecognizer(card, client).recognize(drawn(3))
    network(server).recognize(drawn(3))
    assert server.ids[0] == "the request's"
    assert re.fullmatch("[0-9a-f]{32}", server.ids[1] or "")
    assert [head["X-Request-ID"] for head in server.heads] == server.ids


def test_a_question_names_the_trace_that_it_belongs_to(server: StandIn) -> None:
    trace = iter(["00-1-1-01", "00-2-2-01"])
    card = server.network.card
    client = ModelServer(server.url, 5, 2, {"lenet5": card}, trace=lambda: {"traceparent": next(trace)})
    for _ in range(2):
        RemoteRecognizer(card, client).recognize(drawn(3))
    assert [head["traceparent"] for head in server.heads] == ["00-1-1-01", "00-2-2-01"]


def test_connections_are_kept(server: StandIn) -> None:
    mine = network(server)
    for digit in range(10):
        mine.recognize(drawn(digit))
    assert server.connections == 1


@pytest.mark.parametrize(
    "statuses", [[404] * 3, [502], [503, 504], [500] * (remote.BROKEN - 1), [CLOSE], [CLOSE, 404, 500, 503]]
)
def test_what_passes_is_tried_again(server: StandIn, statuses: list[int]) -> None:
    server.failures = list(statuses)
    assert network(server).recognize(drawn(3)).digit == 3
    assert len(server.asked) == len(statuses) + 1


@pytest.mark.parametrize("status", [400, 501, 301])
def test_what_does_not_pass_fails_at_once(
    server: StandIn, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    server.failures = [status]
    with caplog.at_level(logging.WARNING):
        assert failure(network(server)) == "model_unavailable"
    assert len(server.asked) == 1
    assert str(status) in caplog.text


def test_a_server_that_breaks_on_a_question_is_not_asked_for_ever(server: StandIn) -> None:
    server.failures = [500] * 100
    assert failure(network(server)) == "model_unavailable"
    assert len(server.asked) == remote.BROKEN


def test_a_server_that_is_away_is_waited_for_no_longer_than_told(server: StandIn) -> None:
    started = time.monotonic()
    with socket.socket() as probe:  # which holds a port on which nobody listens
        probe.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{probe.getsockname()[1]}"
        assert failure(network(server, 1.0, url=nobody)) == "model_unavailable"
    assert time.monotonic() - started < 3


@pytest.mark.parametrize("hangs", ["silent", "head", "body"])
def test_one_deadline_bounds_a_server_that_hangs_or_trickles(
    server: StandIn, hangs: Literal["silent", "head", "body"]
) -> None:
    server.hangs = hangs
    server.gate.clear()
    started = time.monotonic()
    assert failure(network(server, 1.0)) == "model_timeout"
    assert 0.9 < time.monotonic() - started < 2.9  # three attempts of a second each would take three


def test_a_question_that_is_not_heard_is_asked_again_while_there_is_time(server: StandIn) -> None:
    server.hangs = "silent"
    server.gate.clear()
    threading.Timer(1.5, server.gate.set).start()  # during the second of three attempts
    assert network(server, 3.0).recognize(drawn(3)).digit == 3
    assert len(server.asked) == 2


@pytest.mark.parametrize(
    "says",
    [
        {"id": "another's"},
        {"model_name": "cnn"},
        {"model_version": None},
        {"model_version": "../../x"},
        {"outputs": []},
        {"outputs": "x" * remote.MOST_BYTES},
    ],
)
def test_nonsense_is_told_so(server: StandIn, says: dict[str, object]) -> None:
    server.says = says
    assert failure(network(server)) == "model_nonsense"


def test_an_answer_of_another_version_is_calibrated_by_its_own_card(server: StandIn) -> None:
    mine = network(server)
    newer = dataclasses.replace(server.network.card, version="abcdef012345", temperature=7.0, threshold=1.0)
    server.network.card = newer
    page = "/v2/models/lenet5/versions/abcdef012345"
    server.pages = {page: metadata(newer)}
    for _ in range(2):
        assert mine.recognize(drawn(3)) == server.network.recognize(drawn(3))
    assert server.asked.count(page) == 1  # and is then remembered
    assert mine.recognize(drawn(3)).model_version == "abcdef012345"


def test_tritons_versions_are_numbers_and_its_cards_in_the_configuration(server: StandIn) -> None:
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


def test_a_version_that_nobody_has_a_card_of_gives_no_answer(server: StandIn) -> None:
    server.says = {"model_version": "1"}
    page = "/v2/models/lenet5/versions/1"
    server.pages = {page: metadata(server.network.card), f"{page}/config": {}}
    assert failure(network(server)) == "model_nonsense"


def test_a_server_that_fails_again_and_again_is_left_alone_for_a_while(server: StandIn, clock: Clock) -> None:
    mine = network(server)
    server.failures = [400] * FAILURES
    for _ in range(2 * FAILURES):
        assert failure(mine) == "model_unavailable"
    assert len(server.asked) == FAILURES
    clock.now += remote.REST
    assert mine.recognize(drawn(3)).digit == 3


def test_a_breaker_lets_one_at_a_time_try_again(clock: Clock) -> None:
    breaker = Breaker(failures=2, pause=1.0)
    for _ in range(2):
        assert breaker.allows()
        breaker.report(False)
    assert not breaker.allows()
    clock.now += 1.0
    assert [breaker.allows() for _ in range(3)] == [True, False, False]
    breaker.report(False)
    assert not breaker.allows()
    clock.now += 1.0
    assert breaker.allows()
    breaker.report(True)
    assert [breaker.allows() for _ in range(3)] == [True, True, True]


def test_a_success_forgets_the_failures_before_it() -> None:
    breaker = Breaker(failures=2, pause=60)
    for success in (False, True, False):
        breaker.report(success)
    assert breaker.allows()


def test_the_one_that_stands_in_answers_where_the_server_does_not(server: StandIn) -> None:
    reader = FallbackRecognizer(network(server), server.network)
    assert reader.recognize(drawn(3)).digit == 3
    server.failures = [400]
    assert reader.recognize(drawn(4)).digit == 4
    assert len(server.asked) == 2
    assert reader.card == server.network.card
