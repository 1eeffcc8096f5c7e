"""Tests of the images of the profile "split": the site without PyTorch, its networks, its log.

They run after deployment.py, whose layers these images share.
"""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest

from tests.support.drawings import data_url, digit_png
from tests.system.deploy.site import IMAGE, SETTINGS, Site, build, run

IMAGES = {"site": f"{IMAGE}-site", "model": f"{IMAGE}-model"}
MAX_IMAGE_BYTES = {"site": 0.5e9, "model": 1.8e9}
SPLIT_SETTINGS = SETTINGS | {
    "COMPOSE_PROFILES": "split",
    "IMAGE": IMAGES["site"],
    "MODEL_IMAGE": IMAGES["model"],
    "MODEL_URL": "http://model:8001",
    "TARGET": "site",
}
MODEL_SERVER_TIMEOUT = 240
"""Seconds for the restart of the model server; a tenth of it on an idle machine."""
VERSIONS = (
    "import urllib.request as r; print(r.urlopen('http://127.0.0.1:8001/v2/models/cnn').read().decode())"
)


@pytest.fixture(scope="module")
def images() -> dict[str, str]:
    """Build the images from the checkout."""
    for target, image in IMAGES.items():
        build(image, "--target", target)
    return IMAGES


@pytest.fixture(scope="module")
def site(images: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Make a folder to start them from; remove containers and volumes at the end."""
    site = Site(tmp_path_factory.mktemp("split"))
    site.install()
    site.configure(**SPLIT_SETTINGS)
    site.compose("down", "--volumes")
    yield site
    site.compose("down", "--volumes")


def error_text(error: urllib.error.HTTPError) -> str:
    """Return the text of a 503."""
    assert error.code == 503
    return error.read().decode()


@pytest.mark.parametrize("target", IMAGES)
def test_image_is_small_and_runs_unprivileged(
    images: dict[str, str], target: str, capsys: pytest.CaptureFixture[str]
) -> None:
    described = json.loads(run("docker", "image", "inspect", images[target]).stdout)[0]
    with capsys.disabled():
        print(f"\nThe image of the {target} has {described['Size'] / 1e9:.2f} GB.")
    assert described["Size"] <= MAX_IMAGE_BYTES[target]
    assert described["Config"]["User"] == "10001:10001"


def test_site_image_has_no_torch(images: dict[str, str]) -> None:
    listing = ["find", "/venv", "-iname", "*torch*", "-not", "-path", "*/mnistweb/*"]
    assert run("docker", "run", "--rm", images["site"], *listing).stdout == ""
    assert run("docker", "run", "--rm", images["model"], *listing).stdout != ""


def test_one_command_starts_site_and_model_server(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    site.up()
    assert json.loads(site.request("/readyz"))["status"] == "ok"
    answer = site.predict(3)
    assert answer["digit"] == 3
    metadata = json.loads(site.compose("exec", "-T", "model", "python", "-c", VERSIONS).stdout)
    assert (answer["model"], [answer["model_version"]]) == (metadata["name"], metadata["versions"])
    assert site.listing()[0]["model_version"] == answer["model_version"]
    with capsys.disabled():
        print("\n" + run("docker", "stats", "--no-stream", "--format", "{{.Name}} {{.MemUsage}}").stdout)


def test_both_logs_have_the_request_id(site: Site) -> None:
    body = json.dumps({"image": data_url(digit_png(4))}).encode()
    headers = {"Content-Type": "application/json", "X-Request-ID": "of-one-visitor"}
    site.send(urllib.request.Request(f"http://127.0.0.1:{site.port}/api/v1/predictions", body, headers))
    ends = time.monotonic() + 30  # Ray collects the output of its processes
    for service in ("web", "model"):
        while "of-one-visitor" not in site.compose("logs", service).stdout:
            assert time.monotonic() < ends
            time.sleep(0.5)


def test_stopped_model_server_gives_503_until_it_returns(site: Site) -> None:
    image = data_url(digit_png(3))
    count = len(site.listing())
    site.compose("stop", "model")
    with pytest.raises(urllib.error.HTTPError) as caught:
        site.request("/api/v1/predictions", {"image": image})
    assert json.loads(error_text(caught.value))["error"]["code"] == "model_unavailable"
    with pytest.raises(urllib.error.HTTPError) as caught:
        site.submit("/predictions", image=image)
    page = error_text(caught.value)
    assert "<html" in page
    assert "The model server " in page
    assert len(site.listing()) == count
    assert json.loads(site.request("/readyz"))["status"] == "ok"

    site.compose("start", "model")
    ends = time.monotonic() + MODEL_SERVER_TIMEOUT
    while True:
        try:
            assert site.predict(5)["digit"] == 5
            break
        except urllib.error.HTTPError as error:
            error_text(error)
            assert time.monotonic() < ends
            time.sleep(1)
    assert len(site.listing()) == count + 1
