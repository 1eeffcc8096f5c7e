"""The model server under uvicorn, with NVIDIA's client of the protocol, our client, and hostile requests."""

import asyncio
import json
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tritonclient.http as triton
import urllib3
import uvicorn
from tritonclient.utils import InferenceServerException

from mnistweb.model_server import asgi
from mnistweb.recognition.decoding import read_drawing
from mnistweb.recognition.preprocessing import normalize
from mnistweb.recognition.recognizer import TorchScriptRecognizer
from mnistweb.recognition.remote.client import ModelServer, RemoteRecognizer
from mnistweb.recognition.remote.protocol import read_metadata, write_request
from mnistweb.recognition.remote.tensors import HEADER_LENGTH, MAX_BATCH_SIZE
from mnistweb.recognition.zoo import WEIGHTS
from tests.support.drawings import digit_png

NAMES = ("cnn", "lenet5", "vit")
IMAGES = np.stack([normalize(read_drawing(digit_png(digit), 10**6)) for digit in range(10)])
INFER = "/v2/models/lenet5/infer"


def test_weights_path_is_read_at_start(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    application = asgi.create()
    for kind in ("json", "pt"):
        shutil.copy(WEIGHTS / f"lenet5.{kind}", tmp_path)
    monkeypatch.setenv("WEIGHTS_PATH", str(tmp_path))

    async def names() -> list[str]:
        async with application.router.lifespan_context(application):
            return list(application.state.networks)

    with ThreadPoolExecutor(1) as other:  # without the event loop of a browser test
        assert other.submit(asyncio.run, names()).result() == ["lenet5"]


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    listener = socket.create_server(("127.0.0.1", 0))
    # asyncio sets this only on ports that it opens itself. Without it, headers wait 40 ms for their body.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    server = uvicorn.Server(uvicorn.Config(asgi.create(), log_level="critical", lifespan="on"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    yield f"127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    thread.join()


@pytest.fixture(scope="module")
def client(address: str) -> Iterator[Any]:
    with triton.InferenceServerClient(address) as client:
        yield client


@pytest.fixture(scope="module")
def http(address: str) -> Iterator[urllib3.HTTPConnectionPool]:
    with urllib3.connection_from_url(f"http://{address}") as pool:
        yield pool


@pytest.fixture(scope="module")
def networks() -> dict[str, TorchScriptRecognizer]:
    return {name: TorchScriptRecognizer.load(WEIGHTS / f"{name}.json") for name in NAMES}


def test_metadata_and_readiness(client: Any, networks: dict[str, TorchScriptRecognizer]) -> None:
    assert client.is_server_live()
    assert client.is_server_ready()
    assert "binary_tensor_data" in client.get_server_metadata()["extensions"]
    for name, network in networks.items():
        card = network.card
        assert client.is_model_ready(name)
        assert client.is_model_ready(name, card.version)
        response_json = client.get_model_metadata(name)
        assert (response_json["name"], response_json["versions"]) == (name, [card.version])
        assert response_json["inputs"] == [{"name": "INPUT__0", "datatype": "UINT8", "shape": [-1, 28, 28]}]
        assert response_json["outputs"] == [{"name": "OUTPUT__0", "datatype": "FP32", "shape": [-1, 11]}]
        assert read_metadata(json.dumps(client.get_model_metadata(name, card.version)).encode()) == card


def test_unknown_model_or_version_is_not_ready(client: Any) -> None:
    assert not client.is_model_ready("nothing")
    assert not client.is_model_ready("cnn", "1")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("binary_in", [True, False])
@pytest.mark.parametrize("binary_out", [True, False])
def test_logits_match_the_local_network(
    client: Any, networks: dict[str, TorchScriptRecognizer], name: str, binary_in: bool, binary_out: bool
) -> None:
    tensor = triton.InferInput("INPUT__0", list(IMAGES.shape), "UINT8")
    tensor.set_data_from_numpy(IMAGES, binary_data=binary_in)
    wanted = triton.InferRequestedOutput("OUTPUT__0", binary_data=binary_out)
    version = networks[name].card.version
    result = client.infer(name, [tensor], model_version=version, outputs=[wanted], request_id="mine")
    logits = networks[name].logits(IMAGES)
    assert np.array_equal(result.as_numpy("OUTPUT__0"), logits)
    response_json = result.get_response()
    assert (response_json["id"], response_json["model_name"], response_json["model_version"]) == (
        "mine",
        name,
        version,
    )


def test_output_and_id_are_optional(client: Any, networks: dict[str, TorchScriptRecognizer]) -> None:
    tensor = triton.InferInput("INPUT__0", [1, 28, 28], "UINT8")
    tensor.set_data_from_numpy(IMAGES[:1])
    result = client.infer("cnn", [tensor])
    assert np.array_equal(result.as_numpy("OUTPUT__0"), networks["cnn"].logits(IMAGES[:1]))
    assert "id" not in result.get_response()


@pytest.mark.parametrize(
    ("shape", "datatype"), [([1, 28, 29], "UINT8"), ([1, 28, 28], "FP32"), ([28, 28], "UINT8")]
)
def test_wrong_tensor_is_a_bad_request(client: Any, shape: list[int], datatype: str) -> None:
    tensor = triton.InferInput("INPUT__0", shape, datatype)
    tensor.set_data_from_numpy(np.zeros(shape, np.uint8 if datatype == "UINT8" else np.float32))
    with pytest.raises(InferenceServerException, match="must be") as caught:
        client.infer("cnn", [tensor])
    assert caught.value.status() == "400"


@pytest.mark.parametrize("digit", range(10))
def test_remote_recognizer_matches_the_local_one(
    address: str, networks: dict[str, TorchScriptRecognizer], digit: int
) -> None:
    network = networks["vit"]
    remote = RemoteRecognizer(network.card, ModelServer(f"http://{address}", 5, 1, {"vit": network.card}))
    assert remote.recognize(IMAGES[digit]) == network.recognize(IMAGES[digit])


def infer_body(**fields: Any) -> bytes:
    tensor = {"name": "INPUT__0", "shape": [1, 28, 28], "datatype": "UINT8", "data": [0] * 784} | fields
    return json.dumps({"inputs": [tensor]}).encode()


@pytest.mark.parametrize(
    ("method", "path", "body", "headers", "status"),
    [
        ("GET", "/", b"", {}, 404),
        ("GET", "/v2/models/..%2f..%2fetc", b"", {}, 404),
        ("GET", "/v2/models/nothing", b"", {}, 404),
        ("GET", "/v2/models/cnn/versions/1", b"", {}, 404),
        ("GET", "/v2/models/cnn/versions/1/ready", b"", {}, 404),
        ("GET", INFER, b"", {}, 405),
        ("POST", "/v2", b"", {}, 405),
        ("POST", "/v2/models/nothing/infer", infer_body(), {}, 404),
        ("POST", "/v2/models/lenet5/versions/1/infer", infer_body(), {}, 404),
        ("POST", INFER, b"", {}, 400),
        ("POST", INFER, b"{}", {}, 400),
        ("POST", INFER, b"\x00" * 1000, {}, 400),
        ("POST", INFER, infer_body(), {"Content-Encoding": "gzip"}, 415),
        ("POST", INFER, infer_body(shape=[10**9, 28, 28]), {}, 400),
        ("POST", INFER, infer_body(), {HEADER_LENGTH: "1000000"}, 400),
        ("POST", INFER, infer_body(), {HEADER_LENGTH: "x"}, 400),
        ("POST", INFER, write_request(IMAGES, "1").body[:-1], {HEADER_LENGTH: "201"}, 400),
        ("POST", INFER, b" " * (asgi.MAX_BODY_BYTES + 1), {}, 413),
    ],
)
def test_errors_have_the_protocols_form(
    http: urllib3.HTTPConnectionPool,
    method: str,
    path: str,
    body: bytes,
    headers: dict[str, str],
    status: int,
) -> None:
    response = http.request(method, path, body=body, headers=headers, retries=False)
    assert response.status == status
    assert response.headers["Content-Type"] == "application/json"
    response_json = response.json()
    assert set(response_json) == {"error"}
    assert isinstance(response_json["error"], str)
    assert http.request("POST", INFER, body=infer_body(), retries=False).status == 200


@pytest.mark.parametrize("media_type", ["text/plain", ""])
def test_id_and_content_type_are_optional(http: urllib3.HTTPConnectionPool, media_type: str) -> None:
    response = http.request("POST", INFER, body=infer_body(), headers={"Content-Type": media_type})
    assert response.status == 200
    assert "id" not in response.json()


def test_maximum_number_of_images_is_accepted(http: urllib3.HTTPConnectionPool) -> None:
    images = np.zeros((MAX_BATCH_SIZE, 28, 28), np.uint8)
    message = write_request(images, "many")
    response = http.request("POST", INFER, body=message.body, headers=message.headers)
    assert response.json()["outputs"][0]["shape"] == [MAX_BATCH_SIZE, 11]


def test_internal_error_hides_its_details(
    http: urllib3.HTTPConnectionPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise LookupError("an internal detail")

    monkeypatch.setattr(asgi, "write_response", broken)
    # After a 500 the server closes the connection, which the next test would get from the pool.
    closing = {"Connection": "close"}
    response = http.request("POST", INFER, body=infer_body(), headers=closing, retries=False)
    assert response.status == 500
    assert response.json() == {"error": "internal server error"}


def test_log_line_has_request_id_and_trace(
    http: urllib3.HTTPConnectionPool,
    networks: dict[str, TorchScriptRecognizer],
    caplog: pytest.LogCaptureFixture,
) -> None:
    message = write_request(IMAGES, "of-a-visitor")
    trace, parent = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
    headers = message.headers | {"traceparent": f"00-{trace}-{parent}-01"}
    with caplog.at_level("INFO", "mnistweb.model_server"):
        http.request("POST", INFER, body=message.body, headers=headers)
    (record,) = (record for record in caplog.records if record.name == "mnistweb.model_server")
    response_json = vars(record)
    assert (response_json["request_id"], response_json["images"]) == ("of-a-visitor", len(IMAGES))
    assert (response_json["model"], response_json["version"]) == ("lenet5", networks["lenet5"].card.version)
    assert (response_json["trace_id"], response_json["parent_id"]) == (trace, parent)
    assert 0 < response_json["milliseconds"] < 10_000


def test_hostile_id_and_trace_are_shortened_or_dropped(
    http: urllib3.HTTPConnectionPool, caplog: pytest.LogCaptureFixture
) -> None:
    message = write_request(IMAGES, "x\n" + "y" * 1000)
    with caplog.at_level("INFO", "mnistweb.model_server"):
        http.request("POST", INFER, body=message.body, headers=message.headers | {"traceparent": "x" * 1000})
    (record,) = (record for record in caplog.records if record.name == "mnistweb.model_server")
    assert len(vars(record)["request_id"]) == 64
    assert "trace_id" not in vars(record)


LOGGING = """
from mnistweb.model_server import request_log as log
log.configure()
log.logger.info("answered", extra={"request_id": "x\\ny"})
"""


@pytest.mark.process
def test_log_lines_are_json() -> None:
    found = subprocess.run([sys.executable, "-c", LOGGING], capture_output=True, text=True, check=True)
    response_json = json.loads(found.stderr)
    assert (response_json["level"], response_json["message"], response_json["request_id"]) == (
        "INFO",
        "answered",
        "x\ny",
    )
    assert response_json["time"]
