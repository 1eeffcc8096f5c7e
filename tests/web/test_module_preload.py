"""The list of preloaded modules follows the import statements."""

import re
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from mnistweb.web.module_preload import module_imports


def write(folder: Path, **modules: str) -> None:
    for name, text in modules.items():
        (folder / f"{name}.js").write_text(text)


def test_imports_are_followed_once(tmp_path: Path) -> None:
    (tmp_path / "pages").mkdir()
    (tmp_path / "lib").mkdir()
    write(
        tmp_path / "pages", draw='import { a } from "../lib/a.js";\nimport {\n  b,\n} from "../lib/b.js";\n'
    )
    write(tmp_path / "lib", a='import { b } from "./b.js";\n', b='import { a } from "./a.js";\n')
    assert module_imports(tmp_path, ("pages/draw.js",)) == ("lib/a.js", "lib/b.js")


def test_entries_and_dynamic_imports_are_left_out(tmp_path: Path) -> None:
    write(tmp_path, one='import "./two.js";\n', two='const { c } = await import("./three.js");\n')
    assert module_imports(tmp_path, ("one.js", "two.js")) == ()


def test_a_missing_module_is_an_error(tmp_path: Path) -> None:
    write(tmp_path, one='import { a } from "./gone.js";\n')
    with pytest.raises(FileNotFoundError):
        module_imports(tmp_path, ("one.js",))


@pytest.mark.parametrize("path", ["/", "/history", "/models"])
def test_page_preloads_the_imports_of_its_scripts(app: Flask, client: FlaskClient, path: str) -> None:
    page = client.get(path).text
    scripts = re.findall(r'<script type="module" src="/static/[0-9a-f]{12}/([^"]+)"', page)
    preloaded = re.findall(r'<link rel="modulepreload" href="/static/[0-9a-f]{12}/([^"]+)"', page)
    assert ("js/pages/draw.js" in scripts) == (path == "/")
    assert tuple(preloaded) == module_imports(Path(app.static_folder or ""), tuple(scripts))
    assert "js/lib/theme.js" in preloaded
