"""The tallies say what counting the log would say."""

import random
import threading
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from functools import partial
from typing import Any

import flask_migrate
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, delete, event, func, select
from sqlalchemy.exc import OperationalError

from mnistweb.app import create_database_app
from mnistweb.database.models import ConfidenceTally, Prediction, Span, Tally
from mnistweb.extensions import db
from mnistweb.predictions import aggregates as tallies
from mnistweb.predictions import service
from mnistweb.predictions.feedback import give_feedback
from mnistweb.predictions.queries import get
from tests.support.clients import predict
from tests.support.faults import broken_log
from tests.support.rows import NOON, row

Counts = dict[tuple[Any, ...], Any]


def counted() -> Counts:
    """All that is not zero, over all shards; confidences to nine decimals."""
    key = (Tally.span, Tally.start, Tally.model, Tally.digit, Tally.label)
    readings = db.session.execute(select(*key, func.sum(Tally.count)).group_by(*key))
    found: Counts = {tuple(each[:-1]): each[-1] for each in readings if each[-1]}
    for each in db.session.scalars(select(ConfidenceTally).where(ConfidenceTally.count != 0)):
        certainty = (each.span, each.start, each.model, each.tenth, each.correct, "confidence")
        found[certainty] = each.count, round(each.confidence, 9)
    db.session.expire_all()
    db.session.rollback()
    return found


def recounted() -> Counts:
    """What the log says."""
    tallies.recount(db.session())
    db.session.commit()
    return counted()


def save(prediction: Prediction) -> uuid.UUID:
    service._save(prediction)
    assert prediction.saved
    return prediction.id


def drawn(chance: random.Random) -> Prediction:
    return row(
        NOON + timedelta(hours=chance.uniform(-1000, 1000)),
        digit=chance.choice([*range(10), None]),
        confidence=chance.choice([0.0, 0.1, 0.3, 0.7, 0.9, 1.0, chance.random()]),
        model=chance.choice(["cnn", "linear", "ein Netz – 数"]),
    )


def remove(*ids: uuid.UUID) -> None:
    statement = delete(Prediction).where(Prediction.id.in_(ids)).returning(*tallies.COLUMNS)
    tallies.apply_changes(db.session(), removed=db.session.execute(statement).all())
    db.session.commit()


def test_an_empty_log_is_no_tally(app: Flask) -> None:
    with app.app_context():
        assert counted() == {}
        assert recounted() == {}


def test_a_prediction_counts_on_its_day_and_in_its_month(app: Flask) -> None:
    # In Kiritimati it is the first of February already.
    late = datetime(2026, 2, 1, 9, tzinfo=timezone(timedelta(hours=14)))
    with app.app_context():
        save(row(late, digit=None))
        assert counted() == {
            (Span.DAY, datetime(2026, 1, 31).date(), "cnn", tallies.NONE, tallies.UNLABELLED): 1,
            (Span.MONTH, datetime(2026, 1, 1).date(), "cnn", tallies.NONE, tallies.UNLABELLED): 1,
        }


def test_feedback_moves_the_count(app: Flask) -> None:
    day, month = (Span.DAY, NOON.date(), "cnn"), (Span.MONTH, NOON.date(), "cnn")
    with app.app_context():
        prediction_id = save(row(digit=3, confidence=0.9))
        for label, as_counted in ((8, 8), (3, 3), (None, tallies.NONE), (None, tallies.NONE)):
            give_feedback(prediction_id, "someone", label)
            correct = label == 3
            assert counted() == {
                (*day, 3, as_counted): 1,
                (*month, 3, as_counted): 1,
                (*day, 9, correct, "confidence"): (1, 0.9),
                (*month, 9, correct, "confidence"): (1, 0.9),
            }


