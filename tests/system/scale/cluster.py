"""A Ray cluster on several machines (docs/operations/machines.md): head, workers, Redis, token, balancer."""

import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.system.deploy.site import ROOT
from tests.system.scale.balancer import is_ready
from tests.system.scale.machines import HERE, Machine, make_bridge
from tests.system.scale.nodes import ROOM, machines
from tests.system.scale.programs import beside, program, running, start_redis
from tests.system.scale.versions import make_newer

PATIENCE = 300.0
REPLICA = b"ray::ServeReplica"
CONTROLLER = b"ray::ServeController"
PROXY = b"ray::ProxyActor"


@dataclass
class Cluster:
    """The machines, the head first; `config` is what is deployed on them."""

    folder: Path
    machines: list[Machine]
    config: dict[str, Any]
    newer: Path
    newer_version: str

    @property
    def head(self) -> Machine:
        """Where the cluster is kept."""
        return self.machines[0]

    @property
    def workers(self) -> list[Machine]:
        """Where the networks read."""
        return self.machines[1:]

    @property
    def wanted(self) -> int:
        """How many replicas there shall be."""
        return int(self._deployment["num_replicas"])

    @property
    def _deployment(self) -> dict[str, Any]:
        deployment: dict[str, Any] = self.config["applications"][0]["deployments"][0]
        return deployment

    def scale(self, replicas: int) -> None:
        """So many replicas from now on."""
        self._deployment["num_replicas"] = replicas
        self.deploy()

    def use(self, weights: Path) -> None:
        """Read with other networks from now on."""
        self._deployment["ray_actor_options"]["runtime_env"] = {"env_vars": {"WEIGHTS_PATH": str(weights)}}
        self.deploy()

    def deploy(self) -> None:
        """Tell the cluster what it shall run. Raises RuntimeError."""
        path = self.folder / "model-server.yaml"
        path.write_text(yaml.safe_dump(self.config))
        ends = time.monotonic() + PATIENCE
        while True:
            # As `serve deploy`, which needs Ray's dashboard: nine more processes.
            command = ["run", "--non-blocking", f"--address={self.head.address}:6379", str(path)]
            done = self.head.run([beside("serve"), *command], PATIENCE)
            if done.returncode == 0:
                return
            if time.monotonic() > ends:
                raise RuntimeError(f"serve deploy failed:\n{done.stdout}{done.stderr}")
            time.sleep(2)

    def replicas(self) -> list[int]:
        """The processes that read, on machines that can be reached."""
        return sorted(
            pid for machine in self.workers if machine.is_plugged() for pid in machine.named(REPLICA)
        )

    def machines_with_replicas(self) -> list[Machine]:
        """Those that have any."""
        return [machine for machine in self.workers if machine.named(REPLICA)]

    def is_whole(self) -> bool:
        """Whether as many read as shall, or as there is room for."""
        return len(self.replicas()) == min(self.wanted, self.room())

    def room(self) -> int:
        """For how many replicas there is room on the machines that are there."""
        return ROOM * sum(machine.is_on() and machine.is_plugged() for machine in self.workers)

    def log(self) -> str:
        """The end of what each machine said."""
        return "\n".join(f"--- {machine.name}\n{machine.said()[-1500:]}" for machine in self.machines)


def wait_for(cluster: Cluster, what: str, condition: Callable[[], bool]) -> None:
    """Return when a condition holds. Raises RuntimeError."""
    since = time.monotonic()
    while not condition():
        if time.monotonic() - since > PATIENCE:
            raise RuntimeError(f"{what} did not happen within {PATIENCE:.0f} s\n{cluster.log()}")
        time.sleep(0.25)


@contextmanager
def cluster(folder: Path) -> Iterator[Cluster]:
    """The machines with the model server on them, and the balancer. Raises Missing or RuntimeError."""
    make_bridge()
    password = secrets.token_hex(16)
    redis = start_redis(HERE, folder, password)
    balancer = [program("haproxy"), "-db", "-f", str(ROOT / "deploy" / "haproxy.cfg")]
    # As in a container: reached from outside.
    text = (ROOT / "deploy" / "model-server.yaml").read_text().replace("host: 127.0.0.1", "host: 0.0.0.0")
    newer = folder / "newer"
    made = Cluster(folder, machines(folder, password), yaml.safe_load(text), newer, make_newer(newer))
    with running(redis, folder / "redis.log"), running(balancer, folder / "haproxy.log"):
        for machine in made.machines:
            machine.connect()
        try:
            made.head.switch_on()
            wait_for(made, "the start of the head", made.head.has_started)
            for machine in made.workers:
                machine.switch_on()
            made.deploy()
            wait_for(made, "the start of the replicas", lambda: made.is_whole() and is_ready())
            yield made
        finally:
            for machine in made.machines:
                machine.switch_off()
