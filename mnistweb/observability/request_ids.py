"""The name of a request: in its answer, in every log line about it, and where a visitor reads of an error."""

import re
import secrets

from flask import Flask, Response, g, has_request_context, request

HEADER = "X-Request-ID"
WELL_FORMED = re.compile(r"[A-Za-z0-9._-]{8,64}", re.ASCII)


def current_id() -> str | None:
    """This request's id; None outside a request, and for one that was refused before it had one."""
    return g.get("request_id") if has_request_context() else None


def _take() -> None:
    # A proxy's id joins its log to this one. What it must not do is to write lines into ours.
    given = request.headers.get(HEADER, "")
    g.request_id = given if WELL_FORMED.fullmatch(given) else secrets.token_hex(16)


def _send(response: Response) -> Response:
    response.headers[HEADER] = g.request_id
    return response


def init_app(app: Flask) -> None:
    """Name every request before anything else sees it."""
    app.before_request(_take)
    app.after_request(_send)
