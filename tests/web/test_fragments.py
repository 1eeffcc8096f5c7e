import pytest
from flask.testing import FlaskClient

from tests.support.clients import FRAGMENT, predict


@pytest.mark.parametrize("headers", [{}, FRAGMENT])
@pytest.mark.parametrize("address", ["/?answer={}", "/predictions/{}/inside", "/nowhere/{}"])
def test_a_page_and_its_fragment_tell_caches_apart(
    client: FlaskClient, address: str, headers: dict[str, str]
) -> None:
    response = client.get(address.format(predict(client)["id"]), headers=headers)
    assert ("<html" in response.text) == (not headers)
    assert "X-Fragment" in response.vary


def test_headers_without_a_body_are_the_same(client: FlaskClient) -> None:
    assert client.head("/").headers["Vary"] == client.get("/").headers["Vary"]


def test_other_pages_do_not_depend_on_it(client: FlaskClient) -> None:
    assert "X-Fragment" not in client.get("/models", headers=FRAGMENT).vary
