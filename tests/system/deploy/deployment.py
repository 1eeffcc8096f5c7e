"""Tests of the image and of a site in containers, in the order of this file.

`make test-deploy` runs them. They need a Docker engine and take minutes, so the file's name keeps them out of
the other tests. BUILD_FLAGS in the environment are passed to `docker build`.
"""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.system.deploy.site import SETTINGS, Site, run

MAX_IMAGE_BYTES = 1.3e9


def test_image_is_small_and_contains_no_secret(image: str, capsys: pytest.CaptureFixture[str]) -> None:
    described = json.loads(run("docker", "image", "inspect", image).stdout)[0]
    with capsys.disabled():
        print(f"\nThe image has {described['Size'] / 1e9:.2f} GB.")
    assert described["Size"] <= MAX_IMAGE_BYTES
    assert described["Config"]["User"] == "10001:10001"
    environment = {entry.split("=")[0] for entry in described["Config"]["Env"]}
    assert not {key for key in environment if "SECRET" in key or "PASSWORD" in key or key.startswith("PIP")}
    files = run("docker", "run", "--rm", image, "ls", "-A", "/app").stdout.split()
    assert files == ["instance"]


def test_image_has_a_bill_of_its_packages(image: str) -> None:
    bill = json.loads(run("docker", "run", "--rm", image, "cat", "/venv/sbom.json").stdout)
    listed = {each["name"].lower(): each for each in bill["components"]}
    assert bill["bomFormat"] == "CycloneDX"
    assert bill["metadata"]["component"]["name"] == "mnistweb"
    assert {"flask", "pillow", "torch"} <= set(listed)
    assert "pip" not in listed
    assert all(each["version"] for each in listed.values())
    assert listed["flask"]["purl"].startswith("pkg:pypi/flask@")


@pytest.mark.parametrize("secret", ["", "change-me"])
def test_container_does_not_start_without_a_secret(image: str, secret: str) -> None:
    result = run("docker", "run", "--rm", "--env", f"SECRET_KEY={secret}", image, check=False)
    assert result.returncode == 1
    assert "Error: SECRET_KEY must be " in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("missing", SETTINGS)
def test_compose_reports_a_missing_secret(tmp_path: Path, missing: str) -> None:
    site = Site(tmp_path)
    site.install()
    site.configure(**{key: value for key, value in SETTINGS.items() if key != missing})
    result = site.compose("up", "--detach", check=False)
    assert result.returncode != 0
    assert f"{missing}" in result.stderr
    assert "openssl rand -hex 32" in result.stderr


def test_simultaneous_replicas_migrate_once(site: Site) -> None:
    site.compose("up", "--detach", "--wait", "postgres")
    with ThreadPoolExecutor() as pool:
        replicas = [
            pool.submit(site.compose, "run", "--rm", "--no-deps", "-T", "web", "mnistweb", "migrate")
            for _ in range(3)
        ]
    for replica in replicas:
        assert replica.result().returncode == 0


def test_site_starts_with_one_command_on_a_read_only_file_system(site: Site) -> None:
    site.compose("down", "--volumes")
    site.up()
    assert json.loads(site.request("/readyz"))["status"] == "ok"
    user = site.compose("exec", "-T", "web", "id", "-u").stdout.strip()
    assert user == "10001"
    for folder in ("/", "/app", "/app/instance", "/venv"):
        result = site.compose("exec", "-T", "web", "touch", f"{folder}/file", check=False)
        assert "Read-only file system" in result.stderr
    site.compose("exec", "-T", "web", "touch", "/tmp/file")  # noqa: S108


def test_restart_keeps_all_rows(site: Site) -> None:
    for digit in range(10):
        site.predict(digit)
    first = site.listing()[0]["id"]
    site.request(f"/api/v1/predictions/{first}/feedback", {"label": 9})
    rows = site.rows()
    assert len(rows.splitlines()) == 10
    site.compose("restart")
    site.up()
    assert site.rows() == rows


def test_backup_restores_a_lost_volume(site: Site) -> None:
    rows, listing = site.rows(), site.listing()
    site.run("deploy/backup", "log.backup")
    site.compose("down", "--volumes")
    site.up()
    assert site.listing() == []
    site.predict(1)  # the restored database replaces this row
    site.run("deploy/restore", "log.backup")
    assert site.rows() == rows
    assert site.listing() == listing
    newest = listing[0]["id"]
    assert site.request(f"/predictions/{newest}/drawing.png").startswith(b"\x89PNG")
    site.request(f"/api/v1/predictions/{newest}/feedback", {"label": None})  # still by this visitor


def test_broken_backup_replaces_nothing(site: Site) -> None:
    rows = site.rows()
    whole = (site.folder / "log.backup").read_bytes()
    (site.folder / "half.backup").write_bytes(whole[: len(whole) // 2])
    for command in (["deploy/restore"], ["sh", "deploy/restore"]):
        assert site.run(*command, "half.backup", check=False).returncode != 0
        assert site.run(*command, "none.backup", check=False).returncode != 0
    assert site.rows() == rows
    assert json.loads(site.request("/readyz"))["status"] == "ok"


def test_role_of_the_site_is_no_superuser(site: Site) -> None:
    query = "SELECT rolsuper FROM pg_roles WHERE rolname = current_user"
    psql = ("exec", "-T", "postgres", "psql", "-U", "mnistweb", "-d", "mnistweb", "-Atc")
    assert site.compose(*psql, query).stdout.strip() == "f"


def test_backups_are_made_regularly(site: Site) -> None:
    site.configure(**SETTINGS, COMPOSE_PROFILES="backup", BACKUP_FOLDER="./kept")
    site.up()  # waits for the first one
    [backup] = (site.folder / "kept").glob("mnistweb-*.backup")
    rows = site.rows()
    site.predict(1)
    site.run("deploy/restore", str(backup))
    assert site.rows() == rows
    site.configure(**SETTINGS)
