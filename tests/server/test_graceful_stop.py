"""Gunicorn's configuration: its address, and the time that running requests get when the site stops."""

import os
import subprocess
import sys

import pytest
import yaml

from tests.support.servers import ROOT
from tests.support.sites import SECRET

pytestmark = pytest.mark.process

LANGUAGE_MODEL = {"MNISTWEB_LLM_BASE_URL": "http://127.0.0.1:1/v1", "MNISTWEB_LLM_MODEL": "any"}
MODEL_SERVER = {"MODEL_URL": "http://127.0.0.1:1"}


def configured(name: str, settings: dict[str, str]) -> str:
    code = f"import runpy; print(runpy.run_path('deploy/gunicorn.conf.py')['{name}'])"
    environment = os.environ | {"SECRET_KEY": SECRET} | settings
    command = [sys.executable, "-c", code]
    result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    return result.stdout.strip()


@pytest.mark.parametrize(
    ("host", "bind"),
    [("127.0.0.1", "127.0.0.1:8000"), ("::1", "[::1]:8000"), ("[::1]", "[::1]:8000")],
)
def test_address_of_ipv6_has_brackets(host: str, bind: str) -> None:
    assert configured("bind", {"HOST": host, "PORT": "8000"}) == bind


@pytest.mark.parametrize(
    ("settings", "seconds"),
    [
        ({"MODEL_TIMEOUT": "18", "MNISTWEB_LLM_TIMEOUT": "18"}, 10),  # nobody is asked
        (MODEL_SERVER, 10),
        (LANGUAGE_MODEL, 16),
        (LANGUAGE_MODEL | MODEL_SERVER | {"MODEL_TIMEOUT": "18"}, 19),
    ],
)
def test_an_answer_that_others_are_asked_for_is_awaited(settings: dict[str, str], seconds: int) -> None:
    assert configured("graceful_timeout", settings) == str(seconds)
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    assert seconds < int(compose["services"]["web"]["stop_grace_period"].removesuffix("s"))
