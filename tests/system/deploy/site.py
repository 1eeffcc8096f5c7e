"""A site in containers as operators run it: a folder with the compose file, the scripts and an `.env`."""

import json
import os
import re
import secrets
import shlex
import shutil
import socket
import ssl
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any, Self

from tests.support.drawings import data_url, digit_png

ROOT = Path(__file__).resolve().parents[3]
IMAGE = "mnistweb:test-deploy"
PROJECT = "mnistweb-test-deploy"
SETTINGS = {"SECRET_KEY": secrets.token_hex(32), "POSTGRES_PASSWORD": "any/character@may:stand#here"}
Result = subprocess.CompletedProcess[str]


def run(*command: str, cwd: Path = ROOT, check: bool = True, **environment: str) -> Result:
    """Run a command and capture its output. Raises AssertionError if `check` is set and it fails."""
    result = subprocess.run(
        command, cwd=cwd, env=os.environ | environment, capture_output=True, text=True, timeout=1800
    )
    if check and result.returncode:
        raise AssertionError(f"{' '.join(command)}\n{result.stdout}{result.stderr}")
    return result


def build(image: str, *flags: str) -> None:
    """Build an image from the checkout, with BUILD_FLAGS of the environment."""
    more = shlex.split(os.environ.get("BUILD_FLAGS", ""))
    run("docker", "build", *more, *flags, "--tag", image, str(ROOT))


def free_port() -> int:
    """Return a port that is not in use."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class Site:
    """The folder, and a client of the site that runs from it."""

    folder: Path
    port: int = field(default_factory=free_port)
    cookies: CookieJar = field(default_factory=CookieJar)

    def install(self) -> None:
        """Copy the files that an operator needs from the checkout."""
        shutil.copy(ROOT / "docker-compose.yml", self.folder)
        shutil.copytree(ROOT / "deploy", self.folder / "deploy")

    def configure(self, **settings: str) -> None:
        """Write `.env`: the example, and these settings below it."""
        settings = {"IMAGE": IMAGE, "PORT": str(self.port)} | settings
        lines = "".join(f"{key}={value}\n" for key, value in settings.items())
        (self.folder / ".env").write_text((ROOT / ".env.example").read_text() + lines)

    def another_visitor(self) -> Self:
        """Return a client without this one's cookies."""
        return replace(self, cookies=CookieJar())

    def compose(self, *arguments: str, check: bool = True) -> Result:
        """Run `docker compose` in the folder."""
        return self.run("docker", "compose", *arguments, check=check)

    def run(self, *command: str, check: bool = True) -> Result:
        """Run a command in the folder."""
        return run(*command, cwd=self.folder, check=check, COMPOSE_PROJECT_NAME=PROJECT)

    def up(self) -> None:
        """Start the site with its one command."""
        self.compose("up", "--detach", "--wait")

    def request(
        self,
        path: str,
        body: dict[str, Any] | None = None,
        *,
        base: str = "",
        tls: ssl.SSLContext | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> bytes:
        """Return the body of the answer to a GET, or to a POST of `body` as JSON. Raises HTTPError."""
        request = urllib.request.Request(  # noqa: S310
            (base or f"http://127.0.0.1:{self.port}") + path,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"} if body is not None else {},
        )
        for name, value in (headers or {}).items():
            request.add_header(name, value)
        return self.send(request, tls)

    def submit(self, path: str, **fields: str) -> bytes:
        """Submit a form of the page, and return the body of the answer. Raises HTTPError."""
        page = self.request("/").decode()
        found = re.search(r'name="csrf_token"[^>]* value="([^"]+)"', page)
        assert found
        body = urllib.parse.urlencode(fields | {"csrf_token": found[1]}).encode()
        return self.send(urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", body))

    def send(self, request: urllib.request.Request, tls: ssl.SSLContext | None = None) -> bytes:
        """Send a request as this visitor, and return the body of the answer. Raises HTTPError."""
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}),
            urllib.request.HTTPCookieProcessor(self.cookies),
            urllib.request.HTTPSHandler(context=tls),
        )
        with opener.open(request, timeout=30) as response:
            content: bytes = response.read()
            return content

    def predict(self, digit: int) -> dict[str, Any]:
        """Draw a digit and have it recognized."""
        body = {"image": data_url(digit_png(digit))}
        answer: dict[str, Any] = json.loads(self.request("/api/v1/predictions", body))
        assert answer["saved"] is True
        return answer

    def listing(self) -> list[dict[str, Any]]:
        """Return the logged predictions, newest first."""
        items: list[dict[str, Any]] = json.loads(self.request("/api/v1/predictions"))["items"]
        return items

    def rows(self) -> str:
        """Return the whole log, drawings included, as PostgreSQL writes it."""
        query = "COPY (SELECT * FROM prediction ORDER BY id) TO STDOUT"
        return self.compose(
            "exec", "-T", "postgres", "psql", "-U", "mnistweb", "-d", "mnistweb", "-c", query
        ).stdout
