import random
import re
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from functools import partial
from itertools import islice, product
from typing import Any
from urllib.parse import parse_qsl

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event, text

from mnistweb.database.models import Source
from mnistweb.extensions import db
from mnistweb.predictions import queries
from mnistweb.predictions.filter_fields import DIGITS, FIELDS, Verdict
from mnistweb.predictions.filters import Filter, parse_filter
from mnistweb.predictions.pagination import Order
from mnistweb.recognition.boundaries import Certainty
from mnistweb.recognition.errors import UserError
from tests.support.quick import QUICK
from tests.support.rows import NOON, add, row

LABELLED = {"labelled_at": NOON}
ROWS: dict[str, dict[str, Any]] = {
    "three": {"digit": 3},
    "three, rightly": {"digit": 3, "label": 3, **LABELLED},
    "three, but an eight": {"digit": 3, "label": 8, **LABELLED},
    "three, but no digit": {"digit": 3, "label": None, **LABELLED},
    "refused": {"digit": None},
    "refused, rightly": {"digit": None, "label": None, **LABELLED},
    "refused, but an eight": {"digit": None, "label": 8, **LABELLED},
    "another's": {"visitor": "another"},
    "upload": {"source": Source.UPLOAD},
    "lenet5": {"model": "lenet5"},
    "sure": {"confidence": 0.99},
    "unsure": {"confidence": 0.3},
    "in doubt": {"doubtful": True},
    "in doubt, rightly": {"doubtful": True, "label": 3, **LABELLED},
    "in doubt, but an eight": {"doubtful": True, "label": 8, **LABELLED},
    "asked for, and read so": {"prompt": 3},
    "asked for a four": {"prompt": 4},
    "yesterday": {"created_at": NOON - timedelta(days=1)},
    "last moment": {"created_at": datetime(2026, 1, 1, 23, 59, 59, 999_999, UTC)},
    "tomorrow": {"created_at": datetime(2026, 1, 2, tzinfo=UTC)},
}


def found(given: dict[str, str]) -> set[str]:
    conditions = parse_filter(given).conditions("someone")
    return {prediction.model_version for prediction in queries.page(conditions, None, 100).items}


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ({}, set(ROWS)),
        ({"mine": "1"}, set(ROWS) - {"another's"}),
        ({"model": "lenet5"}, {"lenet5"}),
        ({"model": "no such"}, set()),
        ({"digit": "3"}, {name for name in ROWS if not name.startswith("refused")}),
        ({"digit": "none"}, {"refused", "refused, rightly", "refused, but an eight"}),
        ({"refused": "1"}, {"refused", "refused, rightly", "refused, but an eight"}),
        ({"refused": "1", "digit": "3"}, set()),
        ({"certainty": "doubtful"}, {name for name in ROWS if name.startswith("in doubt")}),
        ({"certainty": "doubtful", "digit": "3", "verdict": "right"}, {"in doubt, rightly"}),
        ({"certainty": "doubtful", "digit": "none"}, set()),
        ({"certainty": "sure"}, {name for name in ROWS if not name.startswith(("refused", "in doubt"))}),
        ({"certainty": "sure", "verdict": "right"}, {"three, rightly"}),
        ({"certainty": "not_a_digit"}, {name for name in ROWS if name.startswith("refused")}),
        ({"certainty": "not_a_digit", "verdict": "wrong"}, {"refused, but an eight"}),
        ({"label": "8"}, {"three, but an eight", "in doubt, but an eight", "refused, but an eight"}),
        ({"label": "none"}, {"three, but no digit", "refused, rightly"}),
        ({"prompt": "3"}, {"asked for, and read so"}),
        ({"prompt": "4", "digit": "3"}, {"asked for a four"}),
        ({"prompt": "4", "digit": "4"}, set()),
        ({"verdict": "right"}, {name for name in ROWS if name.endswith("rightly")}),
        ({"verdict": "wrong"}, {name for name in ROWS if ", but" in name}),
        ({"verdict": "labelled"}, {name for name, row in ROWS.items() if "labelled_at" in row}),
        ({"verdict": "labelled", "label": "8"}, {name for name in ROWS if name.endswith("but an eight")}),
        ({"verdict": "unlabelled"}, {name for name, row in ROWS.items() if "labelled_at" not in row}),
        ({"verdict": "wrong", "digit": "3", "label": "8"}, {"three, but an eight", "in doubt, but an eight"}),
        ({"source": "upload"}, {"upload"}),
        ({"confidence_min": "0.99"}, {"sure"}),
        ({"confidence_below": "0.99"}, set(ROWS) - {"sure"}),
        ({"confidence_min": "0.3", "confidence_below": "0.9"}, {"unsure"}),
        ({"confidence_min": "0"}, set(ROWS)),
        ({"confidence_below": "3e-1"}, set()),
        ({"to": "2025-12-31"}, {"yesterday"}),
        ({"from": "2026-01-02"}, {"tomorrow"}),
        ({"from": "2026-01-01", "to": "2026-01-01"}, set(ROWS) - {"yesterday", "tomorrow"}),
        ({"from": "0001-01-01", "to": "9999-12-31"}, set(ROWS)),
        ({"from": "2026-01-02", "to": "2026-01-01"}, set()),
        ({"mine": "", "model": "", "digit": "", "verdict": "", "from": ""}, set(ROWS)),
    ],
)
def test_filter_selects_matching_predictions(app: Flask, given: dict[str, str], names: set[str]) -> None:
    with app.app_context():
        add(*(row(**({"model_version": name} | fields)) for name, fields in ROWS.items()))
        assert found(given) == names


