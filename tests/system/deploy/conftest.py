"""The image and the site that the tests in containers share."""

from collections.abc import Iterator

import pytest

from tests.system.deploy.site import IMAGE, SETTINGS, Site, build


@pytest.fixture(scope="session")
def image() -> str:
    """Build the image from the checkout."""
    build(IMAGE)
    return IMAGE


@pytest.fixture(scope="module")
def site(image: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Make a folder to start a site from; remove containers and volumes at the end."""
    site = Site(tmp_path_factory.mktemp("site"))
    site.install()
    site.configure(**SETTINGS)
    site.compose("--profile", "*", "down", "--volumes")
    yield site
    site.configure(**SETTINGS)
    site.compose("--profile", "*", "down", "--volumes")
