"""Model repository for Triton."""

import dataclasses
import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from mnistweb.cli import main
from mnistweb.recognition.model_card import ModelCard, parse_card, read_cards, sha256_of
from mnistweb.recognition.remote.triton import configuration
from mnistweb.recognition.zoo import WEIGHTS

CARDS = read_cards(WEIGHTS)


def versions(config: str) -> list[int]:
    """The versions that Triton serves."""
    return [int(version) for version in re.findall(r"versions: \[ (\d+) \]", config)]


def card_of(config: str) -> ModelCard:
    """The card in a configuration, whose strings have JSON's escapes."""
    (text,) = re.findall(r'key: "card" value: \{ string_value: ("(?:[^"\\]|\\.)*") \}', config)
    return parse_card(json.loads(text))


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    result = CliRunner().invoke(main, ["models", "export", "--triton", str(tmp_path / "new" / "repository")])
    assert result.exit_code == 0, result.output
    assert len(result.output.splitlines()) == len(CARDS)
    return tmp_path / "new" / "repository"


def test_repository_has_every_model_in_tritons_format(repository: Path) -> None:
    assert {path.name for path in repository.iterdir()} == set(CARDS)
    for name, card in CARDS.items():
        config = (repository / name / "config.pbtxt").read_text(encoding="utf-8")
        (version,) = versions(config)
        files = {str(path.relative_to(repository / name)) for path in (repository / name).rglob("*.*")}
        assert files == {"config.pbtxt", f"{version}/model.pt"}
        assert sha256_of((repository / name / str(version) / "model.pt").read_bytes()) == card.sha256
        assert f"{version:012x}" == card.version
        assert config.startswith(f'name: "{name}"\nplatform: "pytorch_libtorch"\n')
        assert '{ name: "INPUT__0" data_type: TYPE_UINT8 dims: [ 28, 28 ] }' in config
        assert '{ name: "OUTPUT__0" data_type: TYPE_FP32 dims: [ 11 ] }' in config
        assert card_of(config) == card


def test_any_text_of_a_card_survives_the_configuration() -> None:
    card = dataclasses.replace(CARDS["cnn"], summary='Of "x",\n\ttwo\\three, é × ☃ and 😀.')
    assert card_of(configuration(card, 5)) == card


def test_new_version_is_added_and_served(repository: Path, tmp_path: Path) -> None:
    weights = tmp_path / "weights"
    weights.mkdir()
    (weights / "cnn.pt").write_bytes(b"newer")
    dataclasses.replace(CARDS["cnn"], version="abc").write(weights / "cnn.json")
    command = ["models", "--weights", str(weights), "export", "--triton", str(repository)]
    assert CliRunner().invoke(main, command).exit_code == 0
    assert (repository / "cnn" / "2748" / "model.pt").read_bytes() == b"newer"
    assert len([path for path in (repository / "cnn").iterdir() if path.is_dir()]) == 2
    assert versions((repository / "cnn" / "config.pbtxt").read_text(encoding="utf-8")) == [2748]


def test_version_that_is_not_a_number_is_an_error(tmp_path: Path) -> None:
    dataclasses.replace(CARDS["cnn"], version="new one").write(tmp_path / "cnn.json")
    command = ["models", "--weights", str(tmp_path), "export", "--triton", str(tmp_path / "repository")]
    result = CliRunner().invoke(main, command)
    assert result.exit_code == 1
    assert result.output == "Error: cnn: its version 'new one' is no number\n"
