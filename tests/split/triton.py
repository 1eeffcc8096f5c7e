"""`make test-split`: our client against NVIDIA's server, which serves what `models export --triton` writes.

The server's binary is that of the wheel nvidia-pytriton, which brings Triton's Python backend and no PyTorch
backend. Then a model that loads the exported file stands for the latter; all else of the repository stays.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import urllib3

from mnistweb.recognition.answer import RecognitionError
from mnistweb.recognition.drawing import read_drawing
from mnistweb.recognition.preprocessing import normalise
from mnistweb.recognition.protocol import read_reply, write_question
from mnistweb.recognition.recognizer import Recognizer, load_all
from mnistweb.recognition.remote import ModelServer, RemoteNetwork
from mnistweb.recognition.triton import write_repository
from mnistweb.recognition.wire import HEADER_LENGTH, OUTPUT, pack, unpack
from mnistweb.recognition.zoo import WEIGHTS
from tests.deploy.site import ROOT, free_port
from tests.drawings import digit_png
from tests.split.server import is_ready

FOLDER = Path(os.environ.get("TRITON") or ROOT / ".venv" / ".triton" / "pytriton" / "tritonserver")
PATIENCE = 240
"""Seconds for the start of a process with torch for each network; a tenth of it where nothing else runs."""
IMAGES = np.stack([normalise(read_drawing(digit_png(digit), 10**6)) for digit in range(10)])
WORKER = """
import sys
import numpy, torch

torch.set_num_threads(1)
network = torch.jit.load(sys.argv[1]).eval()
sys.stdout.buffer.write(b"!")
sys.stdout.buffer.flush()
with torch.inference_mode():
    while count := int.from_bytes(sys.stdin.buffer.read(4), "big"):
        images = numpy.frombuffer(sys.stdin.buffer.read(count * 784), numpy.uint8).reshape(count, 28, 28)
        sys.stdout.buffer.write(network(torch.from_numpy(images.copy())).numpy().tobytes())
        sys.stdout.buffer.flush()
"""
# torch is in a process of its own, for it does not bear what Triton's process is linked with.
MODEL = f"""
import subprocess
import numpy
import triton_python_backend_utils as triton

class TritonPythonModel:
    def initialize(self, args):
        file = args["model_repository"] + "/" + args["model_version"] + "/model.pt"
        self.worker = subprocess.Popen(
            [{sys.executable!r}, "-W", "ignore", "-c", {WORKER!r}, file],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )
        assert self.worker.stdout.read(1)  # it is ready

    def execute(self, requests):
        return [self.answer(triton.get_input_tensor_by_name(each, "INPUT__0")) for each in requests]

    def answer(self, tensor):
        images = tensor.as_numpy()
        self.worker.stdin.write(len(images).to_bytes(4, "big") + images.tobytes())
        self.worker.stdin.flush()
        logits = numpy.frombuffer(self.worker.stdout.read(len(images) * 44), numpy.float32).reshape(-1, 11)
        return triton.InferenceResponse([triton.Tensor("OUTPUT__0", logits)])

    def finalize(self):
        self.worker.stdin.close()
        self.worker.wait(10)
"""


@pytest.fixture(scope="module")
def networks() -> dict[str, Recognizer]:
    return load_all(WEIGHTS)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where Triton listens."""
    if not FOLDER.is_dir():
        pytest.skip("the wheel nvidia-pytriton, which holds Triton, cannot be had here")
    folder = tmp_path_factory.mktemp("triton")
    write_repository(WEIGHTS, folder)
    if not (FOLDER / "backends" / "pytorch").is_dir():
        use_python_backend(folder)
    port = free_port()
    command = [str(FOLDER / "bin" / "tritonserver"), "--model-repository", str(folder)]
    command += ["--backend-directory", str(FOLDER / "backends"), "--http-address", "127.0.0.1"]
    command += ["--http-port", str(port), "--allow-grpc", "false", "--allow-metrics", "false"]
    # The configuration is complete, and a busy machine imports torch for a while.
    command += [
        "--disable-auto-complete-config",
        "--backend-config",
        f"python,stub-timeout-seconds={PATIENCE}",
    ]
    environment = os.environ | {
        "LD_LIBRARY_PATH": str(sysconfig.get_config_var("LIBDIR")),
        "OMP_NUM_THREADS": "1",
    }
    (FOLDER / "bin" / "tritonserver").chmod(0o755)
    with (folder / "log").open("w+") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)
        try:
            address = f"http://127.0.0.1:{port}"
            ends = time.monotonic() + PATIENCE
            while not is_ready(address):
                assert process.poll() is None, (folder / "log").read_text()
                assert time.monotonic() < ends, (folder / "log").read_text()
                time.sleep(0.5)
            yield address
        finally:
            process.terminate()
            process.wait(timeout=60)


