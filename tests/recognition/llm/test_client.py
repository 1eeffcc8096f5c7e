"""The language model over real HTTP, against a fake endpoint."""

import logging
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from mnistweb.recognition.errors import RecognitionError
from mnistweb.recognition.llm.client import RETRY_PAUSE, LanguageModel
from tests.support.endpoint import KEY, MODEL, Endpoint, Reply, ask_locally, fails, reads, says, serve

IMAGE = np.zeros((28, 28), np.uint8)
TIMEOUT = 20.0  # seconds; more than a busy machine needs for anything here
PAUSES: list[float] = []  # seconds that were slept, without sleeping


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[Endpoint]:
    ask_locally(monkeypatch)
    with serve() as endpoint:
        yield endpoint


def model(url: str, key: str = KEY, timeout: float = TIMEOUT, places: int = 2) -> LanguageModel:
    return LanguageModel(url, key, MODEL, timeout, places, sleep=PAUSES.append)


def failure(language_model: LanguageModel) -> RecognitionError:
    with pytest.raises(RecognitionError) as caught:
        language_model.recognize(IMAGE)
    message = str(caught.value)
    assert message.endswith(".")
    for secret in (KEY, "127.0.0.1", "http"):
        assert secret not in message
    return caught.value


def test_answer_has_the_digit_and_confidence_of_the_reply(endpoint: Endpoint) -> None:
    endpoint.reply = reads("7", 0.82)
    answer = model(endpoint.url).recognize(IMAGE)
    assert (answer.digit, answer.confidence, answer.not_a_digit, answer.reason) == (7, 0.82, 0, None)
    assert (answer.model, answer.model_version) == ("llm", MODEL)
    assert answer.probabilities[7] == 0.82
    assert sum(answer.probabilities) == pytest.approx(1)
    assert len(answer.probabilities) == 10
    assert set(answer.probabilities) == {0.82, (1 - 0.82) / 9}


def test_none_is_rejected_with_a_reason(endpoint: Endpoint) -> None:
    endpoint.reply = reads("none", 0.7)
    answer = model(endpoint.url).recognize(IMAGE)
    assert (answer.digit, answer.confidence, answer.not_a_digit) == (None, 0.7, 0.7)
    assert answer.reason is not None
    assert answer.probabilities == (0.1,) * 10


@pytest.mark.parametrize(
    ("sure_from", "digit", "confidence", "certainty"),
    [
        (None, "7", 0.8, "sure"),
        (None, "7", 0.79, "doubtful"),
        (0.95, "7", 0.9, "doubtful"),
        (0.5, "7", 0.5, "sure"),
        (None, "none", 0.99, "not_a_digit"),
        (None, "none", 0.1, "not_a_digit"),
    ],
)
def test_certainty_follows_from_the_stated_confidence(
    endpoint: Endpoint, sure_from: float | None, digit: str, confidence: float, certainty: str
) -> None:
    endpoint.reply = reads(digit, confidence)
    asked = LanguageModel(endpoint.url, KEY, MODEL, TIMEOUT, places=1, sure_from=sure_from)
    assert asked.recognize(IMAGE).certainty == certainty


def test_one_request_has_image_and_response_format(endpoint: Endpoint) -> None:
    model(endpoint.url).recognize(IMAGE)
    [question] = endpoint.asked
    assert question["model"] == MODEL
    assert question["messages"][0]["content"][1]["image_url"]["url"].startswith("data:image/png;base64,")
    schema = question["response_format"]["json_schema"]["schema"]
    assert schema["properties"]["digit"]["enum"] == [*"0123456789", "none"]
    assert endpoint.keys == [f"Bearer {KEY}"]


