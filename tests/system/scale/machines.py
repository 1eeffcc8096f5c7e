"""Simulated machines: network namespaces on a bridge, each with an address and processes of its own."""

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
HOST_ADDRESS = "192.0.2.1"
"""Address of this side of the bridge: the site, its database, the balancer and Redis."""
RESTART_DELAY = 1.0
"""Seconds before an ended process is restarted."""


def ip(*arguments: str) -> str:
    """Run `ip`. Raises CalledProcessError."""
    return subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True).stdout


def make_bridge() -> None:
    """Create a network for the machines, in the namespace of this process."""
    names = Path("/run/netns")
    names.mkdir(exist_ok=True)
    # Visible to this process and its children only.
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", str(names)], check=True)
    write_hosts_files()
    ip("link", "set", "lo", "up")
    ip("link", "add", BRIDGE, "type", "bridge")
    ip("address", "add", f"{HOST_ADDRESS}/24", "dev", BRIDGE)
    ip("link", "set", BRIDGE, "up")


def write_hosts_files() -> None:
    """Set host names and remove the name server, since each look-up would wait for a timeout."""
    names = Path("/run/netns")
    hosts, servers = names / "hosts", names / "resolv.conf"
    machines = "".join(f"{address_of(number)} {name_of(number)}\n" for number in range(1, 10))
    hosts.write_text(f"127.0.0.1 localhost\n{HOST_ADDRESS} {socket.gethostname()}\n{machines}")
    servers.write_text("")
    for file in (hosts, servers):
        subprocess.run(["mount", "--bind", str(file), f"/etc/{file.name}"], check=True)


def name_of(number: int) -> str:
    """Return the name of a machine, counted from 1."""
    return f"machine-{number}"


def address_of(number: int) -> str:
    """Return the address of a machine, as in deploy/haproxy.cfg."""
    return f"192.0.2.{10 + number}"


@dataclass
class Machine:
    """A namespace and its one command, which is restarted whenever it ends.

    So do systemd (Restart=always) and Kubernetes. `scratch` is a folder for the command, empty at each start.
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
    _supervisor: threading.Thread | None = None
    _pid: int = 0

    def connect(self) -> None:
        """Create the namespace, and a cable to the bridge."""
        ip("netns", "add", self.name)
        ip("link", "add", self.cable, "type", "veth", "peer", "name", "eth0", "netns", self.name)
        ip("link", "set", self.cable, "master", BRIDGE)
        ip("link", "set", self.cable, "up")
        ip("-n", self.name, "link", "set", "lo", "up")
        ip("-n", self.name, "address", "add", f"{self.address}/24", "dev", "eth0")
        ip("-n", self.name, "link", "set", "eth0", "up")

    @property
    def cable(self) -> str:
        """Name of this side of its connection to the bridge."""
        return f"to-{self.name}"

    def plug(self) -> None:
        """Connect the cable."""
        ip("link", "set", self.cable, "up")
        self._plugged = True

    def unplug(self) -> None:
        """Disconnect the cable: packets are lost without notice."""
        ip("link", "set", self.cable, "down")
        self._plugged = False

    def is_plugged(self) -> bool:
        """Return true if the cable is connected."""
        return self._plugged

    def is_on(self) -> bool:
        """Return true if the command should run."""
        return self._wanted.is_set()

    def has_started(self) -> bool:
        """Return true if Ray has started."""
        return "will now block" in self.output()

    def output(self) -> str:
        """Return the output of the command."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def switch_on(self) -> None:
        """Run the command, and restart it when it ends."""
        self._wanted.set()
        self._supervisor = threading.Thread(target=self._supervise, daemon=True)
        self._supervisor.start()

    def switch_off(self) -> None:
        """Kill all processes, and restart none."""
        self._wanted.clear()
        self.kill()
        if self._supervisor is not None:
            self._supervisor.join()
        self.kill()

    def kill(self) -> None:
        """Kill all processes; the command is restarted if the machine is on."""
        for pid in self.processes():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def processes(self) -> list[int]:
        """Return the ids of all processes in the namespace."""
        return [int(pid) for pid in ip("netns", "pids", self.name).split()]

    def named(self, beginning: bytes) -> list[int]:
        """Return the processes whose command line begins with `beginning`."""
        found = []
        for pid in self.processes():
            with suppress(OSError):
                if Path(f"/proc/{pid}/cmdline").read_bytes().startswith(beginning):
                    found.append(pid)
        return found

    def cpu_seconds(self) -> float:
        """Return the processor time of all processes, in seconds."""
        ticks = 0
        for pid in self.processes():
            with suppress(OSError):
                fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
                ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def memory(self) -> int:
        """Return the memory of all processes in bytes; shared memory is divided among its users."""
        kilobytes = 0
        for pid in self.processes():
            with suppress(OSError):
                text = Path(f"/proc/{pid}/smaps_rollup").read_text()
                kilobytes += int(
                    next(line for line in text.splitlines() if line.startswith("Pss:")).split()[1]
                )
        return kilobytes * 1024

    def run(self, command: Sequence[str], timeout: float) -> "subprocess.CompletedProcess[str]":
        """Run another command in the namespace, as an operator would."""
        return subprocess.run(
            ["nsenter", f"--target={self._pid}", "--net", "--mount", "--uts", *command],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=timeout,
        )

    def _supervise(self) -> None:
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
                    # Linux divides processor time by session, so all machines get the same share.
                    start_new_session=True,
                )
                self._pid = process.pid
                self.starts += 1
                process.wait()
            if self._wanted.is_set():
                # Remaining processes would disturb the next start; systemd ends the control group, too.
                self.kill()
                threading.Event().wait(RESTART_DELAY)
