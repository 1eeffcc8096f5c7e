"""The objects of the current request for which Flask's proxies stand.

A proxy looks its object up at each use, and that takes ten times as long as the use itself. Code that runs
in every request asks here once.
"""

from typing import TYPE_CHECKING

from flask import Flask, Request, current_app, g, request

if TYPE_CHECKING:
    from flask.ctx import _AppCtxGlobals


def current_site() -> Flask:
    """Return the application: `flask.current_app`."""
    return current_app._get_current_object()  # type: ignore[attr-defined,no-any-return]


def current_request() -> Request:
    """Return the request: `flask.request`."""
    return request._get_current_object()  # type: ignore[attr-defined,no-any-return]


def request_state() -> "_AppCtxGlobals":
    """Return what hooks and views note during a request: `flask.g`."""
    return g._get_current_object()  # type: ignore[no-any-return]
