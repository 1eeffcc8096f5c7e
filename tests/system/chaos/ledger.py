"""What the clients were promised, against what the database holds."""

from collections import Counter
from dataclasses import dataclass

from itsdangerous import URLSafeSerializer

from mnistweb.predictions.idempotency import IdempotencyKey
from tests.system.chaos.clients import Client
from tests.system.chaos.database import Database


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was promised and is not so, answers that should not be, and rows that nobody was told of."""

    lost: list[str]
    odd: list[str]
    untold: int


def visitor_of(cookie: str) -> str:
    """The visitor that a cookie is signed for."""
    signed = cookie.partition("=")[2]
    return str(URLSafeSerializer("", salt="visitor").loads_unsafe(signed)[1]) if signed else ""


def audit(clients: list[Client], database: Database) -> Verdict:
    """Compare every deed so far with the rows."""
    with database.connect() as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT request_key, id::text, label, labelled_at IS NOT NULL FROM prediction"
            " WHERE request_key IS NOT NULL"
        )
        rows = [(bytes(key), row, label, labelled) for key, row, label, labelled in cursor.fetchall()]
        cursor.execute("SELECT count(*) FROM prediction")
        (total,) = cursor.fetchone() or (0,)
        cursor.execute("SELECT coalesce(sum(count), 0) FROM tally WHERE span = 'day'")
        (counted,) = cursor.fetchone() or (0,)
    connection.close()
    times = Counter(key for key, *_ in rows)
    found = {key: rest for key, *rest in rows}
    lost, odd, untold = [], [], 0
    for client in clients:
        odd += client.odd
        client.odd = []
        visitor = visitor_of(client.cookie)
        for deed in client.deeds:
            key = IdempotencyKey.of(deed.key, visitor, b"", None, None).key
            if deed.said != "saved":
                untold += times[key]
            if times[key] > 1:
                lost.append(f"{deed.key} is there {times[key]} times")
            if deed.said == "saved" and (key not in found or found[key][0] != deed.id):
                lost.append(f"{deed.id} was called saved, and is not there")
            elif deed.label_saved and found[key][1:] != [deed.label, True]:
                lost.append(f"{deed.id} was said to be {deed.label}, but is {found[key][1:]}")
    if int(counted) != total:
        odd.append(f"{total} predictions are counted as {counted}")
    return Verdict(lost, odd, untold)
