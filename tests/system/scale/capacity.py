"""Throughput by number of replicas."""

import threading
import time

from mnistweb.recognition.decoding import read_drawing
from mnistweb.recognition.model_card import read_cards
from mnistweb.recognition.preprocessing import normalize
from mnistweb.recognition.remote.client import ModelServer, RemoteRecognizer
from mnistweb.recognition.zoo import WEIGHTS
from tests.support.drawings import digit_png
from tests.system.scale.balancer import BALANCER
from tests.system.scale.cluster import Cluster, wait_for

SECONDS = 10.0
CLIENT_THREADS = 8


def measure(cluster: Cluster, replicas: int, seconds: float = SECONDS) -> str:
    """Scale to `replicas`, send requests from CLIENT_THREADS threads, and return a row of the table.

    The row has requests per second, their times, processor time of all machines for one request, and memory
    of each machine, head first.
    """
    if replicas != cluster.target:
        cluster.scale(replicas)
        wait_for(cluster, f"scaling to {replicas}", cluster.is_complete)
        time.sleep(2)
    cards = read_cards(WEIGHTS)
    network = RemoteRecognizer(cards["cnn"], ModelServer(BALANCER, 18, CLIENT_THREADS, cards))
    image = normalize(read_drawing(digit_png(3), 10**6))
    took: list[float] = []
    before = sum(machine.cpu_seconds() for machine in cluster.machines)
    ends = time.monotonic() + seconds

    def ask() -> None:
        while (started := time.monotonic()) < ends:
            network.recognize(image)
            took.append(time.monotonic() - started)

    threads = [threading.Thread(target=ask) for _ in range(CLIENT_THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if not took:
        return ""
    cpu = sum(machine.cpu_seconds() for machine in cluster.machines) - before
    took.sort()
    median, late = took[len(took) // 2], took[len(took) * 99 // 100]
    memory = " + ".join(f"{machine.memory() / 1e6:.0f}" for machine in cluster.machines)
    return (
        f"{len(took) / seconds:.0f} | {median * 1000:.0f} ms | {late * 1000:.0f} ms"
        f" | {cpu / len(took) * 1000:.1f} ms | {memory} MB"
    )
