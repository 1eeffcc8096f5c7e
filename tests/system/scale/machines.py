"""Machines that are none: network namespaces on a bridge, each with an address and processes of its own."""

import os
import shlex
import shutil
import signal
import socket
import subprocess
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

BRIDGE = "bridge"
HERE = "192.0.2.1"
"""This side of the bridge: the site, its database, the balancer and Redis."""
PAUSE = 1.0
"""Seconds before what ended is started again."""


def ip(*arguments: str) -> str:
    """Run `ip`. Raises CalledProcessError."""
    return subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True).stdout


def make_bridge() -> None:
    """A network for the machines, in the namespace of this process."""
    names = Path("/run/netns")
    names.mkdir(exist_ok=True)
    # Seen by this process and its children alone.
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", str(names)], check=True)
    know_each_other()
    ip("link", "set", "lo", "up")
    ip("link", "add", BRIDGE, "type", "bridge")
    ip("address", "add", f"{HERE}/24", "dev", BRIDGE)
    ip("link", "set", BRIDGE, "up")


def know_each_other() -> None:
    """Names and no name server: each look-up of another would wait for one that cannot be reached."""
    names = Path("/run/netns")
    hosts, servers = names / "hosts", names / "resolv.conf"
    machines = "".join(f"{address_of(number)} {name_of(number)}\n" for number in range(1, 10))
    hosts.write_text(f"127.0.0.1 localhost\n{HERE} {socket.gethostname()}\n{machines}")
    servers.write_text("")
    for file in (hosts, servers):
        subprocess.run(["mount", "--bind", str(file), f"/etc/{file.name}"], check=True)


def name_of(number: int) -> str:
    """The name of a machine, counted from 1."""
    return f"machine-{number}"


def address_of(number: int) -> str:
    """Its address, as in deploy/haproxy.cfg."""
    return f"192.0.2.{10 + number}"


@dataclass
class Machine:
    """A namespace and the one command that runs there, which is started again whenever it ends.

    That is what systemd does on a machine (Restart=always) and Kubernetes with a container. `scratch` is a
    folder for the command, empty at each start.
    """

    name: str
    address: str
    command: Sequence[str]
    environment: Mapping[str, str]
    scratch: Path
    log: Path
    starts: int = 0
    _plugged: bool = True
    _wanted: threading.Event = field(default_factory=threading.Event)
    _keeper: threading.Thread | None = None
    _pid: int = 0

    def connect(self) -> None:
        """Make its namespace, and a cable to the bridge."""
        ip("netns", "add", self.name)
        ip("link", "add", self.cable, "type", "veth", "peer", "name", "eth0", "netns", self.name)
        ip("link", "set", self.cable, "master", BRIDGE)
        ip("link", "set", self.cable, "up")
        ip("-n", self.name, "link", "set", "lo", "up")
        ip("-n", self.name, "address", "add", f"{self.address}/24", "dev", "eth0")
        ip("-n", self.name, "link", "set", "eth0", "up")

    @property
    def cable(self) -> str:
        """This side of its connection to the bridge."""
        return f"to-{self.name}"

    def plug(self) -> None:
        """Put the cable in again."""
        ip("link", "set", self.cable, "up")
        self._plugged = True

    def unplug(self) -> None:
        """Pull the cable: what is sent is lost, and nobody is told."""
        ip("link", "set", self.cable, "down")
        self._plugged = False

    def is_plugged(self) -> bool:
        """Whether others hear it."""
        return self._plugged

    def is_on(self) -> bool:
        """Whether its command shall run."""
        return self._wanted.is_set()

    def has_started(self) -> bool:
        """Whether Ray has."""
        return "will now block" in self.said()

    def said(self) -> str:
        """What its command said."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def switch_on(self) -> None:
        """Run its command from now on."""
        self._wanted.set()
        self._keeper = threading.Thread(target=self._keep, daemon=True)
        self._keeper.start()

    def switch_off(self) -> None:
        """Pull the plug: every process is killed, and none started again."""
        self._wanted.clear()
        self.kill()
        if self._keeper is not None:
            self._keeper.join()
        self.kill()

    def kill(self) -> None:
        """Kill every process; what is wanted starts again."""
        for pid in self.processes():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def processes(self) -> list[int]:
        """All that run there."""
        return [int(pid) for pid in ip("netns", "pids", self.name).split()]

    def named(self, beginning: bytes) -> list[int]:
        """Those whose command line begins so."""
        found = []
        for pid in self.processes():
            with suppress(OSError):
                if Path(f"/proc/{pid}/cmdline").read_bytes().startswith(beginning):
                    found.append(pid)
        return found

    def cpu_seconds(self) -> float:
        """What its processes have taken of the processor."""
        ticks = 0
        for pid in self.processes():
            with suppress(OSError):
                fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
                ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def memory(self) -> int:
        """Bytes that its processes hold, what several share divided among them."""
        kilobytes = 0
        for pid in self.processes():
            with suppress(OSError):
                text = Path(f"/proc/{pid}/smaps_rollup").read_text()
                kilobytes += int(
                    next(line for line in text.splitlines() if line.startswith("Pss:")).split()[1]
                )
        return kilobytes * 1024

    def run(self, command: Sequence[str], timeout: float) -> "subprocess.CompletedProcess[str]":
        """Run another command there beside its own, as an operator would."""
        return subprocess.run(
            ["nsenter", f"--target={self._pid}", "--net", "--mount", "--uts", *command],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=timeout,
        )

    def _keep(self) -> None:
        folders = f"hostname {self.name} && mount -t tmpfs tmpfs /dev/shm && exec {shlex.join(self.command)}"
        while self._wanted.is_set():
            shutil.rmtree(self.scratch, ignore_errors=True)
            self.scratch.mkdir(parents=True, exist_ok=True)
            with self.log.open("ab") as log:
                process = subprocess.Popen(
                    ["ip", "netns", "exec", self.name, "unshare", "--uts", "sh", "-c", folders],
                    env=self.environment,
                    stdout=log,
                    stderr=log,
                    stdin=subprocess.DEVNULL,
                    # Linux shares the processor among sessions: each machine gets as much as the next.
                    start_new_session=True,
                )
                self._pid = process.pid
                self.starts += 1
                process.wait()
            if self._wanted.is_set():
                # What is left of it would be in the way, as in systemd's control group.
                self.kill()
                threading.Event().wait(PAUSE)
