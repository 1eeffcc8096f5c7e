"""deploy/install-torch takes builds without CUDA where it can, and others only where they are allowed."""

import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mnistweb.config import PACKAGE

ROOT = PACKAGE.parent
SCRIPT = ROOT / "deploy" / "install-torch"
# Stands for Python with pip: says what it was asked for, and succeeds as FAILING does not forbid.
PYTHON = """#!/bin/sh
case " $* " in
    *" --no-index "*) place=wheels ;;
    *" --index-url "*) place=cpu ;;
    *urlopen*) place=reached ;;
    *" -c "*) place=cuda ;;
    *) place=default ;;
esac
case " $FAILING " in *" $place "*) exit 1 ;; esac
echo "$place: $*" >> "$LOG"
"""
AWAY = "wheels reached cpu cuda"
"""No wheels, no index of CPU builds, and no torch with CUDA that is there already."""
Install = Callable[..., "subprocess.CompletedProcess[str]"]
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere torch has no CUDA")


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """The log of the stand-in for Python: what succeeded."""
    (tmp_path / "python").write_text(PYTHON)
    (tmp_path / "python").chmod(0o755)
    (tmp_path / "log").touch()
    return tmp_path / "log"


@pytest.fixture
def install(log: Path) -> Install:
    """Run the script with torch and torchvision, without a terminal."""

    def run(
        failing: str, allow: str | None, stdin: int = subprocess.DEVNULL
    ) -> "subprocess.CompletedProcess[str]":
        environment = {name: value for name, value in os.environ.items() if name != "ALLOW_CUDA"}
        environment |= {"FAILING": failing, "LOG": str(log)} | (
            {} if allow is None else {"ALLOW_CUDA": allow}
        )
        command = ["sh", str(SCRIPT), str(log.parent / "python"), "torch", "torchvision"]
        return subprocess.run(
            command, env=environment, stdin=stdin, capture_output=True, text=True, check=False, timeout=30
        )

    return run


def installed(log: Path) -> list[str]:
    """Return the places from which something was installed."""
    lines = log.read_text().splitlines()
    assert all(line.endswith(" torch torchvision") for line in lines if " pip " in line)
    return [place for line in lines if (place := line.partition(":")[0]) not in ("reached", "cuda")]


@pytest.mark.parametrize("allow", [None, "0", "1"])
@pytest.mark.parametrize(("failing", "place"), [("", "wheels"), ("wheels", "cpu")])
def test_builds_without_cuda_come_first(
    install: Install, log: Path, failing: str, place: str, allow: str | None
) -> None:
    result = install(failing, allow)
    assert result.returncode == 0
    assert installed(log) == [place]
    assert "CUDA" not in result.stderr


@pytest.mark.parametrize("allow", ["0", "no"])
def test_builds_with_cuda_stop_where_they_are_forbidden(install: Install, log: Path, allow: str) -> None:
    result = install(AWAY, allow)
    assert result.returncode != 0
    assert installed(log) == []
    for words in ("6 GB instead of 1", "deploy/wheels/", "ALLOW_CUDA=1", "--build-arg ALLOW_CUDA=1"):
        assert words in result.stderr


def test_builds_with_cuda_are_taken_where_they_are_allowed(install: Install, log: Path) -> None:
    assert install(AWAY, "1").returncode == 0
    assert installed(log) == ["default"]


@pytest.mark.parametrize("failing", ["wheels reached cuda", "wheels cpu cuda"])
def test_index_out_of_reach_is_not_asked_for_builds(install: Install, log: Path, failing: str) -> None:
    assert install(failing, "0").returncode != 0
    assert installed(log) == []


def test_without_anybody_to_ask_it_says_what_it_takes(install: Install, log: Path) -> None:
    result = install(AWAY, None)
    assert result.returncode == 0
    assert installed(log) == ["default"]
    assert "6 GB instead of 1" in result.stderr
    assert "ALLOW_CUDA=0 would stop here." in result.stderr


def test_cuda_that_is_there_already_needs_no_leave(install: Install, log: Path) -> None:
    result = install("wheels reached", "0")
    assert result.returncode == 0
    assert installed(log) == ["default"]
    assert "6 GB" not in result.stderr


@pytest.mark.parametrize(("answer", "places"), [("y", ["default"]), ("n", []), ("", [])])
def test_somebody_at_a_terminal_is_asked(install: Install, log: Path, answer: str, places: list[str]) -> None:
    terminal, keyboard = pty.openpty()
    os.write(terminal, f"{answer}\n".encode())
    result = install(AWAY, None, stdin=keyboard)
    os.close(terminal)
    os.close(keyboard)
    assert "Install it with CUDA? [y/N]" in result.stderr
    assert (result.returncode == 0) == bool(places)
    assert installed(log) == places


def test_image_forbids_cuda_and_the_checks_allow_it() -> None:
    image = (ROOT / "Dockerfile").read_text()
    assert "ARG ALLOW_CUDA=0\nCOPY deploy/install-torch" in image
    assert "pip install torch" not in image
    assert "!/deploy/install-torch\n" in (ROOT / ".dockerignore").read_text()
    assert "        ALLOW_CUDA:\n" in (ROOT / "docker-compose.yml").read_text()
    assert "export ALLOW_CUDA=1" in (ROOT / ".ci" / "run").read_text()
