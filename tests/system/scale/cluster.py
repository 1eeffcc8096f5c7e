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
from tests.system.scale.machines import HOST_ADDRESS, Machine, make_bridge
from tests.system.scale.nodes import REPLICAS_PER_MACHINE, machines
from tests.system.scale.programs import program, running_program, start_redis, venv_command
from tests.system.scale.versions import make_newer

CLUSTER_TIMEOUT = 300.0
REPLICA = b"ray::ServeReplica"
CONTROLLER = b"ray::ServeController"
PROXY = b"ray::ProxyActor"


@dataclass
class Cluster:
    """The machines, the head first; `config` is the deployed configuration."""

    folder: Path
    machines: list[Machine]
    config: dict[str, Any]
    newer: Path
    newer_version: str

    @property
    def head(self) -> Machine:
        """The machine that keeps the cluster."""
        return self.machines[0]

    @property
    def workers(self) -> list[Machine]:
        """The machines with replicas."""
        return self.machines[1:]

    @property
    def target(self) -> int:
        """The configured number of replicas."""
        return int(self._deployment["num_replicas"])

    @property
    def _deployment(self) -> dict[str, Any]:
        deployment: dict[str, Any] = self.config["applications"][0]["deployments"][0]
        return deployment

    def scale(self, replicas: int) -> None:
        """Change the number of replicas."""
        self._deployment["num_replicas"] = replicas
        self.deploy()

    def use(self, weights: Path) -> None:
        """Change the folder of networks."""
        self._deployment["ray_actor_options"]["runtime_env"] = {"env_vars": {"WEIGHTS_PATH": str(weights)}}
        self.deploy()

    def deploy(self) -> None:
        """Deploy the configuration. Raises RuntimeError."""
        path = self.folder / "model-server.yaml"
        path.write_text(yaml.safe_dump(self.config))
        ends = time.monotonic() + CLUSTER_TIMEOUT
        while True:
            # Equivalent to `serve deploy`, which needs Ray's dashboard: nine more processes.
            command = ["run", "--non-blocking", f"--address={self.head.address}:6379", str(path)]
            done = self.head.run([venv_command("serve"), *command], CLUSTER_TIMEOUT)
            if done.returncode == 0:
                return
            if time.monotonic() > ends:
                raise RuntimeError(f"serve deploy failed:\n{done.stdout}{done.stderr}")
            time.sleep(2)

    def replicas(self) -> list[int]:
        """Return the processes of replicas on reachable machines."""
        return sorted(
            pid for machine in self.workers if machine.is_plugged() for pid in machine.named(REPLICA)
        )

    def machines_with_replicas(self) -> list[Machine]:
        """Return the machines that have replicas."""
        return [machine for machine in self.workers if machine.named(REPLICA)]

    def is_complete(self) -> bool:
        """Return true if all replicas run that are configured and fit."""
        return len(self.replicas()) == min(self.target, self.capacity())

    def capacity(self) -> int:
        """Return the number of replicas that fit on the reachable machines."""
        return REPLICAS_PER_MACHINE * sum(
            machine.is_on() and machine.is_plugged() for machine in self.workers
        )

    def log(self) -> str:
        """Return the end of each machine's output."""
        return "\n".join(f"--- {machine.name}\n{machine.output()[-1500:]}" for machine in self.machines)


def wait_for(cluster: Cluster, what: str, condition: Callable[[], bool]) -> None:
    """Wait for a condition. Raises RuntimeError."""
    since = time.monotonic()
    while not condition():
        if time.monotonic() - since > CLUSTER_TIMEOUT:
            raise RuntimeError(f"{what} did not happen within {CLUSTER_TIMEOUT:.0f} s\n{cluster.log()}")
        time.sleep(0.25)


@contextmanager
def cluster(folder: Path) -> Iterator[Cluster]:
    """Run the machines with the model server, and the balancer. Raises MissingProgram or RuntimeError."""
    make_bridge()
    password = secrets.token_hex(16)
    redis = start_redis(HOST_ADDRESS, folder, password)
    balancer = [program("haproxy"), "-db", "-f", str(ROOT / "deploy" / "haproxy.cfg")]
    # As in a container: reachable from outside.
    text = (ROOT / "deploy" / "model-server.yaml").read_text().replace("host: 127.0.0.1", "host: 0.0.0.0")
    newer = folder / "newer"
    made = Cluster(folder, machines(folder, password), yaml.safe_load(text), newer, make_newer(newer))
    with running_program(redis, folder / "redis.log"), running_program(balancer, folder / "haproxy.log"):
        for machine in made.machines:
            machine.connect()
        try:
            made.head.switch_on()
            wait_for(made, "the start of the head", made.head.has_started)
            for machine in made.workers:
                machine.switch_on()
            made.deploy()
            wait_for(made, "the start of the replicas", lambda: made.is_complete() and is_ready())
            yield made
        finally:
            for machine in made.machines:
                machine.switch_off()
