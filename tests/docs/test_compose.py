"""docker-compose.yml: every container is bounded and has few privileges, and its settings are documented."""

import os
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from mnistweb.settings.declarations import COMPOSE, SETTINGS

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docker-compose.yml").read_text()
FILE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = FILE["services"]
PORTS: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "deploy" / "ports.yml").read_text())["services"]
CADDYFILE = (ROOT / "deploy" / "Caddyfile").read_text()
STARTED_BY_DEFAULT = {"caddy", "postgres", "web"}


@pytest.mark.parametrize("name", SERVICES)
def test_container_is_bounded(name: str) -> None:
    service = SERVICES[name]
    assert service["mem_limit"]
    assert service["pids_limit"] > 0
    assert service["tmpfs"]
    assert all(":size=" in folder for folder in service["tmpfs"])
    assert service["logging"]["driver"] == "local"  # which rotates


@pytest.mark.parametrize("name", SERVICES)
def test_container_has_few_privileges(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in service
    assert "/var/run/docker.sock" not in str(service.get("volumes"))


@pytest.mark.parametrize("name", ["web", "model"])
def test_own_containers_need_no_capability(name: str) -> None:
    assert "cap_add" not in SERVICES[name]


def test_further_containers_are_off_by_default() -> None:
    assert {name for name, service in SERVICES.items() if "profiles" not in service} == STARTED_BY_DEFAULT


def test_proxy_alone_is_reached_from_outside() -> None:
    assert not [name for name, service in SERVICES.items() if "ports" in service]
    assert {name for name, service in SERVICES.items() if "extends" in service} == {"caddy"}
    assert SERVICES["caddy"]["extends"] == {"file": "deploy/ports.yml", "service": "http${DOMAIN:+s}"}
    assert PORTS["http"]["ports"] == ["${HOST:-127.0.0.1}:${PORT:-8000}:8000"]
    assert PORTS["https"]["ports"] == [*PORTS["http"]["ports"], "80:80", "443:443", "443:443/udp"]
    assert SERVICES["web"]["environment"]["PROXY_HOPS"] == "1"


def test_database_is_reached_from_its_host_alone_and_where_that_is_wanted() -> None:
    wanted = yaml.safe_load((ROOT / "deploy" / "learning.yml").read_text())["services"]
    assert wanted == {"postgres": {"ports": ["127.0.0.1:5432:5432"]}}
    assert "deploy/learning.yml" in (ROOT / "docs" / "operations" / "learning.md").read_text()


def test_proxy_gets_the_settings_that_it_reads() -> None:
    read = set(re.findall(r"\{\$(\w+)", CADDYFILE))
    assert read == set(SERVICES["caddy"]["environment"])
    assert "reverse_proxy web:8000" in CADDYFILE


def test_site_connects_as_a_role_of_its_own() -> None:
    assert SERVICES["web"]["environment"]["DATABASE_URL"].startswith("postgresql://mnistweb@postgres/")
    # The image's superuser keeps its default name; deploy/create-role.sql makes the site's role.
    assert "POSTGRES_USER" not in SERVICES["postgres"]["environment"]
    assert any("create-role.sql" in volume for volume in SERVICES["postgres"]["volumes"])


def test_mounted_files_exist_and_scripts_can_be_run() -> None:
    for service in SERVICES.values():
        for volume in service.get("volumes", ()):
            source = volume.split(":")[0]
            if source.startswith("./") and source != "./rclone.conf":
                assert (ROOT / source).exists(), source
    for name in ("backup", "restore"):
        assert os.access(ROOT / "deploy" / name, os.X_OK)


def test_named_volumes_are_declared() -> None:
    used = set(re.findall(r"- (?:\$\{\w+:-)?([a-z]+)\}?:/", TEXT)) | {"caddy", "postgres"}
    assert used == set(FILE["volumes"])


def test_only_documented_settings_are_read() -> None:
    declared = {setting.key for setting in (*SETTINGS, *COMPOSE.settings)}
    read = set(re.findall(r"(?<!\$)\$\{(\w+)", TEXT + (ROOT / "deploy" / "ports.yml").read_text()))
    assert read <= declared


def test_secrets_reach_only_the_containers_that_need_them() -> None:
    texts = {name: str(service) for name, service in SERVICES.items()}
    assert {name for name, text in texts.items() if "SECRET_KEY" in text or "env_file" in text} == {"web"}
    password = {name for name, text in texts.items() if "POSTGRES_PASSWORD" in text}
    assert password == {"web", "model", "postgres", "backup"}
