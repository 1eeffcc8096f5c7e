"""`make test-split`: the model server on Ray Serve with its configuration, and the death of a replica."""

import os
import signal
import threading
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from mnistweb.recognition.decoding import read_drawing
from mnistweb.recognition.errors import RecognitionError
from mnistweb.recognition.preprocessing import normalize
from mnistweb.recognition.recognizer import load_all
from mnistweb.recognition.remote.client import ModelServer, RemoteRecognizer
from mnistweb.recognition.zoo import WEIGHTS
from tests.support.drawings import digit_png
from tests.system.split.server import ray_serve, replicas

DEPLOY = Path(__file__).parents[3] / "deploy"
IMAGES = [normalize(read_drawing(digit_png(digit), 10**6)) for digit in range(10)]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, int]]:
    """Start the server; return its address and the process that started it."""
    with ray_serve(tmp_path_factory.mktemp("ray")) as found:
        yield found


def test_kubernetes_configuration_is_valid_for_ray() -> None:
    service = next(yaml.safe_load_all((DEPLOY / "kubernetes" / "model.yaml").read_text()))
    configuration = yaml.safe_load(service["spec"]["serveConfigV2"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # from Ray's use of pydantic
        from ray.serve.schema import ServeDeploySchema
    (application,) = ServeDeploySchema.model_validate(configuration).applications
    assert application.import_path == "mnistweb.model_server.ray_serve:application"


def test_answers_match_the_local_networks(server: tuple[str, int]) -> None:
    networks = load_all(WEIGHTS)
    client = ModelServer(server[0], 10, 1, {name: network.card for name, network in networks.items()})
    for network in networks.values():
        remote = RemoteRecognizer(network.card, client)
        assert [remote.recognize(image) for image in IMAGES] == [network.recognize(image) for image in IMAGES]


def test_death_of_a_replica_loses_no_answer(server: tuple[str, int]) -> None:
    address, starter = server
    network = load_all(WEIGHTS)["cnn"]
    remote = RemoteRecognizer(network.card, ModelServer(address, 10, 4, {"cnn": network.card}))
    expected = [network.recognize(image) for image in IMAGES]
    failures: list[object] = []
    counts = [0] * 4
    stop = threading.Event()

    def ask(worker: int) -> None:
        while not stop.is_set():
            digit = counts[worker] % 10
            try:
                answer = remote.recognize(IMAGES[digit])
            except RecognitionError as error:
                failures.append(error)
            else:
                if answer != expected[digit]:
                    failures.append(answer)
            counts[worker] += 1

    workers = [threading.Thread(target=ask, args=(worker,)) for worker in range(4)]
    for worker in workers:
        worker.start()
    time.sleep(3)
    before = replicas(starter)
    os.kill(before[0], signal.SIGKILL)
    time.sleep(12)
    stop.set()
    for worker in workers:
        worker.join()
    assert len(before) == 2
    assert failures == []
    assert min(counts) > 20
