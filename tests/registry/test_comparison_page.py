"""The page of a comparison, on the site and as a file."""

from dataclasses import replace
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient

from mnistweb.database.models import Promotion
from mnistweb.extensions import db
from mnistweb.formatting import percent
from mnistweb.recognition.comparison import Comparison, Disagreement, Reading
from mnistweb.registry.comparison_page import standalone_page
from tests.support.comparisons import comparison
from tests.support.databases import on_both_databases
from tests.support.rows import NOON

PICTURE = "data:image/png;base64,iVBORw0KGgo="
OF_A_VISITOR = "data:image/png;base64,AAAA"


def with_drawings() -> Comparison:
    """Return a comparison with a drawing of a frozen set, and one of the log."""
    three, five, none = (Reading(digit, "sure", 0.9) for digit in (3, 5, None))
    drawings = (
        Disagreement("mnist", 3, five, three, PICTURE),
        Disagreement("reviewed", None, none, five, OF_A_VISITOR, uuid4()),
    )
    return replace(comparison("lenet5", "1", "2"), disagreements=drawings, notes=("A note.",))


def promotion(app: Flask, made: Comparison | None) -> int:
    """Add a promotion on this comparison; return its number."""
    with app.app_context():
        row = Promotion(
            name="lenet5",
            version="2",
            previous="1",
            promoted_at=NOON,
            promoted_by="ada",
            reason="",
            comparison=made and made.as_json() | {"margin": 0.02},
        )
        db.session.add(row)
        db.session.commit()
        return row.id


def test_page_shows_figures_and_the_drawings_of_frozen_sets(app: Flask, client: FlaskClient) -> None:
    page = client.get(f"/models/lenet5/compare/{promotion(app, with_drawings())}").text
    for words in (
        "It may go live",
        "A note.",
        f"margin of {percent(0.02)}",
        "Reviewed drawings",
        "Right only now, MNIST",
        'alt="A 3, read as 5 before and as 3 now"',
        PICTURE,
    ):
        assert words in page
    assert OF_A_VISITOR not in page
    assert "Right only before" not in page.split("What they read differently")[1]


def test_file_shows_the_drawings_of_the_log_as_well(app: Flask) -> None:
    with app.app_context():
        page = standalone_page(with_drawings(), 0.01)
    assert OF_A_VISITOR in page
    assert 'alt="Not a digit, read as not a digit before and as 5 now"' in page
    assert "<script" not in page


def test_reasons_are_listed(app: Flask) -> None:
    with app.app_context():
        page = standalone_page(comparison("lenet5", "1", "2", gained=0, lost=90), 0.01)
    assert "It stays out" in page
    assert "On MNIST it is worse by 9.00" in page


@on_both_databases
@pytest.mark.parametrize(
    "path",
    [
        "/models/cnn/compare/{}",
        *(f"/models/lenet5/compare/{number}" for number in (0, 2**31 - 1, 2**31, 2**63)),
    ],
)
def test_other_addresses_are_not_found(app: Flask, client: FlaskClient, path: str) -> None:
    assert client.get(path.format(promotion(app, with_drawings()))).status_code == 404


def test_promotion_without_a_comparison_has_no_page(app: Flask, client: FlaskClient) -> None:
    assert client.get(f"/models/lenet5/compare/{promotion(app, None)}").status_code == 404
