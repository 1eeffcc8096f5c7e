"""`make test-split`: the model server on Ray Serve with its configuration, a death and a new version."""

import os
import signal
import threading
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

import flask_migrate
import pytest
import yaml

from mnistweb.app import create_database_app
from mnistweb.extensions import db
from mnistweb.recognition.decoding import read_drawing
from mnistweb.recognition.errors import RecognitionError
from mnistweb.recognition.preprocessing import normalize
from mnistweb.recognition.recognizer import TorchScriptRecognizer, load_all
from mnistweb.recognition.remote.client import ModelServer, RemoteRecognizer
from mnistweb.recognition.zoo import WEIGHTS
from mnistweb.registry.versions import add_version, promote, rollback
from tests.support.drawings import digit_png
from tests.support.networks import other_version
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


def test_a_new_version_loses_no_answer(tmp_path: Path) -> None:
    file, card = other_version("cnn")
    url = f"sqlite:///{tmp_path / 'site.sqlite3'}"
    installed = load_all(WEIGHTS)["cnn"]
    networks = {each.card.version: each for each in (installed, TorchScriptRecognizer.from_bytes(card, file))}
    operator = create_database_app({"DATABASE_URL": url, "INSTANCE_PATH": str(tmp_path)})
    told: list[tuple[float, str]] = []
    failures: list[object] = []
    stop = threading.Event()

    def ask(remote: RemoteRecognizer) -> None:
        while not stop.is_set():
            sent = time.monotonic()
            try:
                answer = remote.recognize(IMAGES[3])
            except RecognitionError as error:
                failures.append(error)
                continue
            if answer != networks[answer.model_version].recognize(IMAGES[3]):
                failures.append(answer)
            told.append((sent, answer.model_version))

    with operator.app_context():
        flask_migrate.upgrade()
        add_version(file, card, None, None, "ada")
        with ray_serve(tmp_path, DATABASE_URL=url) as (address, _):
            remote = RemoteRecognizer(installed.card, ModelServer(address, 10, 4, {"cnn": installed.card}))
            workers = [threading.Thread(target=ask, args=(remote,)) for _ in range(4)]
            for worker in workers:
                worker.start()
            time.sleep(2)
            promoted = promote("cnn", card.version, None, by="ada", reason="a test", force=True)
            changes = [(promoted.version, time.monotonic())]
            time.sleep(10)
            changes.append((rollback("cnn", by="ada").version, time.monotonic()))
            time.sleep(10)
            stop.set()
            for worker in workers:
                worker.join()
        db.engine.dispose()
    assert failures == []
    for (version, moment), end in zip(changes, (changes[1][1], time.monotonic()), strict=True):
        late = [sent - moment for sent, found in told if moment < sent < end and found != version]
        print(f"{len(told)} answers, {version} after {max(late, default=0):.1f} s")
        assert told
        assert max(late, default=0) < 10