def test_what_was_not_saved_is_not_counted(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        with broken_log():
            service._save(row())
        assert counted() == {}
    predict(client)
    with app.app_context():
        assert sum(counted().values()) == 2


def test_what_cannot_be_counted_is_not_saved(app: Flask) -> None:
    def fail(*given: Any) -> None:
        if "INTO tally" in given[2]:
            raise OperationalError("INSERT", {}, Exception("the server closed the connection"))

    with app.app_context():
        event.listen(db.engine, "before_cursor_execute", fail)
        prediction = row()
        service._save(prediction)
        event.remove(db.engine, "before_cursor_execute", fail)
        assert not prediction.saved
        assert db.session.scalar(select(func.count(Prediction.id))) == 0


@pytest.mark.parametrize("seed", range(3))
def test_after_any_sequence_of_changes_the_tallies_are_those_of_a_recount(app: Flask, seed: int) -> None:
    chance = random.Random(seed)
    with app.app_context():
        ids: list[uuid.UUID] = []
        for _ in range(120):
            match chance.choice("pppffffd") if ids else "p":
                case "p":
                    ids.append(save(drawn(chance)))
                case "f":
                    give_feedback(chance.choice(ids), "someone", chance.choice([*range(10), None]))
                case "d":
                    chance.shuffle(ids)
                    remove(*ids[:2])
                    del ids[:2]
        kept = counted()
        assert kept
        assert kept == recounted()


def test_when_all_is_deleted_nothing_is_left(app: Flask) -> None:
    chance = random.Random(5)
    with app.app_context():
        ids = [save(drawn(chance)) for _ in range(40)]
        for each in ids[::2]:
            give_feedback(each, "someone", 3)
        remove(*ids)
        assert counted() == {}


def at_once(app: Flask, works: list[Callable[[], None]]) -> None:
    """Run each in a thread of its own, all started together; re-raises what one raised."""
    failures: list[BaseException] = []
    barrier = threading.Barrier(len(works))

    def run(work: Callable[[], None]) -> None:
        try:
            with app.app_context():
                barrier.wait(30)
                work()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert not failures


def test_writers_at_once_are_all_counted_and_none_waits_forever(app: Flask) -> None:
    with app.app_context():
        shared = [save(row(digit=digit)) for digit in (3, 3, 8, None)]

    def write(seed: int) -> None:
        chance = random.Random(seed)
        for _ in range(12):
            save(row(digit=chance.choice([3, 8])))
            give_feedback(chance.choice(shared), "someone", chance.choice([3, 8, None]))

    at_once(app, [partial(write, seed) for seed in range(4)])
    with app.app_context():
        kept = counted()
        assert sum(count for key, count in kept.items() if key[0] == Span.DAY and len(key) == 5) == 4 + 4 * 12
        assert kept == recounted()


def test_of_feedbacks_at_once_one_counts(app: Flask) -> None:
    with app.app_context():
        prediction_id = save(row())

    def say(label: int) -> None:
        give_feedback(prediction_id, "someone", label)

    at_once(app, [partial(say, label) for label in (1, 2, 3, 4, 1, 2, 3, 4)])
    with app.app_context():
        label = get(prediction_id).label
        kept = counted()
        assert kept[Span.DAY, NOON.date(), "cnn", 3, label] == 1
        assert kept == recounted()


def test_a_recount_while_others_write_loses_none(app: Flask) -> None:
    def write() -> None:
        for _ in range(20):
            give_feedback(save(row()), "someone", 3)

    def recount() -> None:
        for _ in range(4):
            tallies.recount(db.session())
            db.session.commit()

    at_once(app, [write, write, recount])
    with app.app_context():
        kept = counted()
        assert kept[Span.DAY, NOON.date(), "cnn", 3, 3] == 40
        assert kept == recounted()


def test_the_migration_counts_what_is_logged_already(unmigrated_settings: dict[str, Any]) -> None:
    app = create_database_app(unmigrated_settings)
    assert_the_migration_counts(app)


def test_the_migration_counts_on_postgresql_too(
    unmigrated_settings: dict[str, Any], empty_database: Engine
) -> None:
    url = empty_database.url.render_as_string(hide_password=False)
    assert_the_migration_counts(create_database_app({**unmigrated_settings, "DATABASE_URL": url}))


def assert_the_migration_counts(app: Flask) -> None:
    chance = random.Random(11)
    with app.app_context():
        flask_migrate.upgrade()
        for _ in range(60):
            prediction = drawn(chance)
            if chance.random() < 0.6:
                prediction.label, prediction.labelled_at = chance.choice([3, 8, None]), datetime.now(UTC)
            db.session.add(prediction)
        db.session.commit()
        db.session.remove()
        flask_migrate.downgrade(revision="0002")
        flask_migrate.upgrade()
        kept = counted()
        assert len(kept) > 50
        assert kept == recounted()
        db.session.remove()
        db.engine.dispose()


def test_many_alike_make_few_rows(app: Flask) -> None:
    with app.app_context():
        for _ in range(3 * tallies.SHARDS):
            save(row())
        rows = db.session.scalar(select(func.count()).select_from(Tally))
        assert rows is not None
        assert rows <= len(Span) * tallies.SHARDS
