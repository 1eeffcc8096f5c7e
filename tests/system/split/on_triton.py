"""`make test-split`: our client and the exported repository with NVIDIA's Triton Inference Server.

The server comes from the wheel nvidia-pytriton, which has Triton's Python backend but no PyTorch backend. A
few lines of Python run the exported files instead. The rest of the repository is unchanged.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import urllib3
from numpy.typing import NDArray

from mnistweb.recognition.decoding import read_drawing
from mnistweb.recognition.errors import RecognitionError
from mnistweb.recognition.model_card import ModelCard, version_number
from mnistweb.recognition.preprocessing import normalize
from mnistweb.recognition.recognizer import TorchScriptRecognizer, load_all
from mnistweb.recognition.remote import triton
from mnistweb.recognition.remote.client import ModelServer, RemoteRecognizer
from mnistweb.recognition.remote.protocol import read_response, write_request
from mnistweb.recognition.remote.tensors import HEADER_LENGTH, INPUT, OUTPUT, Message, pack, unpack
from mnistweb.recognition.remote.triton import write_repository, write_version
from mnistweb.recognition.types import Answer
from mnistweb.recognition.zoo import WEIGHTS
from tests.support.drawings import digit_png
from tests.support.networks import other_version
from tests.system.deploy.site import ROOT, free_port
from tests.system.split.server import START_TIMEOUT, running_server

TRITON = Path(os.environ.get("TRITON") or ROOT / ".venv" / ".triton" / "pytriton" / "tritonserver")
IMAGES = np.stack([normalize(read_drawing(digit_png(digit), 10**6)) for digit in range(10)])
NAMES = ["cnn", "lenet5", "vit"]
ID = "of-a-visitor"
# DLPack, because the backend was built for NumPy 1 and misreads arrays of NumPy 2.
MODEL = f"""
import torch
import triton_python_backend_utils as triton

class TritonPythonModel:
    def initialize(self, args):
        torch.set_num_threads(1)
        folder = f"{{args['model_repository']}}/{{args['model_version']}}"
        self.network = torch.jit.load(f"{{folder}}/model.pt").eval()

    def execute(self, requests):
        return [self.answer(triton.get_input_tensor_by_name(each, "{INPUT}")) for each in requests]

    def answer(self, images):
        with torch.inference_mode():
            logits = self.network(torch.from_dlpack(images))
        return triton.InferenceResponse([triton.Tensor.from_dlpack("{OUTPUT}", logits)])
"""


@pytest.fixture(scope="module")
def networks() -> dict[str, TorchScriptRecognizer]:
    return load_all(WEIGHTS)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start Triton and return its address."""
    folder = tmp_path_factory.mktemp("triton")
    write_repository(WEIGHTS, folder)
    use_python_backend(folder)
    with running_triton(folder) as address:
        yield address


@contextmanager
def running_triton(folder: Path, *options: str) -> Iterator[str]:
    """Run Triton with a model repository; its address."""
    # The backend starts the first Python in PATH, and links with its library.
    environment = {
        "LD_LIBRARY_PATH": str(sysconfig.get_config_var("LIBDIR")),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "OMP_NUM_THREADS": "1",
    }
    prepare_python_backend(environment)
    port = free_port()
    command = [str(TRITON / "bin" / "tritonserver"), f"--backend-directory={TRITON / 'backends'}"]
    command += [f"--model-repository={folder}", "--allow-grpc=false", "--allow-metrics=false"]
    command += ["--http-address=127.0.0.1", f"--http-port={port}", *options]
    # The configuration is complete, and a busy machine needs long to import torch.
    command += [
        "--disable-auto-complete-config",
        f"--backend-config=python,stub-timeout-seconds={START_TIMEOUT}",
    ]
    address = f"http://127.0.0.1:{port}"
    with running_server(command, address, folder / "log", environment):
        yield address


