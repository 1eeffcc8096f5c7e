"""A folder of pictures with an index."""

from pathlib import Path

import pytest
from PIL import Image

from mnistweb.recognition.zoo import WEIGHTS
from mnistweb.training.pen_strokes import DataFileError
from mnistweb.training.pictures import has_pictures, load_pictures
from tests.support.drawings import digit_png, encode


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two digits, something blank, and what is no picture at all."""
    (tmp_path / "drawn").mkdir()
    (tmp_path / "drawn" / "3.png").write_bytes(digit_png(3))
    (tmp_path / "drawn" / "7.png").write_bytes(digit_png(7))
    (tmp_path / "blank.png").write_bytes(encode(Image.new("L", (50, 50), 255)))
    (tmp_path / "text.png").write_bytes(b"text")
    rows = (
        "file\tdigit\tsource",
        "drawn/3.png\t3\ta",
        "drawn/7.png\t7\tb",
        "blank.png\tnone\t",
        "text.png\t2\t",
    )
    (tmp_path / "index.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return tmp_path


def test_pictures_are_read_as_on_the_site(folder: Path) -> None:
    assert has_pictures(folder)
    pictures = load_pictures(folder)
    assert pictures.labels.tolist() == [3, 7, 10, 2]
    assert pictures.kinds == ("drawn", "drawn", "picture", "picture")
    assert pictures.images[0].max() == 255
    assert not pictures.images[2:].any()


@pytest.mark.parametrize(
    "index",
    ["", "file\tdigit\n", "file\nx.png\n", "file\tdigit\nx.png\t12\n", "file\tdigit\nnowhere.png\t3\n"],
)
def test_broken_index_gives_one_error_sentence(folder: Path, index: str) -> None:
    (folder / "index.tsv").write_text(index, encoding="utf-8")
    with pytest.raises(DataFileError, match=r"index\.tsv"):
        load_pictures(folder)


def test_folder_without_an_index_has_no_pictures(tmp_path: Path) -> None:
    assert not has_pictures(tmp_path)


@pytest.mark.parametrize("arguments", [["--model", "cnn"], ["--json"]])
def test_evaluate_prints_figures_of_pictures(folder: Path, arguments: list[str]) -> None:
    from click.testing import CliRunner

    from mnistweb.cli import main

    command = ["evaluate", "--pictures", str(folder), "--weights", str(WEIGHTS), *arguments]
    result = CliRunner().invoke(main, command)
    assert result.exit_code == 0, result.output
    assert "drawn" in result.output
    assert "all digits" in result.output
