"""Both sides of the Open Inference Protocol, and what a hostile client might write."""

import dataclasses
import json
from typing import Any

import numpy as np
import pytest

from mnistweb.recognition.model_card import read_card
from mnistweb.recognition.remote.protocol import (
    Question,
    metadata,
    read_metadata,
    read_question,
    read_reply,
    write_question,
    write_reply,
)
from mnistweb.recognition.remote.tensors import HEADER_LENGTH, MOST_IMAGES, ProtocolError
from mnistweb.recognition.zoo import WEIGHTS

CARD = read_card(WEIGHTS / "cnn.json")
PIXELS = np.random.default_rng(0).integers(0, 256, (3, 28, 28), np.uint8)


def question(**fields: Any) -> dict[str, Any]:
    """A question in JSON about one white image; fields of its tensor can be replaced."""
    tensor = {"name": "INPUT__0", "shape": [1, 28, 28], "datatype": "UINT8", "data": [255] * 784}
    return {"id": "1", "inputs": [tensor | fields]}


def test_images_arrive_as_they_were_sent() -> None:
    message = write_question(PIXELS, "an id")
    read = read_question(message.body, message.headers[HEADER_LENGTH])
    assert np.array_equal(read.images, PIXELS)
    assert (read.id, read.binary) == ("an id", False)


@pytest.mark.parametrize("nested", [False, True])
def test_images_can_be_written_as_numbers(nested: bool) -> None:
    data = PIXELS.tolist() if nested else PIXELS.ravel().tolist()
    body = json.dumps(question(shape=[3, 28, 28], data=data)).encode()
    assert np.array_equal(read_question(body, None).images, PIXELS)


@pytest.mark.parametrize("binary", [False, True])
@pytest.mark.parametrize("request_id", [None, "7"])
def test_logits_arrive_to_the_last_bit(binary: bool, request_id: str | None) -> None:
    logits = np.random.default_rng(0).normal(0, 10, (3, 11)).astype(np.float32)
    message = write_reply(logits, CARD, Question(PIXELS, request_id, binary))
    read = read_reply(message.body, message.headers.get(HEADER_LENGTH))
    assert np.array_equal(read.logits, logits)
    assert (read.model, read.version, read.id) == (CARD.name, CARD.version, request_id)


@pytest.mark.parametrize(
    ("request_says", "output_says", "binary"),
    [
        ({}, {}, False),
        ({"binary_data_output": True}, {}, True),
        ({}, {"binary_data": True}, True),
        ({"binary_data_output": True}, {"binary_data": False}, False),
    ],
)
def test_logits_come_as_bytes_where_that_is_asked_for(
    request_says: dict[str, bool], output_says: dict[str, bool], binary: bool
) -> None:
    asked = question() | {"parameters": request_says}
    asked["outputs"] = [{"name": "OUTPUT__0", "parameters": output_says}]
    assert read_question(json.dumps(asked).encode(), None).binary is binary


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"", "JSON"),
        (b"\xff", "JSON"),
        (b"[" * 100_000, "JSON"),
        (b"[]", "object"),
        (b"{}", "inputs"),
        ({"inputs": {}}, "inputs"),
        ({"inputs": [1]}, "inputs"),
        ({"inputs": question()["inputs"] * 2}, "one tensor"),
        (question(name="x"), "named"),
        (question(datatype="FP32"), "UINT8"),
        (question(shape=[28, 28]), "shape"),
        (question(shape=[1, 1, 28, 28]), "shape"),
        (question(shape=[1, 28, 29]), "shape"),
        (question(shape=[-1, 28, 28]), "shape"),
        (question(shape=[True, 28, 28]), "shape"),
        (question(shape=["1", 28, 28]), "shape"),
        (question(shape=[0, 28, 28], data=[]), "shape"),
        (question(shape=[10**12, 28, 28]), f"to {MOST_IMAGES}"),
        (question(shape="1"), "shape"),
        (question(shape=None), "shape"),
        (question(data=[0] * 783), "784"),
        (question(data=[[0] * 783, 0]), "numbers"),
        (question(data=[256] * 784), "0 to 255"),
        (question(data=[-1] * 784), "0 to 255"),
        (question(data=[10**30] * 784), "0 to 255"),
        (question(data=[0.5] * 784), "0 to 255"),
        (question(data=["0"] * 784), "0 to 255"),
        (question(data=[True] * 784), "0 to 255"),
        (question(data=[None] * 784), "0 to 255"),
        (question(data="AAAA"), "list"),
        (question(data=None), "list"),
        (question(parameters={"binary_data_size": 784}), "784"),
        (question(parameters={"binary_data_size": "784"}), "784"),
        (question() | {"id": 5}, "id"),
        (question() | {"outputs": [{"name": "x"}]}, "named"),
        (question() | {"outputs": "all"}, "outputs"),
        (question() | {"parameters": {"binary_data_output": 1}}, "true or false"),
        (question() | {"parameters": [1]}, "true or false"),
    ],
)
def test_what_is_no_question_is_told_so(body: Any, sentence: str) -> None:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    with pytest.raises(ProtocolError, match=sentence):
        read_question(raw, None)