def test_key_of_the_environment_is_never_sent(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-another-account")
    model(endpoint.url, key="").recognize(IMAGE)
    assert endpoint.keys == ["Bearer none"]


def test_refused_response_format_is_left_out(endpoint: Endpoint) -> None:
    endpoint.reply = lambda question: fails(400) if "response_format" in question else reads("4")
    assert model(endpoint.url).recognize(IMAGE).digit == 4
    assert len(endpoint.asked) == 2


@pytest.mark.parametrize("status", [429, 500, 503])
def test_transient_failure_is_retried_once(endpoint: Endpoint, status: int) -> None:
    endpoint.replies = [fails(status), reads("5")]
    PAUSES.clear()
    assert model(endpoint.url).recognize(IMAGE).digit == 5
    assert PAUSES == [RETRY_PAUSE]


@pytest.mark.parametrize(
    ("status", "code", "words", "asked"),
    [
        (400, "model_unavailable", "status 400", 2),
        (401, "model_unavailable", "key", 1),
        (403, "model_unavailable", "key", 1),
        (404, "model_unavailable", "doesn’t know it", 1),
        (429, "model_rate_limited", "no more questions", 2),
        (500, "model_unavailable", "status 500", 2),
        (529, "model_unavailable", "status 529", 2),
    ],
)
def test_failure_has_code_and_sentence(
    endpoint: Endpoint, status: int, code: str, words: str, asked: int
) -> None:
    endpoint.reply = fails(status)
    error = failure(model(endpoint.url))
    assert error.code == code
    assert words in str(error)
    assert len(endpoint.asked) == asked


def test_long_retry_after_is_ignored(endpoint: Endpoint) -> None:
    endpoint.reply = fails(429, **{"Retry-After": "60"})
    started = time.monotonic()
    assert failure(model(endpoint.url)).code == "model_rate_limited"
    assert time.monotonic() - started < TIMEOUT


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (says(None, refusal="I cannot help with that."), "model_refused"),
        (says("", finish_reason="content_filter"), "model_refused"),
        (says("It looks like a seven, or a one."), "model_nonsense"),
        (says('{"number": 3}'), "model_nonsense"),
        (says('{"digit": "3", "confidence": 1.5}'), "model_nonsense"),
        (says(None), "model_nonsense"),
        (says([{"type": "text"}]), "model_nonsense"),
        (Reply(b"{}"), "model_nonsense"),
        (Reply(b'{"choices": 3}'), "model_nonsense"),
        (Reply(b'{"choices": [null]}'), "model_nonsense"),
        (Reply(b"[1, 2]"), "model_nonsense"),
        (Reply(b"null"), "model_nonsense"),
        (Reply(b"{not JSON"), "model_nonsense"),
        (Reply(b"[" * 100_000), "model_nonsense"),
        (Reply(b"\xff\xfe"), "model_nonsense"),
        (Reply(b""), "model_nonsense"),
        (Reply(b"<h1>Welcome</h1>", headers={"Content-Type": "text/html"}), "model_nonsense"),
        (Reply(b"", headers={}), "model_nonsense"),
        (Reply(b"not compressed", headers={"Content-Encoding": "gzip"}), "model_unavailable"),
        (Reply(b"", 302, {"Location": "gopher://elsewhere/"}), "model_unavailable"),
    ],
)
def test_refusal_and_nonsense_have_different_codes(endpoint: Endpoint, reply: Reply, code: str) -> None:
    endpoint.reply = reply
    assert failure(model(endpoint.url)).code == code


def test_unreachable_endpoint_is_unavailable() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, but not listening: connections are refused
        error = failure(model(f"http://127.0.0.1:{taken.getsockname()[1]}/v1"))
    assert error.code == "model_unavailable"
    assert "can’t be reached" in str(error)


@pytest.mark.parametrize("trickles", [False, True])
def test_timeout_bounds_an_endpoint_that_hangs_or_trickles(endpoint: Endpoint, trickles: bool) -> None:
    endpoint.gate.clear()
    endpoint.trickles = trickles
    language_model = model(endpoint.url, timeout=0.3)
    started = time.monotonic()
    error = failure(language_model)
    assert 0.25 < time.monotonic() - started < TIMEOUT
    assert error.code == "model_timeout"
    assert "within 0.3 seconds" in str(error)
    assert len(endpoint.asked) == 1


def test_more_requests_than_places_are_refused_at_once(endpoint: Endpoint) -> None:
    language_model = model(endpoint.url, places=2)
    endpoint.gate.clear()
    with ThreadPoolExecutor(2) as pool:
        waiting = [pool.submit(language_model.recognize, IMAGE) for _ in range(2)]
        for _ in waiting:
            assert endpoint.arrived.acquire(timeout=TIMEOUT)
        assert failure(language_model).code == "model_busy"
        assert not any(answer.done() for answer in waiting)
        endpoint.gate.set()
        assert [answer.result().digit for answer in waiting] == [3, 3]
    for _ in range(5):
        assert language_model.recognize(IMAGE).digit == 3


def test_timed_out_request_keeps_its_place_until_it_ends(endpoint: Endpoint) -> None:
    endpoint.gate.clear()
    endpoint.trickles = True
    language_model = model(endpoint.url, places=1, timeout=0.3)
    assert failure(language_model).code == "model_timeout"
    assert failure(language_model).code == "model_busy"
    endpoint.gate.set()
    deadline = time.monotonic() + TIMEOUT
    while time.monotonic() < deadline:
        try:
            assert language_model.recognize(IMAGE).digit == 3
        except RecognitionError:
            time.sleep(0.05)
        else:
            return
    pytest.fail("the place is still taken")


def test_unexpected_exception_is_raised_and_frees_its_place(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    language_model = model(endpoint.url, places=1)
    with monkeypatch.context() as patch:
        patch.setattr("mnistweb.recognition.llm.client.chat_messages", lambda _: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            language_model.recognize(IMAGE)
    assert language_model.recognize(IMAGE).digit == 3


@pytest.mark.parametrize("reply", [fails(401), fails(500), says("nonsense"), reads("3")])
def test_key_is_in_no_log_and_no_text(
    endpoint: Endpoint, caplog: pytest.LogCaptureFixture, reply: Reply
) -> None:
    caplog.set_level(logging.DEBUG)
    endpoint.reply = reply
    language_model = model(endpoint.url)
    try:
        said = repr(language_model.recognize(IMAGE))
    except RecognitionError as error:
        said = repr(error)
    for text in (
        said,
        caplog.text,
        repr(language_model),
        repr(language_model.card),
        repr(vars(language_model)),
    ):
        assert KEY not in text


@pytest.mark.process
def test_import_needs_neither_flask_nor_torch() -> None:
    check = (
        "import mnistweb.recognition.llm.client, sys; "
        "print(*({'flask', 'torch', 'sqlalchemy'} & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert found.stdout.split() == []
