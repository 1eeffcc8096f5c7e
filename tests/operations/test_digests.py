"""`deploy/digests.py` names the images of others by digest, and changes nothing if one is not known."""

import os
import re
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mnistweb.config import PACKAGE

ROOT = PACKAGE.parent
MODULE = runpy.run_path(str(ROOT / "deploy" / "digests.py"))
FILES: tuple[str, ...] = MODULE["FILES"]
DOCKER = """#!/bin/sh
# Stands for Docker: can pull every image but FAILING, and has another name for each.
case "$1 $2" in
"pull --quiet") [ "$3" != "$FAILING" ] ;;
"image inspect")
  digest=$(printf 'sha256:%064d' "$(printf '%s' "$3" | cksum | cut -d ' ' -f 1)")
  printf 'registry.example:5000/%s@sha256:%064d\\n%s@%s\\n' "${3%:*}" 1 "${3%:*}" "$digest"
  ;;
*) exit 2 ;;
esac
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the files that name images, with a docker that needs no network."""
    for name in (*FILES, "deploy/digests.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / "docker").write_text(DOCKER)
    (tmp_path / "docker").chmod(0o755)
    return tmp_path


def renew(checkout: Path, failing: str = "") -> "subprocess.CompletedProcess[str]":
    path = f"{checkout}:{os.environ['PATH']}"
    return subprocess.run(
        [sys.executable, "deploy/digests.py"],
        cwd=checkout,
        env={"PATH": path, "FAILING": failing},
        capture_output=True,
        text=True,
        check=False,
    )


def texts(checkout: Path) -> list[str]:
    return [(checkout / name).read_text() for name in FILES]


def test_every_image_of_others_is_found() -> None:
    found = [tag for name in FILES for tag in MODULE["tags"]((ROOT / name).read_text())]
    names = {tag.partition(":")[0] for tag in found}
    assert names == {"caddy", "haproxy", "postgres", "python", "rclone/rclone", "redis"}
    assert not [tag for tag in found if tag.endswith(":latest")]
    lines = [line for name in FILES for line in (ROOT / name).read_text().splitlines()]
    ours = [line for line in lines if re.match(r" +image: ", line) and "mnistweb" in line]
    others = [line for line in lines if re.match(r" +image: |ARG PYTHON_IMAGE=", line)]
    assert len(others) == len(ours) + len(found)


def test_digests_follow_the_tags_and_are_renewed(checkout: Path) -> None:
    assert renew(checkout).returncode == 0
    first = texts(checkout)
    digest = r"@sha256:[0-9a-f]{64}"
    assert re.search(rf"(?m)^ARG PYTHON_IMAGE=python:[\w.-]+{digest}$", first[0])
    assert len(re.findall(rf"\$\{{POSTGRES_IMAGE:-postgres:17{digest}\}}", first[1])) == 2
    assert renew(checkout).returncode == 0
    assert texts(checkout) == first
    unpinned = [re.sub(digest, "", text) for text in first]
    assert unpinned == [re.sub(digest, "", (ROOT / name).read_text()) for name in FILES]


def test_nothing_changes_if_one_image_is_not_known(checkout: Path) -> None:
    before = texts(checkout)
    result = renew(checkout, failing=MODULE["tags"](before[2])[-1])
    assert result.returncode != 0
    assert "no file was changed" in result.stderr
    assert texts(checkout) == before
