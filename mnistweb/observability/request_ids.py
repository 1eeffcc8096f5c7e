"""Request ids: in responses, in log lines, and on error pages."""

import os
import re

from flask import g, has_request_context

from mnistweb.current import current_request, request_state

HEADER = "X-Request-ID"
WELL_FORMED = re.compile(r"[A-Za-z0-9._-]{8,64}", re.ASCII)


def current_id() -> str | None:
    """Return this request's id; None outside a request, and before it has one."""
    return g.get("request_id") if has_request_context() else None


def assign() -> None:
    """Take the id of a proxy, or make one."""
    # A proxy's id joins its log to this one. Its form is checked, so that a client cannot write log lines.
    given = current_request().headers.get(HEADER)
    request_state().request_id = given if given and WELL_FORMED.fullmatch(given) else os.urandom(16).hex()
