"""The model repository for Triton, read by the schema of Triton's own client."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from google.protobuf import text_format
from tritonclient.grpc import model_config_pb2

from mnistweb.cli import main
from mnistweb.recognition.card import parse_card, read_cards, sha256_of
from mnistweb.recognition.triton import configuration
from mnistweb.recognition.zoo import WEIGHTS

CARDS = read_cards(WEIGHTS)


def parse(text: str) -> Any:
    return text_format.Parse(text, model_config_pb2.ModelConfig())


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    result = CliRunner().invoke(main, ["models", "export", "--triton", str(tmp_path / "new" / "repository")])
    assert result.exit_code == 0, result.output
    assert len(result.output.splitlines()) == len(CARDS)
    return tmp_path / "new" / "repository"


def test_every_network_is_there_as_triton_wants_it(repository: Path) -> None:
    assert {path.name for path in repository.iterdir()} == set(CARDS)
    for name, card in CARDS.items():
        config = parse((repository / name / "config.pbtxt").read_text(encoding="utf-8"))
        (version,) = config.version_policy.specific.versions
        files = {str(path.relative_to(repository / name)) for path in (repository / name).rglob("*.*")}
        assert files == {"config.pbtxt", f"{version}/model.pt"}
        assert sha256_of((repository / name / str(version) / "model.pt").read_bytes()) == card.sha256
        assert f"{version:012x}" == card.version
        assert (config.name, config.platform) == (name, "pytorch_libtorch")
        (given,), (wanted,) = config.input, config.output
        assert (given.name, given.data_type, list(given.dims)) == (
            "INPUT__0",
            model_config_pb2.TYPE_UINT8,
            [28, 28],
        )
        assert (wanted.name, wanted.data_type, list(wanted.dims)) == (
            "OUTPUT__0",
            model_config_pb2.TYPE_FP32,
            [11],
        )


def test_the_card_goes_along_whatever_it_says() -> None:
    card = dataclasses.replace(CARDS["cnn"], summary='Of "x",\n\ttwo\\three, é × ☃ and 😀.')
    config = parse(configuration(card, 5))
    assert parse_card(config.parameters["card"].string_value) == card


def test_a_new_version_comes_beside_the_old_one(repository: Path, tmp_path: Path) -> None:
    weights = tmp_path / "weights"
    weights.mkdir()
    (weights / "cnn.pt").write_bytes(b"newer")
    dataclasses.replace(CARDS["cnn"], version="abc").write(weights / "cnn.json")
    command = ["models", "--weights", str(weights), "export", "--triton", str(repository)]
    assert CliRunner().invoke(main, command).exit_code == 0
    assert (repository / "cnn" / "2748" / "model.pt").read_bytes() == b"newer"
    assert len([path for path in (repository / "cnn").iterdir() if path.is_dir()]) == 2
    config = parse((repository / "cnn" / "config.pbtxt").read_text(encoding="utf-8"))
    assert list(config.version_policy.specific.versions) == [2748]


def test_a_version_that_is_no_number_is_one_sentence(tmp_path: Path) -> None:
    dataclasses.replace(CARDS["cnn"], version="new one").write(tmp_path / "cnn.json")
    command = ["models", "--weights", str(tmp_path), "export", "--triton", str(tmp_path / "repository")]
    result = CliRunner().invoke(main, command)
    assert result.exit_code == 1
    assert result.output == "Error: cnn: its version 'new one' is no number\n"
