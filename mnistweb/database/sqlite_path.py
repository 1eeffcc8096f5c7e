"""The path of an SQLite database."""

from sqlalchemy import Engine


def sqlite_path(engine: Engine) -> str:
    """Return the path of an SQLite file, or "" for one in memory, one given as a URI, and other databases."""
    path = engine.url.database or ""
    return "" if engine.dialect.name != "sqlite" or path.startswith(("file:", ":memory:")) else path