def use_python_backend(folder: Path) -> None:
    """Have the Python backend run the exported files, which stay as they are."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    stub = FOLDER / "python_backend_stubs" / version / "triton_python_backend_stub"
    if not stub.is_file():
        pytest.skip(f"Triton's Python backend knows no Python {version}")
    shutil.copy(stub, FOLDER / "backends" / "python")
    (FOLDER / "backends" / "python" / stub.name).chmod(0o755)
    for file in folder.glob("*/*/model.pt"):
        (file.parent / "model.py").write_text(MODEL)
        configuration = file.parent.parent / "config.pbtxt"
        text, count = re.subn(r"^platform: .*$", 'backend: "python"', configuration.read_text(), flags=re.M)
        assert count == 1
        configuration.write_text(text)


def about(answer: Any) -> tuple[Any, ...]:
    """All of an answer, its numbers to 1e-5."""
    numbers = [*answer.probabilities, answer.confidence, answer.not_a_digit]
    return answer.digit, answer.model, answer.model_version, pytest.approx(numbers, abs=1e-5)


@pytest.mark.parametrize("at_hand", [True, False])
def test_every_network_answers_as_here_with_or_without_its_card(
    address: str, networks: dict[str, Recognizer], at_hand: bool
) -> None:
    cards = {name: network.card for name, network in networks.items()}
    client = ModelServer(address, 20, 1, cards if at_hand else {})
    for network in networks.values():
        remote = RemoteNetwork(network.card, client)
        for image in IMAGES:
            found, expected = remote.recognise(image), network.recognise(image)
            numbers = [*found.probabilities, found.confidence, found.not_a_digit]
            assert (found.digit, found.model, found.model_version, numbers) == about(expected)


@pytest.mark.parametrize("binary", [True, False])
def test_ids_versions_and_tensors_of_both_kinds_come_back(
    address: str, networks: dict[str, Recognizer], binary: bool
) -> None:
    network = networks["lenet5"]
    number = str(int(network.card.version, 16))
    asked = write_question(IMAGES, "of-a-visitor")
    head, tail = unpack(asked.body, asked.headers[HEADER_LENGTH])
    head["outputs"] = [{"name": OUTPUT, "parameters": {"binary_data": binary}}]
    message = pack(head, tail)
    for path in ("/v2/models/lenet5/infer", f"/v2/models/lenet5/versions/{number}/infer"):
        response = urllib3.request("POST", address + path, body=message.body, headers=message.headers)
        header_length = response.headers.get(HEADER_LENGTH)
        assert (header_length is not None) == binary
        reply = read_reply(response.data, header_length)
        assert (reply.model, reply.version, reply.id) == ("lenet5", number, "of-a-visitor")
        assert np.abs(reply.logits - network.logits(IMAGES)).max() < 1e-5


def test_what_is_not_there_is_refused_in_the_protocols_form(
    address: str, networks: dict[str, Recognizer]
) -> None:
    asked = write_question(IMAGES[:1], "x")
    for path in ("/v2/models/nothing/infer", "/v2/models/lenet5/versions/1/infer"):
        response = urllib3.request("POST", address + path, body=asked.body, headers=asked.headers)
        assert response.status in (400, 404)
        assert isinstance(json.loads(response.data)["error"], str)
    client = ModelServer(address, 0.5, 1, {"nothing": networks["lenet5"].card})
    with pytest.raises(RecognitionError) as caught:
        client.recognise("nothing", IMAGES[0])
    assert caught.value.code == "model_unavailable"
