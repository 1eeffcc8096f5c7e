"""Comparison of the promises to clients with the rows of the database."""

import uuid
from collections import Counter
from dataclasses import dataclass

from itsdangerous import URLSafeSerializer

from mnistweb.predictions.idempotency import IdempotencyKey
from tests.system.chaos.clients import Client
from tests.system.chaos.database import Database
from tests.system.chaos.sqlite_file import SqliteFile

ROWS = "SELECT request_key, id, label, labelled_at IS NOT NULL FROM prediction WHERE request_key IS NOT NULL"


@dataclass(frozen=True, slots=True)
class AuditResult:
    """Broken promises, unexpected answers, and the number of rows unknown to clients."""

    lost: list[str]
    unexpected: list[str]
    unknown: int


def visitor_of(cookie: str) -> str:
    """Return the visitor id in a signed cookie."""
    signed = cookie.partition("=")[2]
    return str(URLSafeSerializer("", salt="visitor").loads_unsafe(signed)[1]) if signed else ""


def audit(clients: list[Client], database: Database | SqliteFile) -> AuditResult:
    """Compare all submissions so far with the rows."""
    rows = [
        (bytes(key), str(uuid.UUID(str(row))), label, bool(labelled))
        for key, row, label, labelled in database.rows(ROWS)
    ]
    [(total,)] = database.rows("SELECT count(*) FROM prediction")
    [(counted,)] = database.rows("SELECT coalesce(sum(count), 0) FROM tally WHERE span = 'day'")
    times = Counter(key for key, *_ in rows)
    found = {key: rest for key, *rest in rows}
    lost, unexpected, unknown = [], [], 0
    for client in clients:
        unexpected += client.unexpected
        client.unexpected = []
        visitor = visitor_of(client.cookie)
        for submission in client.submissions:
            key = IdempotencyKey.of(submission.key, visitor, b"", None, None).key
            if submission.outcome != "saved":
                unknown += times[key]
            if times[key] > 1:
                lost.append(f"{submission.key} exists {times[key]} times")
            if submission.outcome == "saved" and (key not in found or found[key][0] != submission.id):
                lost.append(f"{submission.id} was reported as saved, and is missing")
            elif submission.label_saved and found[key][1:] != [submission.label, True]:
                lost.append(f"{submission.id} was labelled {submission.label}, but has {found[key][1:]}")
    if int(counted) != total:
        unexpected.append(f"{total} predictions are counted as {counted}")
    return AuditResult(lost, unexpected, unknown)
