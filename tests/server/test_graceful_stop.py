"""The time that running requests get when the site stops."""

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


def graceful_timeout(settings: dict[str, str]) -> int:
    code = "import runpy; print(runpy.run_path('deploy/gunicorn.conf.py')['graceful_timeout'])"
    environment = os.environ | {"SECRET_KEY": SECRET} | settings
    command = [sys.executable, "-c", code]
    result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    return int(result.stdout)


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
    assert graceful_timeout(settings) == seconds
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    assert seconds < int(compose["services"]["web"]["stop_grace_period"].removesuffix("s"))
