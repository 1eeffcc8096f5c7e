"""Limits of documentation and docstrings: short sentences, plain words, one page of README, working links."""

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
README = ROOT / "README.md"
MAX_SENTENCE_WORDS = 25
SOURCES = sorted(
    path for folder in ("deploy", "migrations", "mnistweb", "tests") for path in (ROOT / folder).rglob("*.py")
)
AVOIDED_BEGINNING = r"(What|Who|Whoever|Whether|Where|How|Nobody)\b"
AVOIDED = r"\b(whoever|whatever|nobody|of what|of which|what is|what was|that which)\b"

CODE_BLOCK = re.compile(r"^```.*?^```$|^(?: {4}[^\n]*\n)+", re.MULTILINE | re.DOTALL)
HTML = re.compile(r"<!--.*?-->|<(\w+)[^>]*>.*?</\1>", re.DOTALL)
IMAGE = re.compile(r"!\[[^]]*\]\([^)]*\)")
LINK = re.compile(r"\[([^]]+)\]\(([^)]+)\)")
NEW_BLOCK = re.compile(r"^(?:[*-] |\d+\. |#+ |\|)")


def identify(path: Path) -> str:
    return str(path.relative_to(ROOT))


def blocks(text: str) -> Iterator[str]:
    """Yield paragraphs, list items and headings, each in one line, without code, tables and images."""
    for pattern in (CODE_BLOCK, HTML, IMAGE):
        text = pattern.sub("", text)
    text = re.sub(r"`[^`]*`", "Code", LINK.sub(r"\1", text))
    block: list[str] = []
    for line in [*text.splitlines(), ""]:
        if not line.strip() or NEW_BLOCK.match(line.strip()):
            if block:
                yield " ".join(block)
            block = []
        if line.strip() and not line.startswith("|"):
            block.append(NEW_BLOCK.sub("", line.strip()))


def sentences(text: str) -> Iterator[str]:
    for block in blocks(text):
        yield from re.split(r"(?<=[.!?])[\"*)]*\s+(?=[^a-z])", block)


def docstrings(path: Path) -> Iterator[str]:
    """Yield docstrings of modules, classes and functions, and strings that describe constants."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Expr(value=ast.Constant(value=str(text))):
                yield inspect.cleandoc(text)


def anchors(path: Path) -> set[str]:
    """Return the anchors of a page's headings, in GitHub's form."""
    text = CODE_BLOCK.sub("", path.read_text(encoding="utf-8"))
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def targets(text: str) -> list[str]:
    """Return all relative addresses in the text."""
    text = re.sub(r"`[^`]*`", "", CODE_BLOCK.sub("", text))
    found = [target for _, target in LINK.findall(text)]
    found += re.findall(r'(?:src|srcset)="([^"]+)"', text)
    return [target for target in found if not re.match(r"[a-z]+:", target)]


@pytest.mark.parametrize("document", PAGES, ids=identify)
def test_sentences_are_short(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    assert [each for each in sentences(text) if len(each.split()) > MAX_SENTENCE_WORDS] == []


@pytest.mark.parametrize("document", PAGES, ids=identify)
def test_words_are_plain(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    assert [block for block in blocks(text) if re.search(AVOIDED, block, re.IGNORECASE)] == []


@pytest.mark.parametrize("source", SOURCES, ids=identify)
def test_docstrings_are_short_and_plain(source: Path) -> None:
    found = [each for docstring in docstrings(source) for each in sentences(docstring)]
    assert [each for each in found if len(each.split()) > MAX_SENTENCE_WORDS] == []
    assert [each for each in found if re.match(AVOIDED_BEGINNING, each)] == []


@pytest.mark.parametrize("document", PAGES, ids=identify)
def test_relative_links_and_anchors_resolve(document: Path) -> None:
    broken = []
    for target in targets(document.read_text(encoding="utf-8")):
        file, _, anchor = target.partition("#")
        linked = (document.parent / file).resolve() if file else document
        if not linked.exists() or (anchor and anchor not in anchors(linked)):
            broken.append(target)
    assert broken == []


def test_readme_is_one_page() -> None:
    lines = README.read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 100
    assert max(map(len, lines)) <= 120


def test_sentence_check_ignores_code_tables_and_comments() -> None:
    long = " ".join(["word"] * (MAX_SENTENCE_WORDS + 1))
    page = f"# Title\n\n    command\n\nShort. {long}.\n"
    assert max(len(each.split()) for each in sentences(page)) > MAX_SENTENCE_WORDS
    for excluded in (f"    {long}\n", f"```\n{long}\n```\n", f"| {long} |\n", f"<!-- {long} -->\n"):
        assert all(len(each.split()) <= MAX_SENTENCE_WORDS for each in sentences(f"Short.\n\n{excluded}"))


def test_docstrings_of_all_kinds_are_found(tmp_path: Path) -> None:
    source = tmp_path / "module.py"
    source.write_text(
        '"""Module."""\nLIMIT = 3\n"""Constant."""\n\n\nclass A:\n    """Class."""\n\n'
        '    def b(self):\n        """Method."""\n        return "no docstring"\n'
    )
    assert list(docstrings(source)) == ["Module.", "Constant.", "Class.", "Method."]
