"""The aggregates equal counts of the log."""

import random
import threading
import time
import uuid
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone
from functools import partial
from typing import Any

import flask_migrate
import psycopg2
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, delete, event, func, select
from sqlalchemy.exc import OperationalError

from mnistweb.app import create_database_app
from mnistweb.database.models import Prediction, Span, Tally
from mnistweb.extensions import db
from mnistweb.predictions import aggregates, service
from mnistweb.predictions.feedback import give_feedback
from mnistweb.predictions.queries import get
from tests.support.clients import predict
from tests.support.faults import broken_log
from tests.support.rows import NOON, row
from tests.support.tallies import Counts, counted


def recounted() -> Counts:
    """Rebuild the aggregates from the log, and return them."""
    aggregates.recount(db.session())
    db.session.commit()
    return counted()


def save(prediction: Prediction) -> uuid.UUID:
    service._save(prediction)
    assert prediction.saved
    return prediction.id


def random_prediction(rng: random.Random) -> Prediction:
    digit = rng.choice([*range(10), None])
    return row(
        NOON + timedelta(hours=rng.uniform(-1000, 1000)),
        digit=digit,
        doubtful=digit is not None and rng.random() < 0.4,
        confidence=rng.choice([0.0, 0.1, 0.3, 0.7, 0.9, 1.0, rng.random()]),
        model=rng.choice(["cnn", "linear", "ein Netz – 数"]),
    )


def remove(*ids: uuid.UUID) -> None:
    statement = delete(Prediction).where(Prediction.id.in_(ids)).returning(*aggregates.FACT_COLUMNS)
    aggregates.apply_changes(db.session(), removed=db.session.execute(statement).all())
    db.session.commit()


def test_empty_log_has_no_aggregates(app: Flask) -> None:
    with app.app_context():
        assert counted() == {}
        assert recounted() == {}


def test_prediction_counts_for_its_utc_day_and_month(app: Flask) -> None:
    # The first of February in Kiritimati, but still January in UTC.
    late = datetime(2026, 2, 1, 9, tzinfo=timezone(timedelta(hours=14)))
    with app.app_context():
        save(row(late, digit=None))
        assert counted() == {
            (Span.DAY, datetime(2026, 1, 31).date(), "cnn", aggregates.NOT_A_DIGIT, aggregates.UNLABELLED): 1,
            (
                Span.MONTH,
                datetime(2026, 1, 1).date(),
                "cnn",
                aggregates.NOT_A_DIGIT,
                aggregates.UNLABELLED,
            ): 1,
        }


def test_feedback_moves_the_count(app: Flask) -> None:
    day, month = (Span.DAY, NOON.date(), "cnn"), (Span.MONTH, NOON.date(), "cnn")
    with app.app_context():
        prediction_id = save(row(digit=3, confidence=0.9))
        for label, counted_label in (
            (8, 8),
            (3, 3),
            (None, aggregates.NOT_A_DIGIT),
            (None, aggregates.NOT_A_DIGIT),
        ):
            give_feedback(prediction_id, "someone", label)
            correct = label == 3
            assert counted() == {
                (*day, 3, counted_label): 1,
                (*month, 3, counted_label): 1,
                (*day, 9, correct, "confidence"): (1, 0.9),
                (*month, 9, correct, "confidence"): (1, 0.9),
            }


def test_digit_in_doubt_counts_twice(app: Flask) -> None:
    with app.app_context():
        prediction_id = save(row(digit=3, doubtful=True))
        give_feedback(prediction_id, "someone", 3)
        assert {key[3:]: count for key, count in counted().items() if key[0] == Span.DAY} == {
            (3, 3): 1,
            (3, 3, "in doubt"): 1,
            (9, True, "confidence"): (1, 0.9),
        }
        remove(prediction_id)
        assert counted() == {}


def test_unsaved_prediction_is_not_counted(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        with broken_log():
            service._save(row())
        assert counted() == {}
    predict(client)
    with app.app_context():
        assert sum(counted().values()) == 2


def test_prediction_is_not_saved_if_counting_fails(app: Flask) -> None:
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
def test_aggregates_equal_a_recount_after_random_changes(app: Flask, seed: int) -> None:
    rng = random.Random(seed)
    with app.app_context():
        ids: list[uuid.UUID] = []
        for _ in range(120):
            match rng.choice("pppffffd") if ids else "p":
                case "p":
                    ids.append(save(random_prediction(rng)))
                case "f":
                    give_feedback(rng.choice(ids), "someone", rng.choice([*range(10), None]))
                case "d":
                    rng.shuffle(ids)
                    remove(*ids[:2])
                    del ids[:2]
        kept = counted()
        assert kept
        assert kept == recounted()


def test_deleting_all_predictions_leaves_no_counts(app: Flask) -> None:
    rng = random.Random(5)
    with app.app_context():
        ids = [save(random_prediction(rng)) for _ in range(40)]
        for each in ids[::2]:
            give_feedback(each, "someone", 3)
        remove(*ids)
        assert counted() == {}


def run_concurrently(app: Flask, functions: list[Callable[[], None]]) -> None:
    """Run each function in its own thread, all started together; fail if one raises."""
    failures: list[BaseException] = []
    barrier = threading.Barrier(len(functions))

    def run(function: Callable[[], None]) -> None:
        try:
            with app.app_context():
                barrier.wait(30)
                function()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=run, args=(function,)) for function in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert not failures


