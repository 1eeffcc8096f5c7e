"""Module preload: the static imports of a page's scripts."""

import posixpath
import re
from functools import cache
from pathlib import Path

from flask import Flask

IMPORT = re.compile(r'^import\s[^;]*?"(\.[^"]+)";', re.MULTILINE)


def init_app(app: Flask) -> None:
    """Add `module_imports(*entries)` to the templates; its paths are relative to the static folder."""
    folder = Path(app.static_folder or "")
    app.jinja_env.globals["module_imports"] = lambda *entries: module_imports(folder, entries)


@cache
def module_imports(folder: Path, entries: tuple[str, ...]) -> tuple[str, ...]:
    """List the static imports of the scripts `entries`, direct and indirect, in breadth-first order.

    Paths are relative to `folder`; the entries themselves are left out. The files are read once.
    Raises FileNotFoundError when an imported file is missing.
    """
    modules = list(entries)
    for module in modules:  # grows during the loop
        for path in IMPORT.findall((folder / module).read_text("utf-8")):
            imported = posixpath.normpath(posixpath.join(posixpath.dirname(module), path))
            if imported not in modules:
                modules.append(imported)
    return tuple(modules[len(entries) :])