@pytest.mark.parametrize(
    "given",
    [
        {"mine": "yes"},
        {"model": "a" * 65},
        {"model": "\x00"},
        {"digit": "10"},
        {"digit": "٣"},
        {"label": "-1"},
        {"prompt": "none"},
        {"prompt": "10"},
        {"verdict": "Right"},
        {"refused": "0"},
        {"certainty": "Sure"},
        {"certainty": "unsure"},
        {"source": "elsewhere"},
        {"confidence_min": "1.01"},
        {"confidence_min": "nan"},
        {"confidence_below": "-0.1"},
        {"confidence_below": "90 %"},
        {"confidence_below": "1_0"},
        {"from": "2026-02-30"},
        {"from": "20260131"},
        {"to": "2026-W05-6"},
        {"to": "yesterday"},
    ],
)
def test_invalid_value_is_rejected_with_its_parameter(given: dict[str, str]) -> None:
    [key] = given
    with pytest.raises(UserError, match=f"“{key}” must be") as raised:
        parse_filter(given)
    assert raised.value.code == "invalid_filter"


FILTERS = st.builds(
    Filter,
    mine=st.booleans(),
    model=st.none() | st.sampled_from(["cnn", "a network & more"]),
    digit=st.none() | st.sampled_from(DIGITS),
    label=st.none() | st.sampled_from(DIGITS),
    prompt=st.none() | st.sampled_from(DIGITS[:10]),
    verdict=st.none() | st.sampled_from(Verdict),
    certainty=st.none() | st.sampled_from(Certainty),
    refused=st.booleans(),
    confidence_min=st.none() | st.floats(0, 1),
    confidence_below=st.none() | st.floats(0, 1),
    source=st.none() | st.sampled_from(Source),
    first=st.none() | st.dates(min_value=date(1000, 1, 1)),
    last=st.none() | st.dates(min_value=date(1000, 1, 1)),
)


@given(FILTERS)
def test_filter_round_trips_through_the_query_string(wanted: Filter) -> None:
    assert parse_filter(wanted.query()) == wanted
    assert len(wanted.words({})) == len(wanted.query())


@given(st.dictionaries(st.sampled_from([field.key for field in FIELDS.values()]), st.text()))
def test_parsing_raises_only_user_errors(given: dict[str, str]) -> None:
    with suppress(UserError):
        parse_filter(given)


def test_combined_filters_equal_a_reference_implementation(app: Flask) -> None:
    choices = product(
        ("", "3", "8", "none"), ("", "3", "8", "none"), ("", *Verdict), ("", *Certainty), ("", "1")
    )
    with app.app_context():
        add(*(row(model_version=name, **fields) for name, fields in ROWS.items()))
        for digit, label, verdict, certainty, refused in islice(choices, 0, None, 11 if QUICK else 1):
            given = {"digit": digit, "label": label, "verdict": verdict, "refused": refused}
            given |= {"certainty": certainty}
            assert found(given) == {name for name, fields in ROWS.items() if meets(fields, given)}, given


def meets(fields: dict[str, Any], given: dict[str, str]) -> bool:
    digit, label, labelled = fields.get("digit", 3), fields.get("label"), "labelled_at" in fields
    certainty = "not_a_digit" if digit is None else "doubtful" if fields.get("doubtful") else "sure"

    def is_digit(number: int | None, name: str) -> bool:
        return number == (None if name == "none" else int(name))

    verdicts = {"labelled", "right" if digit == label else "wrong"} if labelled else {"unlabelled"}
    return (
        (not given["digit"] or is_digit(digit, given["digit"]))
        and (not given["label"] or (labelled and is_digit(label, given["label"])))
        and (not given["verdict"] or given["verdict"] in verdicts)
        and (not given["certainty"] or given["certainty"] == certainty)
        and (not given["refused"] or digit is None)
    )


