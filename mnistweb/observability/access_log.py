"""Access log: one line for each request, without anything that identifies a visitor."""

import logging
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from flask import Flask, Response

from mnistweb.current import current_request, current_site, request_state
from mnistweb.observability import request_ids
from mnistweb.observability.signals import answered

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class RequestRecord:
    """A request with a response.

    `route` is the URL rule, such as /models/<name>, None if none matches. `bytes` is the size of the body as
    sent. `error` is the code of an error response.
    """

    request_id: str
    method: str
    route: str | None
    status: int
    seconds: float
    bytes: int
    error: str | None


def _begin() -> None:
    request_ids.assign()
    request_state().started = time.perf_counter()


def _end(response: Response) -> Response:
    app, request, state = current_site(), current_request(), request_state()
    started = state.started
    rule = request.url_rule
    record = RequestRecord(
        request_id=state.request_id,
        method=request.method,
        route=rule.rule if rule else None,
        status=response.status_code,
        seconds=0.0,
        bytes=0,
        error=state.get("error_code"),
    )
    response.headers.add(request_ids.HEADER, record.request_id)

    def end() -> None:
        record.seconds = time.perf_counter() - started
        if logger.isEnabledFor(logging.INFO):
            _write(record)
        if answered.receivers:
            answered.send(app, record=record)

    if record.method == "HEAD" or record.status in (204, 304):
        end()
    elif response.is_sequence or response.content_length is not None:
        record.bytes = response.content_length or response.calculate_content_length() or 0
        end()
    else:
        response.call_on_close(getattr(response.response, "close", lambda: None))
        response.call_on_close(end)
        response.response = _counted(response.iter_encoded(), record)
    return response


def _counted(parts: Iterable[bytes], record: RequestRecord) -> Iterator[bytes]:
    for part in parts:
        record.bytes += len(part)
        yield part


def _write(record: RequestRecord) -> None:
    fields: dict[str, Any] = {
        "request_id": record.request_id,
        "method": record.method,
        "route": record.route,
        "status": record.status,
        "milliseconds": round(record.seconds * 1000, 2),
        "bytes": record.bytes,
    }
    if record.error:
        fields["error"] = record.error
    logger.info("%(method)s %(route)s %(status)d, %(milliseconds)s ms, %(bytes)d bytes", fields, extra=fields)


def init_app(app: Flask) -> None:
    """Give every request an id before any other hook, time it, and log a line about it."""
    app.before_request(_begin)
    app.after_request(_end)
