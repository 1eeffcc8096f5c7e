from typing import Any

from flask import Flask, url_for

from mnistweb.web.addresses import address_of


def test_address_is_that_of_url_for_wherever_the_site_is_mounted(app: Flask) -> None:
    model: dict[str, Any] = {"name": "größer & x"}
    for prefix in ("", "/digits", "/größe", ""):
        with app.test_request_context(environ_overrides={"SCRIPT_NAME": prefix.encode().decode("latin1")}):
            assert address_of("draw.index") == url_for("draw.index")
            assert address_of("registry.show", name="cnn") == url_for("registry.show", name="cnn")
            assert address_of("registry.show", **model) == url_for("registry.show", **model)
