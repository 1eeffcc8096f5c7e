"""`make test-split`: the model server on Ray Serve as its configuration says, and the death of a replica."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import urllib3

from mnistweb.recognition.answer import RecognitionError
from mnistweb.recognition.drawing import read_drawing
from mnistweb.recognition.preprocessing import normalise
from mnistweb.recognition.recognizer import load_all
from mnistweb.recognition.remote import ModelServer, RemoteNetwork
from mnistweb.recognition.zoo import WEIGHTS
from tests.deploy.site import ROOT, free_port
from tests.drawings import digit_png

PATIENCE = 240
"""Seconds for the start of Ray, its proxy and the replicas; a quarter of it where nothing else runs."""
IMAGES = [normalise(read_drawing(digit_png(digit), 10**6)) for digit in range(10)]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, int]]:
    """The address of the server, and the process that started it."""
    folder = tmp_path_factory.mktemp("ray")
    port = free_port()
    text = (ROOT / "deploy" / "model-server.yaml").read_text()
    config = folder / "model-server.yaml"
    config.write_text(re.sub(r"port: \d+", f"port: {port}", text))
    command = [str(Path(sys.executable).with_name("serve")), "run", str(config)]
    environment = os.environ | {"RAY_USAGE_STATS_ENABLED": "0", "PYTHONPATH": str(ROOT)}
    with (folder / "log").open("w+") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT)
        try:
            address = f"http://127.0.0.1:{port}"
            ends = time.monotonic() + PATIENCE
            while not is_ready(address):
                assert process.poll() is None, (folder / "log").read_text()
                assert time.monotonic() < ends, (folder / "log").read_text()
                time.sleep(0.5)
            yield address, process.pid
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=60)


def is_ready(address: str) -> bool:
    try:
        return urllib3.request("GET", f"{address}/v2/health/ready", retries=False, timeout=2).status == 200
    except urllib3.exceptions.HTTPError:
        return False


def replicas(starter: int) -> list[int]:
    """The processes of the replicas that a process started."""
    parents: dict[int, int] = {}
    names: dict[int, bytes] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            names[int(folder.name)] = (folder / "cmdline").read_bytes()
        except OSError:
            continue

    def descends(process: int) -> bool:
        return process == starter or (process in parents and descends(parents[process]))

    return [pid for pid, name in names.items() if name.startswith(b"ray::ServeReplica") and descends(pid)]


def test_every_network_answers_as_here(server: tuple[str, int]) -> None:
    networks = load_all(WEIGHTS)
    client = ModelServer(server[0], 10, 1, {name: network.card for name, network in networks.items()})
    for network in networks.values():
        remote = RemoteNetwork(network.card, client)
        assert [remote.recognise(image) for image in IMAGES] == [network.recognise(image) for image in IMAGES]


def test_no_answer_is_lost_when_a_replica_dies(server: tuple[str, int]) -> None:
    address, starter = server
    network = load_all(WEIGHTS)["cnn"]
    remote = RemoteNetwork(network.card, ModelServer(address, 10, 4, {"cnn": network.card}))
    expected = [network.recognise(image) for image in IMAGES]
    failures: list[object] = []
    counts = [0] * 4
    stop = threading.Event()

    def ask(worker: int) -> None:
        while not stop.is_set():
            digit = counts[worker] % 10
            try:
                answer = remote.recognise(IMAGES[digit])
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