@pytest.mark.parametrize("length", ["", "-1", "x", "٣", "1e3", "9" * 400, "99999", "3"])
def test_a_wrong_length_of_the_json_is_told_so(length: str) -> None:
    with pytest.raises(ProtocolError):
        read_question(write_question(PIXELS, "1").body, length)


@pytest.mark.parametrize("change", [b"", b"more"])
def test_bytes_must_be_as_many_as_the_shape_says(change: bytes) -> None:
    message = write_question(PIXELS, "1")
    body = message.body + change if change else message.body[:-1]
    with pytest.raises(ProtocolError, match="2352"):
        read_question(body, message.headers[HEADER_LENGTH])


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("shape", [2, 11]),
        ("shape", [1, 10]),
        ("datatype", "FP64"),
        ("data", [0] * 10 + ["x"]),
        ("data", [0] * 10 + [float("nan")]),
        ("data", [0] * 10 + [float("inf")]),
    ],
)
def test_a_wrong_reply_is_told_so(field: str, value: Any) -> None:
    reply = json.loads(write_reply(np.zeros((1, 11), np.float32), CARD, Question(PIXELS, None, False)).body)
    reply["outputs"][0][field] = value
    with pytest.raises(ProtocolError):
        read_reply(json.dumps(reply).encode(), None)


@pytest.mark.parametrize("field", ["model_name", "model_version"])
def test_a_reply_must_say_who_answers(field: str) -> None:
    reply = json.loads(write_reply(np.zeros((1, 11), np.float32), CARD, Question(PIXELS, None, False)).body)
    del reply[field]
    with pytest.raises(ProtocolError, match="strings"):
        read_reply(json.dumps(reply).encode(), None)


def test_the_card_travels_with_the_metadata() -> None:
    card = dataclasses.replace(CARD, temperature=1.25)
    assert read_metadata(json.dumps(metadata(card)).encode()) == card
    in_tritons_way = {"parameters": {"card": {"string_value": card.text()}}}
    assert read_metadata(json.dumps(in_tritons_way).encode()) == card


@pytest.mark.parametrize("parameters", [None, [], {}, {"card": None}, {"card": {}}])
def test_metadata_may_be_without_a_card(parameters: object) -> None:
    assert read_metadata(json.dumps({"parameters": parameters}).encode()) is None


@pytest.mark.parametrize("card", ["", "{}", "[]", 5, "null"])
def test_a_card_that_is_none_is_told_so(card: object) -> None:
    with pytest.raises(ProtocolError, match="card"):
        read_metadata(json.dumps({"parameters": {"card": card}}).encode())