def test_concurrent_writers_are_all_counted_without_deadlock(app: Flask) -> None:
    def drawn(digit: int | None, doubtful: bool) -> uuid.UUID:
        # All in the same shard, which makes writers wait for each other.
        in_shard = uuid.UUID(int=rng.getrandbits(126) << 2)
        return save(row(id=in_shard, digit=digit, doubtful=doubtful, prompt=3))

    rng = random.Random(4)
    with app.app_context():
        shared = [drawn(digit, digit is not None) for digit in (3, 3, 8, None)]

    def write(seed: int) -> None:
        choice = random.Random(seed).choice
        for _ in range(12):
            drawn(choice([3, 8]), choice([True, False]))
            give_feedback(choice(shared), "someone", choice([3, 8, None]))

    run_concurrently(app, [partial(write, seed) for seed in range(4)])
    with app.app_context():
        kept = counted()
        assert sum(count for key, count in kept.items() if key[0] == Span.DAY and len(key) == 5) == 4 + 4 * 12
        assert kept == recounted()


def test_doubts_are_locked_after_all_tallies(migrated_app: Callable[[str], Flask], postgres_url: str) -> None:
    app = migrated_app(postgres_url)

    def draw(number: int) -> None:
        with app.app_context():
            save(row(id=uuid.UUID(int=number * aggregates.SHARDS), model="locked", doubtful=True))

    draw(1)
    drawing = threading.Thread(target=draw, args=(2,))
    with psycopg2.connect(postgres_url) as first, closing(psycopg2.connect(postgres_url)) as second:
        first.cursor().execute("SELECT FROM tally WHERE model = 'locked' AND span = 'month' FOR UPDATE")
        second.autocommit = True
        asking = second.cursor()
        drawing.start()
        for _ in range(1000):
            asking.execute("SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query ~ '^WITH'")
            if asking.rowcount:
                break
            time.sleep(0.002)
        else:
            pytest.fail("The second drawing does not wait.")
        asking.execute("SELECT FROM doubt_tally WHERE model = 'locked' FOR UPDATE NOWAIT")
        assert asking.rowcount == 2
    drawing.join(30)
    with app.app_context():
        assert counted()[Span.DAY, NOON.date(), "locked", 3, aggregates.UNLABELLED] == 2
        remove(*(uuid.UUID(int=number * aggregates.SHARDS) for number in (1, 2)))


def test_one_of_concurrent_feedbacks_counts(app: Flask) -> None:
    with app.app_context():
        prediction_id = save(row())

    def label_it(label: int) -> None:
        give_feedback(prediction_id, "someone", label)

    run_concurrently(app, [partial(label_it, label) for label in (1, 2, 3, 4, 1, 2, 3, 4)])
    with app.app_context():
        label = get(prediction_id).label
        kept = counted()
        assert kept[Span.DAY, NOON.date(), "cnn", 3, label] == 1
        assert kept == recounted()


def test_recount_during_writes_loses_no_prediction(app: Flask) -> None:
    def write() -> None:
        for _ in range(20):
            give_feedback(save(row()), "someone", 3)

    def recount() -> None:
        for _ in range(4):
            aggregates.recount(db.session())
            db.session.commit()

    run_concurrently(app, [write, write, recount])
    with app.app_context():
        kept = counted()
        assert kept[Span.DAY, NOON.date(), "cnn", 3, 3] == 40
        assert kept == recounted()


def test_migration_counts_existing_predictions_on_sqlite(unmigrated_settings: dict[str, Any]) -> None:
    app = create_database_app(unmigrated_settings)
    assert_migration_counts(app)


def test_migration_counts_existing_predictions_on_postgresql(
    unmigrated_settings: dict[str, Any], empty_database: Engine
) -> None:
    url = empty_database.url.render_as_string(hide_password=False)
    assert_migration_counts(create_database_app({**unmigrated_settings, "DATABASE_URL": url}))


def assert_migration_counts(app: Flask) -> None:
    rng = random.Random(11)
    with app.app_context():
        flask_migrate.upgrade()
        for _ in range(60):
            prediction = random_prediction(rng)
            if rng.random() < 0.6:
                prediction.label, prediction.labelled_at = rng.choice([3, 8, None]), datetime.now(UTC)
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


def test_equal_predictions_share_rows(app: Flask) -> None:
    with app.app_context():
        for _ in range(3 * aggregates.SHARDS):
            save(row())
        rows = db.session.scalar(select(func.count()).select_from(Tally))
        assert rows is not None
        assert rows <= len(Span) * aggregates.SHARDS
