"""Settings of every test process, and the marks of what a test needs."""

import gc

import pytest
from hypothesis import settings

from tests.support.quick import QUICK

# A time limit for each example would say more of the machine's other work than of the code.
# The same examples in every run: what fails there fails here.
settings.register_profile("mnistweb", deadline=None, derandomize=True, max_examples=20 if QUICK else 100)
settings.load_profile("mnistweb")

gc.disable()  # until all tests are collected


@pytest.hookimpl(trylast=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Load fixtures and application, unless pytest-xdist runs the tests in other processes.

    Coverage is measured by now.
    """
    if session.config.getoption("dist", "no") == "no":
        session.config.pluginmanager.import_plugin("tests.support.fixtures")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs PostgreSQL or a browser, and begin with what trains.

    Tests that start processes carry their mark themselves. A process of pytest-xdist takes over the last
    tests of another: if these needed a trained model, both would train one.
    """
    items.sort(key=lambda item: "training" not in item.path.parts)
    for item in items:
        fixtures = getattr(item, "fixturenames", ())
        parameters = item.callspec.params if hasattr(item, "callspec") else {}
        kinds = {value for value in parameters.values() if isinstance(value, str)}
        if "postgres_url" in fixtures or "postgresql" in kinds:
            item.add_marker("postgres")
        if "browser" in fixtures:
            item.add_marker("browser")


def pytest_collection_finish() -> None:
    """Hide from the garbage collector all that was imported, and call it rarely: searching takes long."""
    gc.freeze()
    gc.set_threshold(20_000, 20, 100)
    gc.enable()