def prepare_python_backend(environment: dict[str, str]) -> None:
    """Copy the backend's stub for this version of Python to Triton's folder."""
    if not TRITON.is_dir():
        pytest.skip(
            f"{TRITON} is missing: the wheel nvidia-pytriton, which contains Triton, is not installed"
        )
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    stub = TRITON / "python_backend_stubs" / version / "triton_python_backend_stub"
    if not stub.is_file():
        pytest.skip(f"Triton's Python backend in the wheel does not support Python {version}")
    if subprocess.run([stub], env=os.environ | environment, capture_output=True).returncode == 127:
        pytest.skip("Triton's Python backend needs Python as a shared library, which is missing")
    if not (TRITON / "backends" / "python" / stub.name).exists():  # a Triton that is ending may still run it
        shutil.copy(stub, TRITON / "backends" / "python")


def use_python_backend(folder: Path) -> None:
    """Let the Python backend run the exported files: one line of each configuration changes."""
    for file in folder.glob("*/*/model.pt"):
        (file.parent / "model.py").write_text(MODEL)
        configuration = file.parent.parent / "config.pbtxt"
        text, count = re.subn(r"^platform: .*$", 'backend: "python"', configuration.read_text(), flags=re.M)
        assert count == 1
        configuration.write_text(text)


def ask(address: str, path: str, message: Message) -> urllib3.BaseHTTPResponse:
    """Send a request to Triton."""
    return urllib3.request("POST", address + path, body=message.body, headers=message.headers, timeout=60)


def as_json(message: Message, images: NDArray[np.uint8]) -> Message:
    """Convert a request to one with its images as numbers in the JSON."""
    head, _ = unpack(message.body, message.headers[HEADER_LENGTH])
    del head["inputs"][0]["parameters"]
    head["inputs"][0]["data"] = images.ravel().tolist()
    return pack(head)


def as_bytes(message: Message) -> Message:
    """Convert a request to one with an answer in bytes."""
    head, tail = unpack(message.body, message.headers.get(HEADER_LENGTH))
    head["outputs"][0]["parameters"]["binary_data"] = True
    return pack(head, tail)


def comparable(answer: Answer) -> tuple[Any, ...]:
    """Return all fields of an answer, the numbers with a tolerance of 1e-5."""
    numbers = [*answer.probabilities, answer.confidence, answer.not_a_digit]
    return answer.digit, answer.model, answer.model_version, pytest.approx(numbers, abs=1e-5)


@pytest.mark.parametrize("has_card", [True, False], ids=["local card", "card from Triton"])
@pytest.mark.parametrize("name", NAMES)
def test_answers_match_the_local_network(
    address: str, networks: dict[str, TorchScriptRecognizer], name: str, has_card: bool
) -> None:
    network = networks[name]
    client = ModelServer(address, 20, 1, {name: network.card} if has_card else {}, lambda: ID)
    remote = RemoteRecognizer(network.card, client)
    for image in IMAGES:
        found = remote.recognize(image)
        numbers = [*found.probabilities, found.confidence, found.not_a_digit]
        assert (found.digit, found.model, found.model_version, numbers) == comparable(
            network.recognize(image)
        )


@pytest.mark.parametrize("answered_in_bytes", [False, True], ids=["JSON back", "bytes back"])
@pytest.mark.parametrize("asked_in_bytes", [False, True], ids=["JSON there", "bytes there"])
@pytest.mark.parametrize("count", [1, 7])
@pytest.mark.parametrize("name", NAMES)
def test_reply_has_logits_id_and_version(
    address: str,
    networks: dict[str, TorchScriptRecognizer],
    name: str,
    count: int,
    asked_in_bytes: bool,
    answered_in_bytes: bool,
) -> None:
    images, card = IMAGES[:count], networks[name].card
    message = write_request(images, ID)
    message = message if asked_in_bytes else as_json(message, images)
    message = as_bytes(message) if answered_in_bytes else message
    number = str(version_number(card.version))
    for place in (f"/v2/models/{name}", f"/v2/models/{name}/versions/{number}"):
        response = ask(address, f"{place}/infer", message)
        header_length = response.headers.get(HEADER_LENGTH)
        assert (response.status, header_length is not None) == (200, answered_in_bytes)
        reply = read_response(response.data, header_length)
        assert (reply.model, reply.version, reply.id) == (name, number, ID)
        assert reply.logits.shape == (count, 11)
        assert np.abs(reply.logits - networks[name].logits(images)).max() < 1e-5


