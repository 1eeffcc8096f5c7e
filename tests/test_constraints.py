"""deploy/constraints.txt names a version for all that pyproject.toml asks for, but for torch's family."""

import json
import re
import runpy
import tomllib
from collections.abc import Callable
from itertools import chain

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from mnistweb.config import PACKAGE

ROOT = PACKAGE.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LINES = (ROOT / "deploy" / "constraints.txt").read_text().splitlines()
PINS = dict(line.split("==") for line in LINES if not line.startswith("#"))
BY_INDEX = {"torch", "torchvision"}
REQUIREMENTS = [
    *PROJECT["build-system"]["requires"],
    *PROJECT["project"]["dependencies"],
    *chain.from_iterable(PROJECT["project"]["optional-dependencies"].values()),
]


@pytest.mark.parametrize("text", sorted(set(REQUIREMENTS)))
def test_every_requirement_has_a_version_in_its_range(text: str) -> None:
    requirement = Requirement(text)
    name = canonicalize_name(requirement.name)
    if name in BY_INDEX:
        assert name not in PINS
    else:
        assert requirement.specifier.contains(PINS[name])


def test_nothing_but_names_and_versions_is_in_it() -> None:
    for line in LINES:
        assert line.startswith("#") or re.fullmatch(r"[a-z0-9-]+==[0-9][0-9a-z.]*", line)
        assert "/" not in line
    assert list(PINS) == sorted(PINS)
    assert not [name for name in PINS if name.startswith(("cuda-", "nvidia-")) or name == "triton"]


def test_it_is_made_from_a_report_of_pip() -> None:
    found = {
        "Flask": "3.1.3",
        "zope.event": "6.2",
        "torch": "2.14.1+cpu",
        "nvidia-nccl-cu13": "2.30",
        "pip": "26",
    }
    report = {"install": [{"metadata": {"name": name, "version": found[name]}} for name in sorted(found)]}
    make: Callable[[str], str] = runpy.run_path(str(ROOT / "deploy" / "constraints.py"))["constraints"]
    lines = make(json.dumps(report)).splitlines()
    assert [line for line in lines if not line.startswith("#")] == ["flask==3.1.3", "zope-event==6.2"]
