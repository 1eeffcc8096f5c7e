"""Both sides of the Open Inference Protocol, and hostile input."""

import dataclasses
import json
from typing import Any

import numpy as np
import pytest

from mnistweb.recognition.model_card import read_card
from mnistweb.recognition.remote.protocol import (
    InferenceRequest,
    read_metadata,
    read_request,
    read_response,
    write_metadata,
    write_request,
    write_response,
)
from mnistweb.recognition.remote.tensors import HEADER_LENGTH, MAX_BATCH_SIZE, ProtocolError
from mnistweb.recognition.zoo import WEIGHTS

CARD = read_card(WEIGHTS / "cnn.json")
PIXELS = np.random.default_rng(0).integers(0, 256, (3, 28, 28), np.uint8)


def inference_request(**fields: Any) -> dict[str, Any]:
    """A request in JSON with one white image; `fields` replace those of its tensor."""
    tensor = {"name": "INPUT__0", "shape": [1, 28, 28], "datatype": "UINT8", "data": [255] * 784}
    return {"id": "1", "inputs": [tensor | fields]}


def response_in_json() -> dict[str, Any]:
    message = write_response(np.zeros((1, 11), np.float32), CARD, InferenceRequest(PIXELS, None, False))
    response: dict[str, Any] = json.loads(message.body)
    return response


def test_images_survive_the_round_trip() -> None:
    message = write_request(PIXELS, "an id")
    read = read_request(message.body, message.headers[HEADER_LENGTH])
    assert np.array_equal(read.images, PIXELS)
    assert (read.id, read.binary) == ("an id", False)


@pytest.mark.parametrize("nested", [False, True])
def test_images_may_be_json_numbers(nested: bool) -> None:
    data = PIXELS.tolist() if nested else PIXELS.ravel().tolist()
    body = json.dumps(inference_request(shape=[3, 28, 28], data=data)).encode()
    assert np.array_equal(read_request(body, None).images, PIXELS)


@pytest.mark.parametrize("binary", [False, True])
@pytest.mark.parametrize("request_id", [None, "7"])
def test_logits_survive_the_round_trip_exactly(binary: bool, request_id: str | None) -> None:
    logits = np.random.default_rng(0).normal(0, 10, (3, 11)).astype(np.float32)
    message = write_response(logits, CARD, InferenceRequest(PIXELS, request_id, binary))
    read = read_response(message.body, message.headers.get(HEADER_LENGTH))
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
def test_logits_are_bytes_on_request(
    request_says: dict[str, bool], output_says: dict[str, bool], binary: bool
) -> None:
    asked = inference_request() | {"parameters": request_says}
    asked["outputs"] = [{"name": "OUTPUT__0", "parameters": output_says}]
    assert read_request(json.dumps(asked).encode(), None).binary is binary


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
        ({"inputs": inference_request()["inputs"] * 2}, "one tensor"),
        (inference_request(name="x"), "named"),
        (inference_request(datatype="FP32"), "UINT8"),
        (inference_request(shape=[28, 28]), "shape"),
        (inference_request(shape=[1, 1, 28, 28]), "shape"),
        (inference_request(shape=[1, 28, 29]), "shape"),
        (inference_request(shape=[-1, 28, 28]), "shape"),
        (inference_request(shape=[True, 28, 28]), "shape"),
        (inference_request(shape=["1", 28, 28]), "shape"),
        (inference_request(shape=[0, 28, 28], data=[]), "shape"),
        (inference_request(shape=[10**12, 28, 28]), f"to {MAX_BATCH_SIZE}"),
        (inference_request(shape="1"), "shape"),
        (inference_request(shape=None), "shape"),
        (inference_request(data=[0] * 783), "784"),
        (inference_request(data=[[0] * 783, 0]), "numbers"),
        (inference_request(data=[256] * 784), "0 to 255"),
        (inference_request(data=[-1] * 784), "0 to 255"),
        (inference_request(data=[10**30] * 784), "0 to 255"),
        (inference_request(data=[0.5] * 784), "0 to 255"),
        (inference_request(data=["0"] * 784), "0 to 255"),
        (inference_request(data=[True] * 784), "0 to 255"),
        (inference_request(data=[None] * 784), "0 to 255"),
        (inference_request(data="AAAA"), "list"),
        (inference_request(data=None), "list"),
        (inference_request(parameters={"binary_data_size": 784}), "784"),
        (inference_request(parameters={"binary_data_size": "784"}), "784"),
        (inference_request() | {"id": 5}, "id"),
        (inference_request() | {"outputs": [{"name": "x"}]}, "named"),
        (inference_request() | {"outputs": "all"}, "outputs"),
        (inference_request() | {"parameters": {"binary_data_output": 1}}, "true or false"),
        (inference_request() | {"parameters": [1]}, "true or false"),
    ],
)
def test_malformed_request_is_an_error(body: Any, sentence: str) -> None:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    with pytest.raises(ProtocolError, match=sentence):
        read_request(raw, None)


@pytest.mark.parametrize("length", ["", "-1", "x", "٣", "1e3", "9" * 400, "99999", "3"])
def test_wrong_json_length_is_an_error(length: str) -> None:
    with pytest.raises(ProtocolError):
        read_request(write_request(PIXELS, "1").body, length)


@pytest.mark.parametrize("change", [b"", b"more"])
def test_number_of_bytes_must_match_the_shape(change: bytes) -> None:
    message = write_request(PIXELS, "1")
    body = message.body + change if change else message.body[:-1]
    with pytest.raises(ProtocolError, match="2352"):
        read_request(body, message.headers[HEADER_LENGTH])


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
def test_malformed_response_is_an_error(field: str, value: Any) -> None:
    response = response_in_json()
    response["outputs"][0][field] = value
    with pytest.raises(ProtocolError):
        read_response(json.dumps(response).encode(), None)


@pytest.mark.parametrize("field", ["model_name", "model_version"])
def test_response_must_name_model_and_version(field: str) -> None:
    response = response_in_json()
    del response[field]
    with pytest.raises(ProtocolError, match="strings"):
        read_response(json.dumps(response).encode(), None)


def test_metadata_contain_the_card() -> None:
    card = dataclasses.replace(CARD, temperature=1.25)
    assert read_metadata(json.dumps(write_metadata(card)).encode()) == card
    in_tritons_way = {"parameters": {"card": {"string_value": card.text()}}}
    assert read_metadata(json.dumps(in_tritons_way).encode()) == card


@pytest.mark.parametrize("parameters", [None, [], {}, {"card": None}, {"card": {}}])
def test_metadata_may_lack_a_card(parameters: object) -> None:
    assert read_metadata(json.dumps({"parameters": parameters}).encode()) is None


@pytest.mark.parametrize("card", ["", "{}", "[]", 5, "null"])
def test_malformed_card_is_an_error(card: object) -> None:
    with pytest.raises(ProtocolError, match="card"):
        read_metadata(json.dumps({"parameters": {"card": card}}).encode())
