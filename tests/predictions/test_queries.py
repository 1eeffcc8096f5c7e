import uuid
from base64 import b64decode, b64encode
from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from flask import Flask

from mnistweb.database.models import Prediction
from mnistweb.extensions import db
from mnistweb.predictions import queries
from mnistweb.predictions.pagination import Order, encode_cursor
from mnistweb.predictions.store import delete_own
from mnistweb.recognition.errors import UserError
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


def by(order: Order) -> Callable[[Prediction], tuple[Any, ...]]:
    def key(prediction: Prediction) -> tuple[Any, ...]:
        confidence = (prediction.confidence,) if order in (Order.SUREST, Order.LEAST_SURE) else ()
        return *confidence, prediction.created_at, prediction.id.bytes

    return key


@pytest.mark.parametrize("order", Order)
def test_pages_of_every_order_are_complete_in_both_directions(app: Flask, order: Order) -> None:
    with app.app_context():
        # Several rows share each time and each confidence.
        add(
            *(
                row(NOON + timedelta(seconds=number // 6), confidence=number % 3 / 2, visitor=f"{number % 2}")
                for number in range(24)
            )
        )
        conditions = [Prediction.visitor == "1"]
        pages = [queries.page(conditions, None, 5, order=order)]
        while (cursor := pages[-1].next) is not None:
            pages.append(queries.page(conditions, cursor, 5, order=order))
        found = [found for page in pages for found in page.items]
        descending = order in (Order.NEWEST, Order.SUREST)
        assert [each.id for each in found] == [
            each.id for each in sorted(found, key=by(order), reverse=descending)
        ]
        assert len({each.id for each in found}) == 12
        for page, following in pairwise(pages):
            assert following.previous is not None
            back = queries.page(conditions, following.previous, 5, order=order)
            assert [each.id for each in back.items] == [each.id for each in page.items]
            assert (back.next, back.previous) == (page.next, page.previous)


def test_first_page_is_shown_in_full_although_rows_were_added(app: Flask) -> None:
    with app.app_context():
        add(*(row(NOON + timedelta(minutes=minute)) for minute in range(6)))
        second = queries.page([], queries.page([], None, 3).next, 3)
        newest = add(row(NOON + timedelta(days=1)))
        page = queries.page([], second.previous, 3)
        assert page.previous is not None
        page = queries.page([], page.previous, 3)
        assert page.previous is None
        assert [found.id for found in page.items][:1] == newest
        assert len(page.items) == 3


@pytest.mark.parametrize("order", [Order.NEWEST, Order.OLDEST])
def test_cursor_of_a_former_version_fits_orders_by_time(app: Flask, order: Order) -> None:
    with app.app_context():
        ids = add(*(row(NOON + timedelta(minutes=minute)) for minute in range(3)))
        middle = queries.get(ids[1])
        former = b64encode(b64decode(encode_cursor(middle), b"-_")[:24], b"-_").decode()
        [found] = queries.page([], former, 5, order=order).items
        assert found.id == ids[0 if order is Order.NEWEST else 2]
        with pytest.raises(UserError) as raised:
            queries.page([], former, 5, order=Order.SUREST)
        assert raised.value.code == "invalid_cursor"
