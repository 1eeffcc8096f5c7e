"""`mnistweb review password`."""

import pytest
from click.testing import CliRunner
from werkzeug.security import check_password_hash

from mnistweb.cli import main
from mnistweb.config import ConfigError, load

PASSWORD = "correct horse battery"


def test_the_line_for_the_environment_holds_the_hash() -> None:
    result = CliRunner().invoke(main, ["review", "password"], input=f"{PASSWORD}\n{PASSWORD}\n")
    assert result.exit_code == 0
    name, _, value = result.stdout.strip().partition("=")
    assert name == "REVIEW_PASSWORD_HASH"
    assert "$" not in value
    assert PASSWORD not in result.output
    for written in (value, value.replace("/", "$")):
        kept = load({name: written})[name]
        assert check_password_hash(kept, PASSWORD)
        assert repr(kept) == "'(hidden)'"


def test_a_short_password_is_refused() -> None:
    result = CliRunner().invoke(main, ["review", "password"], input="short\nshort\n")
    assert result.exit_code == 1
    assert "12 characters" in result.output


@pytest.mark.parametrize(
    "value", ["secret", "scrypt:1:1:1", "pbkdf2:sha256:1/a/0", "scrypt:1:1:1$a/0", "scrypt:a:1:1/a/0"]
)
def test_another_text_stops_the_start(value: str) -> None:
    with pytest.raises(ConfigError, match="REVIEW_PASSWORD_HASH must be a line"):
        load({"REVIEW_PASSWORD_HASH": value})
