"""Tests of the proxy in front of the site, with clients that lie, and with clients that dawdle.

They run after deployment.py, with its image.
"""

import json
import re
import socket
import ssl
import subprocess
import time
import urllib.error
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.support.drawings import data_url, digit_png
from tests.system.deploy.site import IMAGE, PROJECT, ROOT, SETTINGS, Site, run

DRAWING = {"image": data_url(digit_png(3))}
OF_AN_ADDRESS = 5
LIMITED = SETTINGS | {"RATELIMIT_PREDICT": f"1000,{OF_AN_ADDRESS}", "WORKERS": "1"}
DAWDLERS_OF_A_KIND = 25
GONE_AFTER = 30
"""Seconds in which the proxy has closed the connections of all dawdlers."""
RESTART_WAIT = 20
"""Seconds in which the proxy waits for the site."""
LONG_HISTORY = """
INSERT INTO prediction
SELECT (jsonb_populate_record(one, jsonb_build_object('id', gen_random_uuid()))).*
FROM prediction AS one, generate_series(1, 8000)
WHERE one.id = (SELECT id FROM prediction LIMIT 1)
"""
DAWDLE = """
import sys, time
from dawdlers import FIRST_BYTES, Dawdlers
crowds = [Dawdlers(8000, kind, int(sys.argv[1]), host="caddy") for kind in FIRST_BYTES]
for crowd in crowds:
    crowd.start()
print("Here we are", flush=True)
while True:
    for crowd in crowds:
        crowd.send_a_byte()
    time.sleep(0.1)
"""
MEGABYTE = 1_000_000
CONNECTIONS = ("exec", "-T", "caddy", "cat", "/proc/net/tcp", "/proc/net/tcp6")
ESTABLISHED = "01"


def predictions_until_the_limit(site: Site, addresses: str) -> int:
    """Predict as ever new visitors, each with its number in the addresses, until one gets 429."""
    for number in range(2 * OF_AN_ADDRESS):
        headers = {"X-Forwarded-For": addresses.format(number)}
        try:
            site.another_visitor().request("/api/v1/predictions", DRAWING, headers=headers)
        except urllib.error.HTTPError as error:
            if error.code != 429:
                raise
            return number
    return 2 * OF_AN_ADDRESS


def test_site_is_reached_through_the_proxy_alone(site: Site) -> None:
    site.configure(**LIMITED)
    site.up()
    for service in ("web", "postgres"):
        shown = site.compose("ps", "--format", "json", service).stdout
        assert all(not port["PublishedPort"] for port in json.loads(shown)["Publishers"])
    site.predict(4)


@pytest.mark.parametrize("address", ["192.0.2.{}", "192.0.2.{}, 127.0.0.1", "[2001:db8:{}::1]:80"])
def test_forged_addresses_are_not_believed(site: Site, address: str) -> None:
    site.compose("restart", "web")  # which counts in its memory
    site.up()
    assert predictions_until_the_limit(site, address) == OF_AN_ADDRESS


def test_forged_names_are_not_believed(site: Site) -> None:
    visitor = site.another_visitor()
    names = {"Host": "forged.example", "Prefix": "/forged", "Proto": "https"}
    page = visitor.request("/", headers={f"X-Forwarded-{name}": value for name, value in names.items()})
    assert b"forged" not in page
    assert not any(cookie.secure for cookie in visitor.cookies)


def test_visitors_wait_for_a_site_that_restarts(site: Site) -> None:
    site.compose("stop", "web")
    began = time.monotonic()
    with pytest.raises(urllib.error.HTTPError, match="502"):
        site.request("/")
    assert time.monotonic() - began >= RESTART_WAIT


