"""What operators read: one line for each request, without anything that tells visitors apart."""

import logging
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from flask import Flask, Response, current_app, g, request

from mnistweb.observability.signals import answered

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class RequestRecord:
    """A request that has been answered.

    `route` is its rule, such as /models/<name>, None where there is none; `bytes` are the body's, as they
    travelled; `error` is the code of the error that was the answer.
    """

    request_id: str
    method: str
    route: str | None
    status: int
    seconds: float
    bytes: int
    error: str | None


def _begin() -> None:
    g.started = time.perf_counter()
    g.error_code = None


def _end(response: Response) -> Response:
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    started = g.started
    rule = request.url_rule
    visit = RequestRecord(
        request_id=g.request_id,
        method=request.method,
        route=rule.rule if rule else None,
        status=response.status_code,
        seconds=0.0,
        bytes=0,
        error=g.error_code,
    )

    def end() -> None:
        visit.seconds = time.perf_counter() - started
        answered.send(app, visit=visit)

    if request.method == "HEAD" or visit.status in (204, 304):
        end()
    elif response.is_sequence or response.content_length is not None:
        visit.bytes = response.content_length or response.calculate_content_length() or 0
        end()
    else:
        response.call_on_close(getattr(response.response, "close", lambda: None))
        response.call_on_close(end)
        response.response = _counted(response.iter_encoded(), visit)
    return response


def _counted(parts: Iterable[bytes], visit: RequestRecord) -> Iterator[bytes]:
    for part in parts:
        visit.bytes += len(part)
        yield part


def _write(_: Flask, visit: RequestRecord) -> None:
    if not logger.isEnabledFor(logging.INFO):
        return
    told: dict[str, Any] = {
        "request_id": visit.request_id,
        "method": visit.method,
        "route": visit.route,
        "status": visit.status,
        "milliseconds": round(visit.seconds * 1000, 2),
        "bytes": visit.bytes,
    }
    if visit.error:
        told["error"] = visit.error
    logger.info("%(method)s %(route)s %(status)d, %(milliseconds)s ms, %(bytes)d bytes", told, extra=told)


def init_app(app: Flask) -> None:
    """Time every request, and write a line about it."""
    app.before_request(_begin)
    app.after_request(_end)
    answered.connect(_write, sender=app)
