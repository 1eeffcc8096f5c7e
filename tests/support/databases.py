"""On which databases a test runs: on SQLite, and where databases differ on PostgreSQL too."""

import pytest

DATABASES = ("sqlite", "postgresql")

on_both_databases = pytest.mark.parametrize("database_url", DATABASES, indirect=True, scope="session")
"""Decorates a test that runs on both."""


def run_on_both_databases(metafunc: pytest.Metafunc) -> None:
    """Run every test on both that uses a database: `pytest_generate_tests` of a folder or a module."""
    if "database_url" in metafunc.fixturenames:
        metafunc.parametrize("database_url", DATABASES, indirect=True, scope="session")