@pytest.mark.parametrize(
    "given",
    [
        {"digit": "3", "refused": "1"},
        {"label": "3", "verdict": "unlabelled"},
        {"digit": "3", "label": "3", "verdict": "wrong"},
        {"digit": "3", "label": "8", "verdict": "right"},
        {"refused": "1", "label": "none", "verdict": "wrong"},
        {"certainty": "sure", "digit": "none"},
        {"certainty": "not_a_digit", "digit": "3"},
        {"certainty": "not_a_digit", "label": "3", "verdict": "right"},
        {"certainty": "doubtful", "label": "none", "verdict": "right"},
        {"confidence_min": "0.9", "confidence_below": "0.9"},
    ],
)
def test_contradictory_filter_runs_no_scan(given: dict[str, str]) -> None:
    assert [str(each) for each in parse_filter(given).conditions("someone")] == ["false"]


def test_filters_use_indexes_without_scan_or_sort(app: Flask) -> None:
    filters = ["mine=1", "model=lenet5", "digit=3", "digit=none", "label=3", "label=none", "verdict=right"]
    filters += ["verdict=wrong", "verdict=unlabelled", "source=upload", "from=2026-01-01", "to=2026-01-01"]
    filters += ["verdict=labelled", "refused=1", "certainty=doubtful", "certainty=not_a_digit"]
    by_confidence = ["", "verdict=wrong", "confidence_min=0.9", "confidence_below=0.7"]
    with app.app_context():
        fill(1500)
        cursor = queries.page([], None, 700).next
        asked = [*product(filters, (Order.NEWEST, Order.OLDEST))]
        asked += product(by_confidence, (Order.SUREST, Order.LEAST_SURE))
        for (given, order), after in product(asked, (None, cursor)):
            conditions = parse_filter(dict(parse_qsl(given))).conditions("someone")
            plan = plan_of(partial(queries.page, conditions, after, 50, order=order))
            assert "ix_prediction_" in plan, (given, order)
            assert not re.search("sort|seq scan|temp b-tree", plan, re.IGNORECASE), (given, order, plan)


def test_former_name_of_not_a_digit_is_one_filter_with_the_new() -> None:
    assert parse_filter({"refused": "1"}).query() == {"digit": "none"}
    assert parse_filter({"refused": "1", "digit": "none"}).words({}) == ["read as not a digit"]


def fill(count: int) -> None:
    """Add rows of every kind, none frequent enough for a full scan."""
    kinds = random.Random(1)
    rows = []
    for number in range(count):
        digit, label, labelled = (
            kinds.choice([None, *range(10)]),
            kinds.choice([None, *range(10)]),
            number % 4,
        )
        rows.append(
            row(
                NOON - timedelta(seconds=number),
                visitor=f"visitor {number % 40}",
                model=kinds.choice(["cnn"] * 9 + ["lenet5"]),
                source=kinds.choice([Source.SLATE] * 9 + [Source.UPLOAD]),
                digit=digit,
                confidence=kinds.random(),
                label=digit if labelled == 1 else label if labelled > 1 else None,
                labelled_at=NOON if labelled else None,
            )
        )
    add(*rows)
    db.session.execute(text("ANALYZE"))
    db.session.commit()


def plan_of(ask: Callable[[], object]) -> str:
    """Return the query plan of the one statement that `ask` sends."""
    sent: list[tuple[str, Any]] = []

    def keep(_connection: object, _cursor: object, statement: str, parameters: Any, *_: object) -> None:
        sent.append((statement, parameters))

    event.listen(db.engine, "before_cursor_execute", keep)
    ask()
    event.remove(db.engine, "before_cursor_execute", keep)
    [(statement, parameters)] = sent
    explain = "EXPLAIN QUERY PLAN"
    if db.engine.dialect.name == "postgresql":
        explain = "EXPLAIN"
        # For a small table the planner would prefer to sort.
        for way in ("seqscan", "bitmapscan", "sort"):
            db.session.execute(text(f"SET LOCAL enable_{way} = off"))
    rows = db.session.connection().exec_driver_sql(f"{explain} {statement}", parameters)
    plan = "\n".join(" ".join(map(str, found)) for found in rows)
    db.session.rollback()
    return plan
