"""The wheel contains the whole site: installed in an empty folder, `mnistweb serve` runs it."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import sysconfig
import time
import tomllib
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from mnistweb.config import PACKAGE, SETTINGS
from tests.support.drawings import data_url, digit_png

ROOT = PACKAGE.parent
START_TIMEOUT = 120.0  # seconds
TOKEN = "only-while-the-wheel-is-tested"
PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet")

pytestmark = pytest.mark.process


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel with the installed hatchling."""
    folder = tmp_path_factory.mktemp("wheel")
    build = (
        "wheel",
        "--no-index",
        "--no-build-isolation",
        "--no-deps",
        "--wheel-dir",
        str(folder),
        str(ROOT),
    )
    subprocess.run([*PIP, *build], check=True, cwd=folder)
    (file,) = folder.glob("*.whl")
    return file


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel in a virtual environment that shares the other packages; return its programs."""
    folder = tmp_path_factory.mktemp("venv")
    venv.create(folder, symlinks=True)
    python = folder / "bin" / "python"
    subprocess.run(
        [*PIP, "--python", str(python), "install", "--no-index", "--no-deps", str(wheel)], check=True
    )
    # Folders in a .pth file are searched last, and their own .pth files (an editable mnistweb) are ignored.
    site_packages = Path(sysconfig.get_path("purelib", vars={"base": str(folder)}))
    here = [path for path in sys.path if Path(path).name in ("site-packages", "dist-packages")]
    (site_packages / "dependencies.pth").write_text("\n".join(here))
    return python.parent


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make the folder in which the site starts."""
    return tmp_path_factory.mktemp("site")


@pytest.fixture(scope="module")
def port(installed: Path, folder: Path) -> Iterator[int]:
    """Start the site and return its port; check that it ends cleanly."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    ours = {setting.key for setting in SETTINGS} | {"PYTHONPATH", "GUNICORN_CMD_ARGS"}
    environment = {key: value for key, value in os.environ.items() if key not in ours}
    environment |= {"METRICS_TOKEN": TOKEN, "PORT": str(port)}
    log = folder.parent / "site.log"
    with log.open("wb") as stream:
        server = subprocess.Popen(
            [installed / "mnistweb", "serve"], cwd=folder, env=environment, stdout=stream, stderr=stream
        )
    try:
        ends = time.monotonic() + START_TIMEOUT
        while "Booting worker" not in log.read_text():
            assert server.poll() is None, log.read_text()
            assert time.monotonic() < ends, log.read_text()
            time.sleep(0.1)
        yield port
        server.send_signal(signal.SIGTERM)
        assert server.wait(timeout=30) == 0
    finally:
        server.kill()
        server.wait()
    assert "Traceback" not in log.read_text()


def request(port: int, path: str, body: object = None, **headers: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    content = None if body is None else json.dumps(body)
    connection.request("GET" if body is None else "POST", path, content, headers)
    response = connection.getresponse()
    answer = response.status, response.read()
    connection.close()
    return answer


def test_prediction_is_saved_and_listed(port: int, folder: Path) -> None:
    drawing = {"image": data_url(digit_png(3))}
    status, body = request(port, "/api/v1/predictions", drawing, **{"Content-Type": "application/json"})
    assert status == 201
    answer = json.loads(body)
    assert answer["saved"] is True
    status, page = request(port, "/history")
    assert status == 200
    assert answer["id"] in page.decode()
    assert {"mnistweb.sqlite3", "secret_key"} <= {file.name for file in (folder / "instance").iterdir()}


@pytest.mark.parametrize("path", ["/", "/insights", "/models", "/api/v1/docs", "/readyz"])
def test_pages_are_served(port: int, path: str) -> None:
    assert request(port, path)[0] == 200


def test_static_files_are_served(port: int) -> None:
    _, page = request(port, "/")
    loaded = set(re.findall(r'(?:href|src)="(/static/[^"]+)"', page.decode()))
    assert loaded
    for path in loaded:
        assert request(port, path)[0] == 200, path


def test_metrics_are_served(port: int) -> None:
    status, text = request(port, "/metrics", Authorization=f"Bearer {TOKEN}")
    assert status == 200
    assert b"mnistweb_requests_total" in text


def test_version_comes_from_pyproject(port: int, installed: Path) -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    printed = subprocess.run(
        [installed / "mnistweb", "--version"], capture_output=True, text=True, check=True
    )
    assert version in printed.stdout
    assert json.loads(request(port, "/api/v1/openapi.json")[1])["info"]["version"] == version


def test_wheel_contains_all_files_of_the_site(wheel: Path) -> None:
    contained = set(zipfile.ZipFile(wheel).namelist())
    assert "mnistweb/_site/deploy/gunicorn.conf.py" in contained
    for folder in ("migrations", "static", "templates"):
        files = [file for file in (ROOT / folder).rglob("*") if file.is_file() and file.suffix != ".pyc"]
        assert files
        for file in files:
            assert f"mnistweb/_site/{file.relative_to(ROOT).as_posix()}" in contained
