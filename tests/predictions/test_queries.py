import uuid
from datetime import timedelta

from flask import Flask

from mnistweb.database.models import Prediction
from mnistweb.extensions import db
from mnistweb.predictions import queries
from mnistweb.predictions.store import delete_own
from tests.support.rows import NOON, add, row


def test_pages_are_complete_while_rows_are_added(app: Flask) -> None:
    with app.app_context():
        # Four rows share each time: their order is by id.
        ids = add(*(row(NOON + timedelta(seconds=number // 4)) for number in range(20)))
        seen: list[uuid.UUID] = []
        page = queries.page([], None, 3)
        seen += [found.id for found in page.items]
        while page.next is not None:
            add(row(NOON + timedelta(days=1)))
            page = queries.page([], page.next, 3)
            seen += [found.id for found in page.items]
        assert len(seen) == 20
        assert set(seen) == set(ids)


def test_last_full_page_has_no_cursor(app: Flask) -> None:
    with app.app_context():
        add(row(), row())
        assert queries.page([], None, 2).next is None
        assert queries.page([], None, 1).next is not None


def test_cursor_keeps_the_conditions(app: Flask) -> None:
    with app.app_context():
        ids = add(*(row(NOON + timedelta(minutes=minute), digit=minute % 2) for minute in range(8)))
        ones = [Prediction.digit == 1]
        first = queries.page(ones, None, 3)
        rest = queries.page(ones, first.next, 3)
        assert [found.id for found in [*first.items, *rest.items]] == ids[::-2]


def test_cursor_survives_deletion_of_its_prediction(app: Flask) -> None:
    with app.app_context():
        ids = add(*(row(NOON + timedelta(minutes=minute)) for minute in range(4)))
        first = queries.page([], None, 2)
        delete_own(first.items[-1].id, "someone")
        assert [found.id for found in queries.page([], first.next, 2).items] == ids[1::-1]


def test_batches_are_complete_and_hold_no_connection(app: Flask) -> None:
    with app.app_context():
        ids = add(*(row(NOON + timedelta(minutes=minute), input=bytes([minute])) for minute in range(7)))
        seen: list[tuple[uuid.UUID, bytes]] = []
        for batch in queries.batches([], Prediction.input, size=3):
            assert not db.session().in_transaction()
            seen += [(found.id, found.input) for found in batch]
        assert seen == [(found, bytes([minute])) for minute, found in enumerate(ids)][::-1]


def test_empty_result_is_one_empty_batch(app: Flask) -> None:
    with app.app_context():
        assert [list(batch) for batch in queries.batches([])] == [[]]
