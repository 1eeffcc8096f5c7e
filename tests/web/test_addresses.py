from flask import Flask, url_for

from mnistweb.web.addresses import address_of


def test_address_is_that_of_url_for_wherever_the_site_is_mounted(app: Flask) -> None:
    for prefix in ("", "/digits", "/größe", ""):
        with app.test_request_context(environ_overrides={"SCRIPT_NAME": prefix.encode().decode("latin1")}):
            assert address_of("draw.index") == url_for("draw.index")
            for name in ("cnn", "größer & x"):
                assert address_of("registry.show", name=name) == url_for("registry.show", name=name)