@pytest.mark.parametrize("shape", [(1, 27, 28), (1, 784), (28, 28), (1, 1, 28, 28)])
def test_wrong_shape_is_a_bad_request(address: str, shape: tuple[int, ...]) -> None:
    response = ask(address, "/v2/models/lenet5/infer", write_request(np.zeros(shape, np.uint8), ID))
    assert response.status == 400
    assert "shape" in json.loads(response.data)["error"]


@pytest.mark.parametrize("place", ["nothing", "lenet5/versions/1"])
def test_unknown_model_or_version_is_an_error(address: str, place: str) -> None:
    response = ask(address, f"/v2/models/{place}/infer", write_request(IMAGES[:1], ID))
    assert response.status in (400, 404)
    assert place.split("/")[0] in json.loads(response.data)["error"]


def test_client_reports_a_missing_model(
    address: str, networks: dict[str, TorchScriptRecognizer], caplog: pytest.LogCaptureFixture
) -> None:
    client = ModelServer(address, 2, 1, {"nothing": networks["lenet5"].card})
    with pytest.raises(RecognitionError) as caught:
        client.recognize("nothing", IMAGES[0])
    assert caught.value.code == "model_unavailable"
    assert re.search(r"The model server failed with status 40[04]\.", caplog.text)


@pytest.mark.parametrize("mode", ["poll", "explicit"])
def test_a_new_version_is_taken_up_without_a_failed_request(
    networks: dict[str, TorchScriptRecognizer], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    file, card = other_version("lenet5")
    known = {each.version: each for each in (networks["lenet5"].card, card)}
    numbers = {str(version_number(version)): version for version in known}
    use_python_backend_from_now_on(monkeypatch)
    write_python_version(tmp_path, networks["lenet5"].card, (WEIGHTS / "lenet5.pt").read_bytes())
    options = {
        "poll": ["--model-control-mode=poll", "--repository-poll-secs=1"],
        "explicit": ["--model-control-mode=explicit", "--load-model=lenet5"],
    }
    answers: list[tuple[float, int, str]] = []
    with running_triton(tmp_path, *options[mode]) as address:
        stopping = threading.Event()

        def keep_asking() -> None:
            while not stopping.is_set():
                sent = time.monotonic()
                response = ask(address, "/v2/models/lenet5/infer", write_request(IMAGES[:1], ID))
                version = ""
                if response.status == 200:
                    reply = read_response(response.data, response.headers.get(HEADER_LENGTH))
                    version = numbers[reply.version]
                answers.append((sent, response.status, version))

        threads = [threading.Thread(target=keep_asking) for _ in range(2)]
        for thread in threads:
            thread.start()
        changed = []
        for content, each in ((file, card), ((WEIGHTS / "lenet5.pt").read_bytes(), networks["lenet5"].card)):
            time.sleep(2)
            changed.append(time.monotonic())
            write_python_version(tmp_path, each, content)
            if mode == "explicit":
                loaded = ask(address, "/v2/repository/models/lenet5/load", Message(b"{}", {}))
                assert loaded.status == 200
            until = time.monotonic() + 60
            while answers[-1][2] != each.version and time.monotonic() < until:
                time.sleep(0.05)
        time.sleep(1)
        stopping.set()
        for thread in threads:
            thread.join()
    for moment, version in zip(changed, known, strict=True):
        late = [sent - moment for sent, _, found in answers if sent > moment and found == version]
        print(f"{mode}: in place of {version} after {max(late, default=0):.1f} s, {len(answers)} requests")
    assert {status for _, status, _ in answers} == {200}
    assert {version for _, _, version in answers} == {*known}


def use_python_backend_from_now_on(monkeypatch: pytest.MonkeyPatch) -> None:
    changed = re.sub(r"^platform: .*$", 'backend: "python"', triton.CONFIGURATION, flags=re.M)
    monkeypatch.setattr(triton, "CONFIGURATION", changed)


def write_python_version(folder: Path, card: ModelCard, file: bytes) -> None:
    """Write a version into a repository, with the lines that run it before the configuration names it."""
    place = folder / card.name / str(version_number(card.version))
    place.mkdir(parents=True, exist_ok=True)
    (place / "model.py").write_text(MODEL)
    write_version(folder, card, file)