def test_further_proxy_is_believed_where_it_is_named(site: Site) -> None:
    site.configure(**LIMITED, TRUSTED_PROXIES="private_ranges")
    site.up()
    assert predictions_until_the_limit(site, "192.0.2.{}") == 2 * OF_AN_ADDRESS
    forged = "192.0.2.{}, 198.51.100.1"  # before the address that the further proxy adds
    assert predictions_until_the_limit(site, forged) == OF_AN_ADDRESS
    visitor = site.another_visitor()
    headers = {"X-Forwarded-Prefix": "/tools/digits", "X-Forwarded-Proto": "https"}
    page = visitor.request("/", headers=headers)
    assert b'"/tools/digits/static/' in page
    assert {cookie.name for cookie in visitor.cookies if cookie.secure}


def connections(site: Site) -> int:
    """Return the number of open connections to the proxy's port 8000."""
    rows = [line.split() for line in site.compose(*CONNECTIONS).stdout.splitlines()]
    found = Counter(row[3] for row in rows if row[1].endswith(":1F40"))
    return found[ESTABLISHED]


@contextmanager
def dawdlers() -> Iterator[None]:
    """Have many clients of each kind dawdle, in a container beside the proxy."""
    mount = f"{ROOT}/tests/support/dawdlers.py:/dawdlers/dawdlers.py:ro"
    name = f"{PROJECT}-dawdlers"
    options = ["--rm", "--name", name, "--network", f"{PROJECT}_default", "--volume", mount]
    program = ["python", "-c", DAWDLE, str(DAWDLERS_OF_A_KIND)]
    command = ["docker", "run", *options, "--env", "PYTHONPATH=/dawdlers", IMAGE, *program]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            assert process.stdout.readline() == "Here we are\n"
            yield
        finally:
            run("docker", "kill", name)


def test_honest_visitors_are_answered_among_dawdlers(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    site.configure(**SETTINGS)
    site.up()
    site.predict(4)
    site.compose("exec", "-T", "postgres", "psql", "-U", "mnistweb", "-d", "mnistweb", "-c", LONG_HISTORY)
    seconds = []
    with dawdlers():
        ends = time.monotonic() + GONE_AFTER
        assert connections(site) > 6 * DAWDLERS_OF_A_KIND
        while time.monotonic() < ends:
            for visit in (
                lambda: site.request("/"),
                lambda: site.predict(4),
                lambda: site.request("/readyz"),
            ):
                began = time.monotonic()
                visit()
                seconds.append(time.monotonic() - began)
            time.sleep(0.2)
        left = connections(site)
    seconds.sort()
    p95 = seconds[int(0.95 * len(seconds))]
    with capsys.disabled():
        print(f"\n{len(seconds)} honest requests, p95 {p95:.2f} s; {left} connections are left.")
    assert p95 < 1
    assert left <= 2  # those of the probe and of the last honest visitor


def test_slow_upload_arrives(site: Site) -> None:
    body = json.dumps(DRAWING | {"padding": "x" * MEGABYTE}).encode()
    head = "POST /api/v1/predictions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    with socket.create_connection(("127.0.0.1", site.port)) as client:
        client.sendall(f"{head}Connection: close\r\nContent-Length: {len(body)}\r\n\r\n".encode())
        piece = MEGABYTE // 30  # a second
        for start in range(0, len(body), piece):
            client.sendall(body[start : start + piece])
            time.sleep(1)
        answer = client.recv(1000)
    assert re.match(rb"HTTP/1.1 (201|400|422) ", answer)


def test_domain_adds_tls(site: Site) -> None:
    for port in (80, 443):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                pytest.skip(f"port {port} is in use")
    site.configure(**SETTINGS, DOMAIN="localhost")
    site.up()
    # For localhost Caddy signs the certificate itself.
    root = site.compose("exec", "-T", "caddy", "cat", "/data/caddy/pki/authorities/local/root.crt").stdout
    trusted = ssl.create_default_context(cadata=root)
    visitor = site.another_visitor()
    body = json.loads(visitor.request("/readyz", base="https://localhost", tls=trusted))
    assert body["status"] == "ok"
    visitor.request("/", base="https://localhost", tls=trusted)
    assert {cookie.name for cookie in visitor.cookies if cookie.secure} >= {"__Host-visitor"}
    assert json.loads(site.request("/readyz"))["status"] == "ok"  # the other address stays
