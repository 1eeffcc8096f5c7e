"""The story of a site that learns, with the digits of the tests instead of those of people."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import Engine

from mnistweb.cli import main
from mnistweb.recognition.comparison import REVIEWED
from tests.support.learning import Scale, lines, tell
from tests.support.story import WRITERS, own_samples

pytestmark = [pytest.mark.process, pytest.mark.usefixtures("few_pictures")]
TRAINING = ("--epochs", "1", "--steps", "60", "--bank", "0.001", "--device", "cpu")


def call(arguments: Sequence[str], environment: Mapping[str, str]) -> str:
    """Call the command line in this process, where few pictures are drawn."""
    result = CliRunner(env=environment).invoke(main, arguments)
    assert result.exit_code == 0, result.output
    return result.output


def test_a_way_of_writing_is_learnt_and_malice_is_not(
    empty_database: Engine, data_dir: Path, tmp_path: Path
) -> None:
    url = empty_database.url.render_as_string(hide_password=False)
    people = [own_samples()] * WRITERS
    told = tell(
        url, people, people, data_dir, tmp_path, Scale(drawings=21, probes=3, training=TRAINING), call
    )
    print("\n".join(lines(told)))
    assert told.before < 0.5 < told.live
    assert told.after_rollback == told.before
    assert told.false_claims > told.claims / 10
    assert told.reviewed == told.claims
    result = told.comparisons["reviewed"].set_named(REVIEWED)
    assert result
    assert result.better
    assert told.comparisons["reviewed"].decision().passes
