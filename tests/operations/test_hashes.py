"""deploy/hashes has every package of the image, in the version of the constraints, with hashes."""

import re
import runpy
import tomllib
from importlib.metadata import PackageNotFoundError, requires
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from mnistweb.config import PACKAGE

ROOT = PACKAGE.parent
MODULE = runpy.run_path(str(ROOT / "deploy" / "hashes.py"))
LINES = (ROOT / "deploy" / "constraints.txt").read_text().splitlines()
PINS = dict(line.split("==") for line in LINES if not line.startswith("#"))
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
EXTRAS = PROJECT["project"]["optional-dependencies"]
STAGES: dict[str, dict[str, str]] = {
    file.stem: MODULE["packages"](file.read_text()) for file in (ROOT / "deploy" / "hashes").glob("*.txt")
}
BY_INDEX = {"torch"}


@pytest.mark.parametrize("stage", sorted(STAGES))
def test_every_line_is_a_version_of_the_constraints_or_a_hash(stage: str) -> None:
    text = (ROOT / "deploy" / "hashes" / f"{stage}.txt").read_text()
    packages = STAGES[stage]
    assert text == MODULE["HEADER"] + "".join(packages[name] for name in sorted(packages))
    for name, lines in packages.items():
        first, *hashes = lines.splitlines()
        assert re.fullmatch(r"[a-z0-9-]+==[0-9][0-9a-z.]* \\", first)
        assert hashes
        assert all(re.fullmatch(r"    --hash=sha256:[0-9a-f]{64}( \\)?", line) for line in hashes)
        # Not in the constraints: setuptools, which torch asks for, and what redis needs before Python 3.11.3.
        assert name in ("setuptools", "async-timeout") or first == f"{name}=={PINS[name]} \\"


@pytest.mark.parametrize(
    ("stages", "needed"),
    [
        (["site"], [*PROJECT["project"]["dependencies"], *EXTRAS["scale"]]),
        (["site", "torch", "serve"], EXTRAS["serve"]),
        (["tools"], [*PROJECT["build-system"]["requires"], *EXTRAS["sbom"]]),
    ],
)
def test_stages_have_all_that_is_needed(stages: list[str], needed: list[str]) -> None:
    known = BY_INDEX.union(*(STAGES[stage] for stage in stages))
    left = [Requirement(text) for text in needed]
    seen = set()
    while left:
        requirement = left.pop()
        name = canonicalize_name(requirement.name)
        if requirement.marker and not any(
            requirement.marker.evaluate({"extra": extra, "sys_platform": "linux"})
            for extra in requirement.extras or {""}
        ):
            continue
        assert name in known, requirement
        if name in seen or name in BY_INDEX:
            continue
        seen.add(name)
        try:
            texts = requires(name) or []
        except PackageNotFoundError:  # only some environments have it
            continue
        left += [Requirement(text) for text in texts if "extra ==" not in text]


def test_stages_share_no_package_and_leave_out_what_each_index_builds() -> None:
    whole = {"a": "a", "b": "b"}
    stages = MODULE["stages"]({"a": "a"}, whole, whole | {"c": "c"}, {"d": "d"})
    assert stages == {"site": {"a": "a"}, "torch": {"b": "b"}, "serve": {"c": "c"}, "tools": {"d": "d"}}
    line = "    --hash=sha256:0\n"
    text = f"flask==3.1 \\\n{line}{line}nvidia-nvtx==13 \\\n{line}torch==2 \\\n{line}triton==3 \\\n{line}"
    assert list(MODULE["packages"](text)) == ["flask"]


def test_image_installs_nothing_else() -> None:
    lines = (ROOT / "Dockerfile").read_text().replace("\\\n", "").splitlines()
    installs = [part for line in lines for part in line.split("&&") if "pip install" in part]
    assert len(installs) == len(STAGES) + 1
    for each in installs:
        assert "--no-deps --require-hashes --requirement /source/" in each or "--no-index --no-deps" in each
