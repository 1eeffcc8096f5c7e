"""Faults of the machines, and the condition of recovery for each."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from os import kill
from signal import SIGKILL

import urllib3

from tests.system.scale.balancer import BALANCER, in_use
from tests.system.scale.cluster import CONTROLLER, PROXY, REPLICA, Cluster
from tests.system.scale.machines import Machine

Recovered = Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: `happen` causes it, and returns a function that is true after recovery."""

    name: str
    happen: Callable[[Cluster], Recovered]


def nothing(_: Cluster) -> Recovered:
    """Do nothing, for comparison."""
    return lambda: True


def kill_replica(cluster: Cluster) -> Recovered:
    """Kill one process of a replica."""
    victim = cluster.machines_with_replicas()[0].named(REPLICA)[0]
    with suppress(ProcessLookupError):
        kill(victim, SIGKILL)
    return lambda: victim not in cluster.replicas() and cluster.is_complete()


def kill_machine(cluster: Cluster) -> Recovered:
    """Kill all processes of a machine, which stays off."""
    victim = _with_most(cluster)
    victim.switch_off()
    return lambda: cluster.is_complete()


def machine_back(cluster: Cluster) -> Recovered:
    """Switch the machine on again; its replicas return."""
    returned = next(machine for machine in cluster.workers if not machine.is_on())
    returned.switch_on()
    return lambda: cluster.is_complete() and returned.name in in_use()


def pull_cable(cluster: Cluster) -> Recovered:
    """Disconnect a machine, which goes on working."""
    victim = _with_most(cluster)
    victim.unplug()
    return lambda: victim.name not in in_use() and cluster.is_complete()


def cable_back(cluster: Cluster) -> Recovered:
    """Connect it again; it finds that it was removed, and restarts."""
    returned = next(machine for machine in cluster.workers if not machine.is_plugged())
    before = returned.starts
    returned.plug()
    return lambda: cluster.is_complete() and returned.name in in_use() and returned.starts > before


def kill_head(cluster: Cluster) -> Recovered:
    """Kill all processes of the head, which its supervisor restarts."""
    before, starts = cluster.replicas(), cluster.head.starts
    cluster.head.kill()
    return lambda: (
        cluster.head.starts > starts
        and bool(cluster.head.named(CONTROLLER))
        and bool(cluster.head.named(PROXY))
        and cluster.replicas() == before
    )


def new_version(cluster: Cluster) -> Recovered:
    """Deploy the same network with another calibration and another hash."""
    cluster.use(cluster.newer)

    def all_new() -> bool:
        try:
            answers = [urllib3.request("GET", f"{BALANCER}/v2/models/cnn", retries=False) for _ in range(12)]
        except urllib3.exceptions.HTTPError:
            return False
        return all(
            answer.status == 200 and answer.json()["versions"] == [cluster.newer_version]
            for answer in answers
        )

    return all_new


def scale_down(cluster: Cluster) -> Recovered:
    """Remove one replica, which finishes its requests."""
    cluster.scale(cluster.target - 1)
    return lambda: cluster.is_complete()


def _with_most(cluster: Cluster) -> Machine:
    return max(cluster.machines_with_replicas(), key=lambda machine: len(machine.named(REPLICA)))


FAULTS = (
    Fault("nothing", nothing),
    Fault("replica killed", kill_replica),
    Fault("machine killed", kill_machine),
    Fault("machine comes back", machine_back),
    Fault("cable pulled", pull_cable),
    Fault("cable put in again", cable_back),
    Fault("new version deployed", new_version),
    Fault("scaled down", scale_down),
    Fault("head killed", kill_head),
)
