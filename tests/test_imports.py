"""Imports of test modules: helpers come from tests.support only."""

import ast
from pathlib import Path

TESTS = Path(__file__).parent
HELPERS = "tests.support"
PROGRAMS = "tests.system"  # which tests may test, as they do the package
FILES = sorted(
    path
    for path in TESTS.rglob("*.py")
    if path.name.startswith("test_") or path.name == "conftest.py" or "support" in path.parts
)


def imported(source: str) -> set[str]:
    """Return the full names of the modules that a file imports from the tests."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {f"{'.' * node.level}{node.module or ''}.{alias.name}" for alias in node.names}
    return {name for name in names if name.startswith(("tests.", "."))}


def is_helper(name: str, folders: tuple[str, ...]) -> bool:
    """Check that a module is in one of the folders, and is no test module."""
    parts = name.split(".")
    return name.startswith(folders) and not any(part.startswith(("test_", "conftest")) for part in parts)


def test_helpers_come_from_support() -> None:
    wrong = {}
    for file in FILES:
        folders = (HELPERS,) if "support" in file.parts else (HELPERS, PROGRAMS)
        names = {name for name in imported(file.read_text()) if not is_helper(name, folders)}
        if names:
            wrong[str(file)] = names
    assert wrong == {}


def test_imports_of_other_test_modules_are_found() -> None:
    source = "import tests.web\nfrom tests.web import test_access\nfrom .conftest import app\nimport ast"
    assert imported(source) == {"tests.web", "tests.web.test_access", ".conftest.app"}
